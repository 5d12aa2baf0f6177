"""A task of thirty lines has all that the others have: the conformance suite, a saved model, a stream and a study."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import sluicegate
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
    return checks.Case(lambda seed, **knobs: NextValue(seed=seed, **knobs), fit, TABLE)


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


def test_its_stream_says_what_it_predicts(case):
    stream = case.trained.open_stream()
    values = torch.tensor(TABLE["y"].to_list()).float()[:, None]
    said = [stream.push(values[0])[None], stream.push(values[1:30])]
    state = stream.snapshot()
    stream.push(values[:7])
    stream.restore(state)
    said.append(stream.push(values[30:]))
    assert torch.cat(said).tolist() == case.trained.predict(TABLE)["next"].to_list()
