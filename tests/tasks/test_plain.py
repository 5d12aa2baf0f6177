"""A task in one short file has all that the others have: the conformance suite, a saved model, a stream and a study."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

import sluicegate
from sluicegate.cli.app import app
from sluicegate.study import compare
from sluicegate.tasks import checks, registry

sys.path.insert(0, str(Path(__file__).parent))

from next_value import NextValue

TABLE = pl.DataFrame({"y": np.sin(np.arange(60) / 3)})


@pytest.fixture(autouse=True)
def _known_here_alone():
    registry.register(NextValue.name, NextValue)
    yield
    registry.forget(NextValue.name)


def fit(task):
    return task.fit(TABLE, value="y", progress=False)


@pytest.fixture(scope="module")
def case():
    def offline(task, rows):
        return task.predict(pl.DataFrame({"y": rows})).rows(named=True)[-1]

    rows = TABLE["y"].to_list()[:12]
    return checks.Case(lambda seed, **knobs: NextValue(seed=seed, **knobs), fit, TABLE, rows, offline)


@pytest.mark.parametrize("check", list(checks.checks()), ids=lambda check: check.__name__)
def test_it_conforms(check, case):
    check(case)


def test_it_is_saved_with_a_card_and_a_report(case, tmp_path):
    case.trained.save(tmp_path / "model")
    again = sluicegate.load(tmp_path / "model")
    assert again.predict(TABLE).equals(case.trained.predict(TABLE))
    assert again.report.verdict == case.trained.report.verdict
    assert "Says the next value of a column." in (tmp_path / "model" / "MODEL_CARD.md").read_text()


def test_a_killed_run_goes_on(case, tmp_path, monkeypatch):
    from sluicegate.training import checkpoint

    real, written = checkpoint.write_atomic, []

    def killed(path, content):
        real(path, content)
        written.append(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            NextValue().fit(TABLE, value="y", checkpoint=tmp_path / "c", progress=False)
    task = NextValue().fit(TABLE, value="y", checkpoint=tmp_path / "c", resume=True, progress=False)
    assert written
    assert task.files()["weights.safetensors"] == case.trained.files()["weights.safetensors"]


def test_it_is_studied(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    found = compare(TABLE, task="next-value", out=tmp_path, cells=("gru", "rnn"), seeds=1, progress=False, value="y")
    assert found["cell"].to_list().count("rnn") == 2
    assert found["mae"].null_count() == 0


def test_it_has_its_command(case, tmp_path):
    TABLE.write_csv(tmp_path / "table.csv")
    given = [str(tmp_path / "table.csv"), "--value", "y", "--out", str(tmp_path / "model"), "--hidden", "4", "--json"]
    done = CliRunner().invoke(app, ["fit", "next-value", *given])
    assert done.exit_code == 0, done.output
    assert sluicegate.load(tmp_path / "model").predict(TABLE).equals(case.trained.predict(TABLE))
    said = CliRunner().invoke(app, ["fit", "next-value", "--help"]).output
    assert "the column of values" in said.lower()
    assert "--seed" in said


def test_its_fingerprint_hangs_on_every_weight():
    task = fit(NextValue())
    before = task.fingerprint
    assert fit(NextValue()).fingerprint == before
    with torch.no_grad():
        next(task.trained.model.parameters())[0, 0] += 1e-3
    assert task.fingerprint != before
