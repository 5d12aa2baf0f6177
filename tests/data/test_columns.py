"""Columns of every kind of table, and those that cannot be used, as `read_panel` takes them."""

import decimal
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sluicegate.data import Source, read_panel
from sluicegate.data.columns import select
from sluicegate.errors import DataError

DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(6)]


def panel_of(frame, **options):
    return read_panel(frame, **{"time": "t", "values": ["x"], **options})


def single(x, t=None, **options):
    """The one column of a single series."""
    t = range(len(x)) if t is None else t
    return panel_of(pl.DataFrame({"t": t, "x": x}, strict=False), **options).columns["x"].tolist()


def refused(frame, **options):
    with pytest.raises(DataError) as caught:
        panel_of(frame, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def table(t, x=None, **more):
    return pl.DataFrame({"t": t, "x": [float(i) for i in range(len(t))] if x is None else x, **more}, strict=False)


# What kinds of table and of column there are


EXPECTED = [1.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([1.0, 0.0, 1.0, 2.0], dtype=pl.Float32),
        pl.Series([1, 0, 1, 2], dtype=pl.UInt8),
        pl.Series([1, 0, 1, 2]).cast(pl.Decimal(10, 2)),
        pl.Series(["1", " 0.0", "1e0", "+2"]),
    ],
    ids=["float32", "uint8", "decimal", "text"],
)
def test_kinds_of_numbers(column):
    assert single(column) == EXPECTED


def test_truth_values_count_as_numbers():
    assert single([True, False, True]) == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, 0, 1, 2], dtype="Int64"),
        pd.array([1, 0, 1, 2], dtype="Float64"),
        pd.array([1, 0, 1, 2], dtype="Float32"),
        pd.array([1, 0, 1, 2], dtype="int32[pyarrow]"),
        np.array([1, 0, 1, 2], np.float16),
        pd.Series([1, 0, 1, 2], dtype=object),
        pd.Series([decimal.Decimal(v) for v in (1, 0, 1, 2)]),
    ],
    ids=["Int64", "Float64", "Float32", "pyarrow", "float16", "object", "decimal"],
)
def test_kinds_of_numbers_in_pandas(column):
    panel = panel_of(pd.DataFrame({"t": range(4), "x": column}))
    assert panel.columns["x"].tolist() == EXPECTED
    assert panel.columns["x"].dtype == np.float64


def test_missing_values_of_pandas():
    frame = pd.DataFrame({"t": range(3), "x": pd.array([1, None, 3], dtype="Int64")})
    assert "column 'x' is missing in row 1 (1 such in all)" in refused(frame)
    assert panel_of(frame, fill="linear").columns["x"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("convert", [pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, lambda frame: frame])
def test_pandas_arrow_and_polars_are_read_alike(convert):
    times = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 4), "1d", time_zone="Europe/Berlin", eager=True)
    frame = pl.DataFrame({"t": times, "größe": [1.0, 2.0, 3.0, 4.0]})
    panel = read_panel(convert(frame), time="t", values=["größe"])
    assert (panel.axis.zone, panel.axis.wall) == ("Europe/Berlin", True)
    assert panel.columns["größe"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("convert", [pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, pl.DataFrame.clone])
def test_a_column_without_a_name(convert):
    """As in a CSV to which pandas wrote its index."""
    frame = pl.DataFrame({"": ["2024-01-01", "2024-01-02"], "x": [1.0, 2.0]})
    panel = read_panel(convert(frame), time="", values=["x"])
    assert panel.columns["x"].tolist() == [1, 2]
    frame = pl.DataFrame({"t": [0, 1], "": [1.0, 2.0]})
    assert read_panel(convert(frame), time="t", values=[""]).columns[""].tolist() == [1, 2]


def test_arrow_in_pieces():
    frame = pa.concat_tables([pa.table({"t": [0, 1], "x": [1.0, 2.0]}), pa.table({"t": [2, 3], "x": [3.0, 4.0]})])
    assert panel_of(frame).columns["x"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pl.LazyFrame({"t": [1]}), "not LazyFrame; call `.collect()` first"),
        ({"t": [1]}, "not dict"),
        (None, "not NoneType"),
        (np.zeros(3), "not ndarray"),
        ("table.csv", "not str"),
    ],
)
def test_what_is_no_table(frame, words):
    sentence = refused(frame)
    assert sentence.startswith("expected a pandas or polars data frame or an Arrow table")
    assert words in sentence


# Columns


def test_a_missing_column_and_the_near_one():
    frame = pl.DataFrame({"date": [1, 2], "HUFL": [1.0, 2.0]})
    assert read_panel(frame, time="date", values=["HUFL"]).rows == 2
    with pytest.raises(DataError, match=r"there is no column 'Date' in the table: did you mean 'date'\?"):
        read_panel(frame, time="Date", values=["HUFL"])
    with pytest.raises(DataError, match=r"there is no column 'price' in sales\.csv: its columns are date, HUFL"):
        read_panel(frame, time="date", values=["price"], source=Source("sales.csv", 2))


def test_a_name_that_is_only_a_little_like_another_is_no_slip_of_it():
    frame = pl.DataFrame({"source": ["a"], "target": ["b"]})
    for name in ("text", "summary", "label", "score"):
        with pytest.raises(DataError, match=f"no column '{name}' in the table: its columns are source, target; name"):
            select(frame, [name], Source())
    for name, meant in (("sorce", "source"), ("tagret", "target"), ("Target", "target"), ("targets", "target")):
        with pytest.raises(DataError, match=f"no column '{name}' in the table: did you mean '{meant}'"):
            select(frame, [name], Source())


def test_a_missing_column_among_very_many():
    frame = pl.DataFrame({f"c{i}": [0] for i in range(1000)})
    assert len(refused(frame, time="zzz")) < 300


def test_columns_of_pandas_that_are_numbers():
    assert "no column 't'" in refused(pd.DataFrame({0: [1, 2], 1: [3, 4]}))


@pytest.mark.parametrize("name", ["t", None])
def test_times_in_the_index_of_pandas(name):
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.date_range("2024", periods=2, name=name))
    remedy = "make it a column by `reset_index()`" if name else "a column by `reset_index(names='t')`"
    assert remedy in refused(frame)
    assert panel_of(frame.reset_index() if name else frame.reset_index(names="t")).rows == 2


def test_times_in_an_index_of_several_levels():
    index = pd.MultiIndex.from_product([["a"], [0, 1]], names=["s", "t"])
    assert "`reset_index()`" in refused(pd.DataFrame({"x": [1.0, 2.0]}, index=index))


def test_two_columns_of_one_name():
    frame = pd.DataFrame([[1, 2.0, 3.0]], columns=["t", "x", "x"])
    assert "two columns of one name" in refused(frame)


def test_a_column_with_two_roles():
    assert "column 'x' is asked for twice" in refused(table([1, 2]), values=["x", "x"])
    assert "column 't' is asked for twice" in refused(table([1, 2]), values=["t"])


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["1", "2", "two"], "column 'x' holds the text 'two' in row 2 (1 such in all): expected a number"),
        (["1", "1,234.5", "7,000"], "column 'x' holds the text '1,234.5' in row 1 (2 such in all)"),
        (["1", "2,5", "3"], "without thousands separators and with a decimal point"),
        (DAYS[:3], "column 'x' is of type Date: expected numbers"),
        ([[1.0], [2.0], [3.0]], "column 'x' is of type List(Float64): expected numbers"),
        ([1.0, 1e300, 2.0], "column 'x' holds 1e+300 in row 1: expected values of at most 1e+30 in size"),
        ([1.0, 2.0, -1e31], "column 'x' holds -1e+31 in row 2"),
        ([1.0, None, None], "column 'x' is missing in row 1 (2 such in all)"),
        ([1.0, 2.0, float("nan")], "column 'x' is missing in row 2 (1 such in all)"),
        ([float("-inf"), 2.0, None], "column 'x' is infinite in row 0 (2 such in all)"),
        (["1", "inf", "3"], "column 'x' is infinite in row 1"),
    ],
)
def test_values_that_cannot_be_used(column, words):
    assert words in refused(table([0, 1, 2], column))


def test_an_object_column_of_pandas_with_text_and_numbers():
    sentence = refused(pd.DataFrame({"t": [0, 1, 2], "x": [1.0, "two", 3.0]}))
    assert "column 'x' in the table holds values of mixed types" in sentence
