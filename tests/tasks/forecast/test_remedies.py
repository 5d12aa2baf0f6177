"""The remedies that a forecaster's messages offer work when they are obeyed."""

import importlib.util
import math
import re

import numpy as np
import polars as pl
import pytest

from sluicegate import Forecaster
from sluicegate.errors import ConfigError, DataError, SluicegateError
from sluicegate.tasks import task as verbs
from sluicegate.tasks.forecast import evaluation

QUICK = {"context": 8, "steps": 1, "hidden": 4, "batch": 8}
ROLES = {"time": "t", "target": "x", "progress": False}
NOISE = np.random.default_rng(0).normal(size=100)


def table(rows, **more):
    return pl.DataFrame({"t": range(rows), "x": NOISE[:rows], "k": np.arange(rows) % 2, **more})


def refused(verb, *arguments, **options):
    with pytest.raises((DataError, ConfigError)) as caught:
        verb(*arguments, **options)
    return str(caught.value)


@pytest.fixture(scope="module")
def plain():
    return Forecaster(4, **QUICK).fit(table(60), **ROLES)


@pytest.fixture(scope="module")
def knowing():
    return Forecaster(4, **QUICK).fit(table(60), **ROLES, known="k")


class TrainedError(Exception):
    """Training would have begun."""


@pytest.fixture
def sentence(monkeypatch):
    """What is said of a table before it is trained on, None where nothing is."""

    def begin(*_, **__):
        raise TrainedError

    monkeypatch.setattr(verbs, "train", begin)

    def say(frame, horizon=4, context=8, **options):
        try:
            Forecaster(horizon, hidden=2, context=context, drop_short=options.pop("drop_short", False)).fit(
                frame, **ROLES, **options
            )
        except TrainedError:
            return None
        except SluicegateError as error:
            return str(error)

    return say


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("context", [None, 2, 16])
@pytest.mark.parametrize(("rows", "horizon"), [(2, 1), (5, 2), (8, 4), (20, 8), (20, 15), (21, 4)])
def test_short_tables_are_told_what_suffices(sentence, rows, horizon, context, validated):
    """Each of the ways offered is enough, and a context that cannot be lower is not to be lowered."""

    def say(rows, horizon, context):
        ahead = {"validation": table(rows + horizon).tail(horizon)} if validated else {}
        return sentence(table(rows), horizon, context, **ahead)

    said = say(rows, horizon, context)
    if said is None:
        return
    enough = int(re.search(r"give (\d+) rows of a series at least", said)[1])
    assert say(enough, horizon, context) is None
    for both, lower, alone, steps in re.findall(
        r"lower `context` to (\d+) and `horizon` to (\d+)|lower `context` to (\d+)|lower `horizon` to (\d+)", said
    ):
        assert say(rows, int(lower or steps or horizon), int(both or alone) if both or alone else context) is None


def test_short_series_are_told_what_suffices(sentence):
    frame = pl.concat([table(60, s="a"), table(5, s="b")])
    said = sentence(frame, series="s")
    assert "give more rows, lower `horizon` to 3 or leave such series out (`drop_short`, `--drop-short`)" in said
    assert sentence(frame, 3, series="s") is None
    assert sentence(frame, series="s", drop_short=True) is None
    assert sentence(pl.concat([table(60, s="a"), table(6, s="b")]), series="s") is None
    assert "lower" not in sentence(pl.concat([table(60, s="a"), table(2, s="b")]), series="s")


def test_series_that_are_left_out_are_told():
    frame = pl.concat([table(60, s="a"), table(5, s="b"), table(6, s="c")])
    told = "2 of 3 series, such as 'b', were left out (`drop_short`, `--drop-short`): they have fewer than 12 rows."
    task = Forecaster(4, **QUICK, drop_short=True).fit(frame, **ROLES, series="s")
    assert told in task.report.notes
    task.predict()
    assert task.notes == ()
    whole = Forecaster(4, **QUICK, drop_short=True).fit(table(60, s="a"), **ROLES, series="s")
    assert "left out" not in " ".join(whole.report.notes)


def test_validation_rows_that_do_not_suffice(sentence):
    said = sentence(table(60), validation=table(63).tail(10))
    assert "give 4 rows at least in `validation`" in said
    assert sentence(table(60), validation=table(64).tail(10)) is None
    assert "give the rows in between, to one of the two" in sentence(table(60), validation=table(90).tail(20))
    assert sentence(table(60), validation=table(90).tail(30)) is None
    assert sentence(table(70), validation=table(90).tail(20)) is None


def test_roles(sentence):
    frame = pl.concat([table(60, mean=name, b="p") for name in "cd"])
    assert "rename it in the table" in sentence(frame, series=["mean", "b"])
    assert sentence(frame.rename({"mean": "a"}), series=["a", "b"]) is None
    frame = pl.concat([table(60, s=0.5), table(60, s=1.5)])
    assert "convert it to text" in sentence(frame, series="s")
    assert sentence(frame.with_columns(pl.col("s").cast(pl.String)), series="s") is None
    assert "give each column one role" in sentence(table(60), known="x")
    assert sentence(table(60), known="k") is None


@pytest.mark.parametrize(
    ("rows", "options", "words", "more", "then"),
    [
        (60, {}, "or an earlier `start`", 60, {"start": 50}),
        (60, {}, "give more rows", 64, {}),
        (64, {"start": 62}, "or an earlier `start`", 64, {"start": 60}),
        (64, {"start": "2024-01-01"}, "must be a whole number, as in the time column", 64, {"start": 60}),
        (64, {"stride": 0}, "must be at least 1", 64, {"stride": 1}),
        (64, {"baselines": ["ETS"]}, "expected AutoETS or AutoTheta", 64, {"baselines": []}),
    ],
    ids=range(6),
)
def test_evaluations(plain, rows, options, words, more, then):
    assert words in refused(plain.evaluate, table(rows), **options)
    assert math.isfinite(plain.evaluate(table(more), **{"baselines": [], **then}).metrics["mae"])


def test_no_start_makes_up_for_rows_that_are_missing(plain):
    later = table(80).with_columns(pl.col("t") + 60)
    assert refused(plain.evaluate, later.head(4)).endswith("give more rows")
    assert math.isfinite(plain.evaluate(later.head(12), baselines=[]).metrics["mae"])


@pytest.mark.skipif(importlib.util.find_spec("statsforecast") is None, reason="statsforecast is not installed")
def test_baselines_that_need_more_rows_are_left_out(plain):
    """Of fewer rows than it needs statsforecast made no model, and the evaluation ended in its own error."""
    few = table(80).with_columns(pl.col("t") + 60).head(11)
    report = plain.evaluate(few)
    assert not {"AutoETS", "AutoTheta"} & set(report.baselines)
    assert any("AutoETS needs 7 rows and AutoTheta needs 4 rows before the first window" in n for n in report.notes)
    said = refused(plain.evaluate, few, baselines=["AutoETS", "seasonal_naive"])
    assert "leave AutoETS out of `baselines` (`--baseline`), or give a later `start`" in said
    assert "AutoETS" not in plain.evaluate(few, baselines=["seasonal_naive"]).baselines
    assert "AutoETS" in plain.evaluate(few, baselines=["AutoETS"], start=67).baselines


@pytest.mark.skipif(importlib.util.find_spec("statsforecast") is None, reason="statsforecast is not installed")
def test_baselines_that_would_take_long_are_named(plain, monkeypatch):
    monkeypatch.setattr(evaluation, "_FEW_WINDOWS", 0)
    report = plain.evaluate(table(64))
    assert any("name them in `baselines` (`--baseline`) to have them" in note for note in report.notes)
    named = plain.evaluate(table(64), baselines=["AutoETS", "AutoTheta"])
    assert {"AutoETS", "AutoTheta"} <= set(named.baselines)
    assert not any("left out" in note for note in named.notes)


def test_the_future(knowing):
    said = refused(knowing.predict, table(60))
    assert "give the table of their next 4 rows as `future` (`--future`), or below the history" in said
    future = table(64).tail(4).select("t", "k")
    expected = knowing.predict(table(60), future=future)
    assert expected["time"].to_list() == [60, 61, 62, 63]
    below = table(64).with_columns(x=pl.when(pl.col("t") < 60).then("x"))
    assert knowing.predict(below).equals(expected)
    for part in (future.head(3), future.tail(3)):
        assert "must hold the 4 rows that begin at 60: add those that are missing" in refused(
            knowing.predict, table(60), future=part
        )


def test_ids_of_another_type_are_written_as_in_training():
    frame = pl.concat([table(30, s=name) for name in ("1", "01", "2")])
    task = Forecaster(4, **QUICK).fit(frame, **ROLES, series="s")
    said = refused(task.predict, table(30, s=1))
    assert "give the column as text, written as in training" in said
    expected = task.predict(frame)
    for name in ("1", "01"):
        found = task.predict(table(30, s=name))
        assert found["series"].unique().to_list() == [name]
        np.testing.assert_allclose(found["mean"], expected.filter(pl.col("series") == name)["mean"], rtol=1e-4)
    twice = pl.concat([table(30, s="02"), table(30, s="002")])
    number = Forecaster(4, **QUICK).fit(
        frame.with_columns(pl.col("s").replace("01", "3").cast(int)), **ROLES, series="s"
    )
    assert "may both be the number 2 of training: write it in one way" in refused(number.predict, twice)
    assert number.predict(twice.head(30))["series"].unique().to_list() == [2]


def test_learning_that_loses_its_way_learns_at_a_lower_rate():
    def fit(rate):
        return Forecaster(4, **QUICK | {"steps": 3}, learning_rate=rate).fit(table(60), **ROLES)

    assert "or lower `learning_rate`" in refused(fit, 1e20)
    assert fit(1e-3).report.metrics
