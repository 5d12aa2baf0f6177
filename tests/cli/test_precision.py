"""`--precision`: models computed and saved in another one, by the commands that load or save them."""

import json

import jaxtyping
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import sluicegate
from sluicegate import bundle
from sluicegate.cli.app import app

KNOBS = ["--time", "day", "--target", "sold", "--horizon", "3", "--context", "14", "--hidden", "8", "--steps", "20"]


@pytest.fixture
def unchecked(monkeypatch):
    """Turn off the run-time check of annotations, which a user does not have, to see our own refusals."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def run(*words, **more):
    return CliRunner().invoke(app, [*map(str, words)], **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A saved forecaster, and the rows that follow those of training."""
    folder = tmp_path_factory.mktemp("precision")
    noise = np.random.default_rng(0).normal(size=200)
    table = pl.DataFrame({"day": np.arange(200), "sold": np.round(10 + np.sin(np.arange(200) / 3) + noise, 4)})
    table[:150].write_csv(folder / "rows.csv")
    table[150:].write_csv(folder / "later.csv")
    done = run("fit", "forecast", folder / "rows.csv", *KNOBS, "--out", folder / "model")
    assert done.exit_code == 0, done.output
    return folder


def predicted(model, *words):
    done = run("predict", model, "--json", *words)
    assert done.exit_code == 0, done.output
    return [row["q10"] for row in json.loads(done.stdout)]


def test_predict_computes_in_it(folder):
    plain = predicted(folder / "model")
    assert predicted(folder / "model", "--precision", "fp32") == plain
    for precision in ("bf16", "int8"):
        found = predicted(folder / "model", "--precision", precision)
        expected = sluicegate.load(folder / "model", precision=precision).predict()["q10"].to_list()
        assert found == expected
        assert 0 < np.abs(np.array(found) - plain).max() < 0.5


def test_stream_computes_in_it_and_keeps_states_apart(folder):
    line, state = json.dumps({"day": 150, "sold": 10.5}) + "\n", folder / "state"
    words = ("stream", folder / "model", "--warm", "--state", state)
    done = run(*words, "--precision", "bf16", input=line)
    stream = sluicegate.load(folder / "model", precision="bf16").open_stream(warm=True)
    assert [row["mean"] for row in json.loads(done.stdout)["forecast"]] == stream.push(json.loads(line))[
        "mean"
    ].to_list()
    done = run(*words, input=line)
    assert done.exit_code == 1
    assert "of another model" in done.stderr


def test_evaluate_computes_in_it(folder):
    words = ("evaluate", folder / "model", folder / "later.csv", "--json")
    plain, small = (run(*words, *more) for more in ((), ("--precision", "int8")))
    assert (plain.exit_code, small.exit_code) == (0, 0), small.output
    assert plain.stdout != small.stdout


def test_fit_saves_in_int8_and_says_what_it_cost(folder):
    words = ("fit", "forecast", folder / "rows.csv", *KNOBS, "--validation", folder / "later.csv", "--out")
    done = run(*words, folder / "small", "--precision", "int8", "--allow-loss")
    assert done.exit_code == 0, done.output
    arrays = bundle.read(folder / "small").tensors("weights.safetensors")
    assert any(array.dtype == np.int8 for array in arrays.values())
    assert "In int8" in (folder / "small" / "MODEL_CARD.md").read_text()
    done = run("predict", folder / "small", "--precision", "bf16")
    assert done.exit_code == 1
    assert "whose floats are gone" in done.stderr


def test_a_loss_is_refused_and_training_is_not_lost(folder, monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.precision.Cost.loss", property(lambda self: 0.02))
    words = ("fit", "forecast", folder / "rows.csv", *KNOBS, "--validation", folder / "later.csv")
    done = run(*words, "--out", folder / "refused", "--precision", "int8")
    assert done.exit_code == 1
    assert "a loss of 2.00 %" in done.stderr
    assert not (folder / "refused").exists()
    done = run(*words, "--out", folder / "refused", "--resume")
    assert done.exit_code == 0, done.output
    assert "going on from" in done.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["predict", "MODEL", "--precision", "int4"], 'must be "fp32", "bf16" or "int8"'),
        (["fit", "forecast", "ROWS", *KNOBS, "--out", "NEW", "--precision", "bf16"], "must be fp32 or int8"),
        (["fit", "forecast", "ROWS", *KNOBS, "--out", "NEW", "--precision", "int8"], "needs `--validation`"),
        (
            ["fit", "forecast", "ROWS", *KNOBS, "--out", "NEW", "--allow-loss"],
            "is for `--precision int8`",
        ),
        (["fit", "summarize", "ROWS", "--out", "NEW", "--precision", "int8"], "computed in floats alone"),
        (["export", "MODEL", "--to", "c", "--out", "NEW", "--precision", "bf16"], "must be one of fp32, int8"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_had_is_refused_before_anything_is_done(folder, words, why):
    places = {"MODEL": folder / "model", "ROWS": folder / "rows.csv", "NEW": folder / "new"}
    done = run(*(places.get(word, word) for word in words))
    assert done.exit_code == 1, done.output
    assert why in done.stderr
    assert not (folder / "new").exists()
