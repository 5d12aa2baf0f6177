"""Columns that pandas names by whole numbers and tuples."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate import Forecaster, SeriesClassifier, TextClassifier, load
from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.headings import asked, headed, heading
from sluicegate.errors import DataError

TINY = {"context": 8, "steps": 5, "hidden": 4, "batch": 8}


def test_headings():
    names = [0, "0", ("load", "kW"), ("day", ""), ("a", np.int64(1)), ("", "b")]
    assert [heading(name) for name in names] == ["0", "0", "('load', 'kW')", "day", "('a', 1)", "('', 'b')"]


def test_a_tuple_is_one_column_only_where_there_are_levels():
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("b", "x")]))
    assert asked(levels, ("a", "x")) == ("('a', 'x')",)
    assert asked(levels, [("a", "x"), ("b", "x")]) == ("('a', 'x')", "('b', 'x')")
    assert asked(pd.DataFrame({"a": [1], "x": [2]}), ("a", "x")) == ("a", "x")
    assert asked(None, 3) == ("3",)


def test_values_are_shared_and_the_frame_is_left_alone():
    frame = pd.DataFrame({0: [1.0, 2.0], 1: [3.0, 4.0]})
    view = headed(frame)
    assert list(view.columns) == ["0", "1"]
    assert list(frame.columns) == [0, 1]
    assert np.shares_memory(view["1"].to_numpy(), frame[1].to_numpy())


def test_names_that_are_alike_as_text_are_told_apart_in_words():
    with pytest.raises(DataError, match=r"called 0 as text, the number 0 and the text '0': rename one"):
        select(pd.DataFrame({0: [1], "0": [2]}), ["0"], Source())


def test_values_of_mixed_types_are_told_apart_in_words():
    frame = pd.DataFrame({"id": ["a", None, "0", 0], "y": 1.0})
    with pytest.raises(DataError, match=r"'id' in .* mixed types \(the text 'a' in row 0 and the number 0 in row 3\)"):
        select(frame, ["id"], Source())


@pytest.mark.parametrize(
    "names", [[0, 1, 2], [("day", ""), ("load", "kW"), ("shop", "id")]], ids=["whole numbers", "levels"]
)
def test_a_forecaster_of_such_columns(tmp_path, names):
    time, target, series = names
    columns = pd.MultiIndex.from_tuples(names) if isinstance(time, tuple) else names
    rows = [(day, day % 4, shop) for shop in "ab" for day in range(40)]
    frame = pd.DataFrame(rows, columns=columns)
    task = Forecaster(2, **TINY).fit(frame, time=time, target=target, series=series, progress=False)
    task.save(tmp_path / "m")
    found = load(tmp_path / "m").predict(frame)
    assert set(found["target"]) == {heading(target)}
    assert found["series"].tolist() == ["a", "a", "b", "b"]
    assert task.evaluate(frame, start=30, baselines=()).facts["targets"] == heading(target)
    text = pl.DataFrame(rows, schema=[heading(name) for name in names], orient="row")
    assert load(tmp_path / "m").predict(text)["mean"].to_list() == found["mean"].tolist()
    with pytest.raises(DataError, match=r"there is no column '9'.*its columns are|there is no column '9'.*did you"):
        Forecaster(2, **TINY).fit(frame, time=time, target=9, progress=False)
    assert len(list(frame.columns)) == 3
    assert list(frame.columns) == names


def test_classifiers_of_such_columns():
    texts = pd.DataFrame({0: ["fine film", "dull film"] * 6, 1: [3, 4] * 6, 2: list("abcdef") * 2})
    classifier = TextClassifier(folds=2, epochs=1, hidden=4, embedding=4)
    classifier.fit(texts, text=0, label=1, groups=2, progress=False)
    assert set(classifier.predict(texts)["label"]) <= {3, 4}
    assert classifier.evaluate(texts, groups=2).metrics["accuracy"] >= 0
    rows = [(n, t, float(t % (2 + n % 2)), n % 2) for n in range(8) for t in range(12)]
    table = pd.DataFrame(rows)
    model = SeriesClassifier(folds=2, steps=2, hidden=4).fit(table, 3, series=0, time=1, channels=[2], progress=False)
    assert model.predict(table)["0"].tolist() == list(range(8))
