"""The comparison of cells: what is trained, that it goes on where it stopped, and what it says."""

import json
import math
import re
import shutil

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_1samp
from typer.testing import CliRunner

from sluicegate.cli.app import app
from sluicegate.errors import ConfigError, DataError
from sluicegate.nn import GRU, LSTM
from sluicegate.nn.layers import LAYERS
from sluicegate.study import compare, comparing
from sluicegate.study.running import Outcome, Run, run, step_seconds
from sluicegate.study.sizes import default_hidden, equal_hidden, weights_of
from sluicegate.study.summary import interval, summarize, verdict
from sluicegate.tasks.registry import task_class

WORDS = {"good": ["fine", "great", "lovely"], "bad": ["dull", "poor", "awful"]}
QUICK = {"epochs": 2, "folds": 1, "embedding": 6, "batch": 8}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    rows = [(f"the {it} is {word}", label) for it in ("film", "cast") for label in WORDS for word in WORDS[label]] * 3
    pl.DataFrame(rows, schema=["text", "label"], orient="row").write_csv(path)
    return path


@pytest.fixture(scope="module")
def studied(table, tmp_path_factory):
    """The folder of a study of two cells, and its frame."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    options = {"task": "classify-text", "knobs": QUICK, "hidden": 4, "progress": False}
    return folder, compare(table, **options, out=folder, cells=["gru", "rnn"], seeds=1, test=table)


def outcome(accuracy, seconds=1.0, epochs=2.0):
    curve = {"epochs": [1.0, 2.0], "training": [1.0, 0.5], "validation": [1.0, 0.7]}
    return Outcome(100, 40, seconds, epochs, 10**6, 1e-5, {"accuracy": accuracy}, curve)


def plan(cell, seed=0):
    return Run("classify-text", cell, 4, seed, {}, "table.csv", {})


def runs(accuracies, seconds):
    """Runs of a few cells with the same units, and with the same weights alike."""
    return [
        (f"{sizing}-{cell}-{seed}", plan(cell, seed), outcome(value, seconds[cell]))
        for sizing in ("hidden", "parameters")
        for cell, values in accuracies.items()
        for seed, value in enumerate(values)
        if sizing == "hidden" or cell != "gru"
    ]


@pytest.mark.parametrize(
    ("task", "fit"),
    [
        ("forecast", {"time": "t", "target": "y"}),
        ("classify-text", {"text": "text", "label": "label"}),
        ("classify-series", {"labels": "label", "series": "id", "channels": ["y"]}),
    ],
)
def test_weights_are_those_of_the_trained_layers(task, fit):
    knobs = {
        "forecast": {"horizon": 2, "context": 6, "steps": 2},
        "classify-text": {"epochs": 1, "folds": 2, "embedding": 5},
        "classify-series": {"steps": 1, "folds": 2},
    }[task]
    long = {
        "t": np.arange(120),
        "id": np.arange(120) // 10,
        "y": np.sin(np.arange(120.0)),
        "label": np.arange(120) // 10 % 2,
    }
    table = pl.DataFrame({**long, "text": ["a word"] * 120})
    for cell, layer in LAYERS.items():
        trained = task_class(task)(**knobs, cell=cell, hidden=7).fit(table, **fit, progress=False)
        model = trained._trained.model
        networks = len(getattr(model, "members", [None]))
        layers = [part for part in model.modules() if isinstance(part, layer)]
        count = sum(weight.numel() for part in layers for weight in part.parameters())
        assert weights_of(task, cell, 7, knobs) == count / networks


def test_equal_weights_are_as_near_as_units_allow():
    assert default_hidden("forecast") == 128
    assert default_hidden("classify-text") == 64
    wanted = weights_of("forecast", "gru", 128, {})
    for cell in LAYERS:
        units = equal_hidden("forecast", cell, wanted, {})
        error = [abs(weights_of("forecast", cell, hidden, {}) - wanted) for hidden in (units - 1, units, units + 1)]
        assert min(error) == error[1]
    assert equal_hidden("forecast", "gru", wanted, {}) == 128


def test_a_run_measures_what_training_costs(table):
    found = run(Run("classify-text", "gru", 5, 0, dict(QUICK), str(table), {"text": "text"}))
    assert found.recurrent == weights_of("classify-text", "gru", 5, QUICK)
    assert found.parameters > found.recurrent
    assert found.seconds_per_epoch > 0
    assert 0 < found.epochs <= 2
    assert found.step > 0
    assert len(found.curve["epochs"]) == len(found.curve["validation"]) > 0
    assert set(found.metrics) >= {"accuracy", "macro_f1"}


def test_the_steps_of_a_stream_are_those_of_one_row():
    assert step_seconds(LSTM(3, 4, 2, bidirectional=True)) > 0


def test_a_study_is_whole(studied):
    folder, frame = studied
    assert frame.select("cell", "sizing").rows() == [("gru", "hidden"), ("rnn", "hidden"), ("rnn", "parameters")]
    assert frame["units"][0] == frame["units"][1] == 4
    weights = frame["recurrent_parameters"]
    assert abs(weights[2] - weights[0]) < abs(weights[1] - weights[0])
    page = (folder / "report.html").read_text()
    assert "On this data take the" in page
    assert page.count("<figure>") == 3
    assert pl.read_csv(folder / "study.csv").columns == frame.columns


def test_the_command_line_goes_on_with_a_study(table, studied, tmp_path, monkeypatch):
    shutil.copytree(studied[0], tmp_path / "study")
    (tmp_path / "study/runs/hidden-rnn-0.outcome.json").unlink()
    begun = []
    real = comparing._started
    monkeypatch.setattr(comparing, "_started", lambda path, module: begun.append(path.stem) or real(path, module))
    words = ["study", table, "--task", "classify-text", "--out", tmp_path / "study", "--seeds", "1", "--hidden", "4"]
    words += ["--cell", "gru", "--cell", "rnn", "--test", table]
    words = [str(word) for word in words]
    words += [part for name, value in QUICK.items() for part in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert begun == ["hidden-rnn-0"]
    found = json.loads(done.stdout)
    assert [row["accuracy"] for row in found["rows"]] == studied[1]["accuracy"].to_list()
    assert "take the" in found["verdict"]
    for wrong, sentence in (
        (["--hidden", "5"], "holds a study of other data or settings"),
        (["--horizon", "3"], "`--horizon` is no option of the task classify-text: leave it out"),
        (["--set", "epochs"], "must be a setting and its value, such as hidden=32"),
    ):
        done = CliRunner().invoke(app, [*words, *wrong])
        assert done.exit_code == 1
        assert sentence in " ".join(done.stderr.split())


def test_a_run_that_fails_says_why(table, tmp_path):
    options = {"task": "classify-text", "out": tmp_path / "s", "text": "words", "knobs": QUICK}
    with pytest.raises(DataError, match=r"the run hidden-gru-0 failed: there is no column 'words' in table\.csv"):
        compare(table, **options, cells=["gru", "rnn"], seeds=1, jobs=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": "sing"}, "`task` (='sing') must be among forecast, classify-text, classify-series"),
        ({"cells": ["gru", "gnu"]}, "`cells` (='gnu') must be among"),
        ({"cells": ["lstm"]}, "must hold gru and one more"),
        ({"seeds": 0}, "`seeds` (=0) must be at least 1"),
        ({"knobs": {"colour": 1}}, "there is no setting `colour`"),
        ({"hidden": 0}, "`hidden` (=0)"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(table, tmp_path, options, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        compare(table, **{"task": "classify-text", "out": tmp_path / "s", **options})
    assert not (tmp_path / "s").exists()


def test_data_that_is_none(tmp_path):
    with pytest.raises(DataError, match="expected a file or a data frame, not int"):
        compare(3, task="classify-text", out=tmp_path / "s")


def test_intervals_are_students():
    values = np.array([0.1, 0.4, 0.35, 0.2])
    low, high = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((high - low) / 2)
    assert math.isnan(interval(values[:1]))


def test_the_verdict_takes_the_cheapest_of_those_within_noise():
    accuracies = {"rnn": [0.70, 0.71, 0.69], "lstm": [0.88, 0.90, 0.89], "gru": [0.88, 0.89, 0.88]}
    near = runs(accuracies, {"rnn": 0.5, "lstm": 2.0, "gru": 1.0})
    found = summarize("classify-text", "table.csv", near).report
    assert found.verdict == (
        "On this data take the GRU: its accuracy, 0.8833, is within noise of the LSTM's, 0.8900, the best, at 0.50 of "
        "its training time. At the same number of weights the LSTM is ahead with 0.8900; the GRU is within noise of it."
    )
    assert list(found.rows)[2:4] == ["GRU, 4 units", "RNN, 4 units, weights of the GRU"]
    assert len(found.draw()) == 3


def test_the_verdict_takes_the_best_beyond_noise():
    far = runs({"lstm": [0.95, 0.951, 0.949], "gru": [0.90, 0.901, 0.899]}, {"lstm": 2.0, "gru": 1.0})
    said = summarize("classify-text", "table.csv", far).report.verdict
    assert said.startswith(
        "On this data take the LSTM: its accuracy, 0.9500, is the best, beyond noise of the others. "
    )


def test_a_single_seed_tells_nothing_of_noise():
    single = runs({"lstm": [0.9], "gru": [0.5]}, {"lstm": 2.0, "gru": 1.0})
    said = verdict("classify-text", summarize("classify-text", "t", single).frame.to_dicts(), 1)
    assert "take the GRU" in said
    assert "(1 seed tells little of noise)" in said


def test_errors_are_best_when_small():
    found = [
        (name, plan, Outcome(**{**vars(value), "metrics": {"mae": value.metrics["accuracy"]}}))
        for name, plan, value in runs({"lstm": [0.9, 0.91, 0.9], "gru": [0.2, 0.21, 0.2]}, {"lstm": 1.0, "gru": 1.0})
    ]
    assert "take the GRU" in summarize("forecast", "t", found).report.verdict


def test_layers_are_by_the_name_of_their_cells():
    assert LAYERS["gru"] is GRU
    assert set(LAYERS) >= {"rnn", "lstm", "gru"}


@pytest.mark.parametrize("missing", ["horizon", "time", "target"])
def test_what_a_task_needs_is_asked_for(tmp_path, table, missing):
    told = {"time": "day", "target": "y", "knobs": {"horizon": 2}}
    told |= {"knobs": {}} if missing == "horizon" else {missing: None}
    with pytest.raises(ConfigError, match=f"`{missing}` .`--{missing}`. is missing"):
        compare(table, task="forecast", out=tmp_path / "study", **told)
    assert not (tmp_path / "study").exists()
