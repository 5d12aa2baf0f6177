import decimal
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data import Source, read_panel
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


def long_table(series=("b", "a", "c"), rows=4):
    return pl.DataFrame(
        {
            "s": [name for name in series for _ in range(rows)],
            "t": list(range(rows)) * len(series),
            "x": [100.0 * i + j for i in range(len(series)) for j in range(rows)],
        }
    )


def test_series_lie_end_to_end_in_order_of_appearance():
    panel = panel_of(long_table(), series="s")
    assert panel.names == ("b", "a", "c")
    assert panel.bounds.tolist() == [0, 4, 8, 12]
    assert panel.rows == 12
    assert panel.lengths.tolist() == [4, 4, 4]
    assert panel.columns["x"].tolist() == long_table()["x"].to_list()
    assert panel.filled == {}


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["a", "b", "c"])])
def test_a_table_in_order_of_time_is_the_same_panel(kind):
    series_major = long_table().with_columns(pl.col("s").cast(kind))
    time_major = series_major.sort("t", maintain_order=True)
    one, other = panel_of(series_major, series="s"), panel_of(time_major, series="s")
    assert one.names == other.names == ("b", "a", "c")
    assert one.bounds.tolist() == other.bounds.tolist()
    assert one.columns["x"].tolist() == other.columns["x"].tolist()


@given(st.data())
def test_rows_of_series_may_be_mixed_in_any_way(data):
    lengths = data.draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    labels = data.draw(st.permutations([i for i, length in enumerate(lengths) for _ in range(length)]))
    count = dict.fromkeys(labels, 0)
    times = []
    for label in labels:
        times.append(count[label])
        count[label] += 1
    frame = pl.DataFrame({"s": labels, "t": times, "x": [100.0 * a + b for a, b in zip(labels, times, strict=True)]})
    panel = panel_of(frame, series="s")
    assert panel.names == tuple(dict.fromkeys(labels))
    for i, name in enumerate(panel.names):
        part = panel.columns["x"][panel.bounds[i] : panel.bounds[i + 1]]
        assert part.tolist() == [100.0 * name + j for j in range(lengths[name])]


def test_whole_numbers_name_series():
    assert panel_of(long_table((3, 1, 2)), series="s").names == (3, 1, 2)


def test_columns_are_views_where_nothing_had_to_change():
    values = np.arange(4.0)
    panel = panel_of(pl.DataFrame({"t": range(4), "x": values}))
    assert panel.columns["x"].tolist() == values.tolist()
    assert not panel.columns["x"].flags.owndata


def test_ticks_go_on_past_the_end():
    panel = panel_of(long_table().with_columns(pl.col("t") * 5), series="s")
    assert panel.ticks(np.array([1, 1, 2]), np.array([4, 9, 12])).tolist() == [0, 25, 20]


def test_taking_some_series():
    frame = long_table().with_columns(x=pl.when(pl.col("x") == 201.0).then(None).otherwise("x"))
    panel = panel_of(frame, series="s", fill="forward").take(np.array([True, False, True]))
    assert panel.names == ("b", "c")
    assert panel.bounds.tolist() == [0, 4, 8]
    assert panel.columns["x"].tolist() == [0, 1, 2, 3, 200, 200, 202, 203]
    assert panel.filled["x"].tolist() == [False] * 5 + [True, False, False]


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


def test_a_missing_column_among_very_many():
    frame = pl.DataFrame({f"c{i}": [0] for i in range(1000)})
    assert len(refused(frame, time="zzz")) < 300


def test_columns_of_pandas_that_are_numbers():
    assert "no column 't'" in refused(pd.DataFrame({0: [1, 2], 1: [3, 4]}))


@pytest.mark.parametrize("name", ["t", None])
def test_times_in_the_index_of_pandas(name):
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.date_range("2024", periods=2, name=name))
    assert "make it a column by `reset_index()`" in refused(frame)
    assert panel_of(frame.rename_axis("t").reset_index()).rows == 2


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


def test_lines_are_named_as_the_file_has_them():
    frame = (
        long_table().sort("t", maintain_order=True).with_columns(x=pl.Series([float(i) for i in range(11)] + [None]))
    )
    assert "in line 13 of sales.csv" in refused(frame, series="s", source=Source("sales.csv", 2))
    assert "in row 11" in refused(frame, series="s")


# Series


def test_a_series_column_with_nulls():
    frame = long_table().with_columns(s=pl.when(pl.col("x") == 101).then(None).otherwise("s"))
    assert "series column 's' is empty in row 5" in refused(frame, series="s")


@pytest.mark.parametrize("kind", [pl.Float64, pl.Date, pl.Boolean])
def test_a_series_column_of_another_type(kind):
    frame = long_table((0, 1)).with_columns(pl.col("s").cast(pl.Int32).cast(kind))
    assert "series column 's' is of type" in refused(frame, series="s")


# Time


HOURS = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 1, 1, 5), "1h", eager=True)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 1, 1, 2], "time column 't' repeats 1 in row 1 and row 2: expected each time once"),
        (
            [0, 1, 2, 1],
            "time column 't' goes back from 2 to 1 in row 3: expected rows in order of time; sort the table",
        ),
        ([3, 2, 1, 0], "time column 't' goes back from 3 to 2 in row 1"),
        ([0, 1, 3, 4], "time column 't' has a gap from 1 to 3 before row 2: expected a row every 1; fill it in"),
        ([0, 2, 4, 5], "time column 't' is irregular: 4 is followed by 5 in row 3, where most rows are 2 apart"),
        (DAYS[:3] + DAYS[2:4], "repeats 2024-01-03 in row 2 and row 3"),
        (DAYS[:2] + DAYS[3:], "has a gap from 2024-01-02 to 2024-01-04 before row 2: expected a row every 1 day"),
        (
            [datetime(2024, 1, 1), datetime(2024, 1, 2), datetime(2024, 1, 3, 7), datetime(2024, 1, 4, 7)],
            "is irregular: 2024-01-02 00:00:00 is followed by 2024-01-03 07:00:00 in row 2, where most rows are 1 day",
        ),
        (
            [date(2024, 1, 1), date(2024, 2, 1), date(2024, 4, 1), date(2024, 5, 1)],
            "has a gap from 2024-02-01 to 2024-04-01 before row 2: expected a row every 1 month",
        ),
    ],
)
def test_times_that_are_not_regular(times, words):
    assert words in refused(table(times))


def test_the_series_of_a_fault_is_named():
    frame = long_table().with_columns(t=pl.when(pl.col("x") == 102).then(1).otherwise("t"))
    assert "repeats 1 of series 'a' in row 5 and row 6" in refused(frame, series="s")


def test_duplicates_that_a_series_column_would_explain():
    assert "name the column that tells series apart (`series`)" in refused(long_table().sort("t"))


def test_zones_of_pandas_mixed_in_one_column():
    times = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02", tz="Europe/Berlin")]
    sentence = refused(pd.DataFrame({"t": pd.Series(times, dtype=object), "x": [1.0, 2.0]}))
    assert "time column 't' mixes time zones: UTC in row 0, Europe/Berlin in row 1; write all" in sentence


def test_a_zone_and_none_mixed_in_one_column():
    times = [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02", tz="Europe/Berlin")]
    assert "mixes time zones" in refused(pd.DataFrame({"t": pd.Series(times, dtype=object), "x": [1.0, 2.0]}))


def test_an_object_column_of_time_stamps_in_one_zone():
    times = pd.Series(list(pd.date_range("2024", periods=3, tz="UTC")), dtype=object)
    assert panel_of(pd.DataFrame({"t": times, "x": [1.0, 2.0, 3.0]})).axis.zone == "UTC"


@pytest.mark.parametrize("offset", ["+05:30", "-08:00"])
def test_an_offset_of_pandas_is_read_as_utc_as_from_text(offset):
    times = pd.date_range(f"2024-01-01 00:00{offset}", periods=3, freq="h")
    panel = panel_of(pd.DataFrame({"t": times, "x": [1.0, 2.0, 3.0]}))
    text = panel_of(table([f"2024-01-01 0{i}:00{offset}" for i in range(3)]))
    assert panel.axis.zone == text.axis.zone == "UTC"
    assert panel.starts.tolist() == text.starts.tolist()


def test_numbers_beyond_all_others():
    assert "expected numbers up to" in refused(table(pl.Series([2**63, 2**63 + 1], dtype=pl.UInt64)))


def test_a_single_row():
    assert "single row" in refused(table([1]))
    assert "single row" in refused(long_table(rows=1), series="s")


def test_no_row():
    assert "holds no rows" in refused(table([1]).head(0))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (DAYS[:3], "time column 't' holds Date: the model was trained on whole numbers"),
        (["a", "b", "c"], "time column 't' holds 'a' in row 0: expected a time stamp"),
        ([0, 1, 3], "has a gap from 1 to 3"),
        ([0, 2, 4], "has a gap from 0 to 2"),
    ],
)
def test_a_table_on_another_axis_than_a_panel_of_whole_numbers(times, words):
    axis = panel_of(table([0, 1, 2])).axis
    assert words in refused(table(times), axis=axis)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 1, 2], "time column 't' holds Int64: the model was trained on time stamps"),
        (HOURS, "is in time zone None: the model was trained in Europe/Berlin; convert the column"),
        (HOURS.dt.replace_time_zone("UTC"), "is in time zone UTC: the model was trained in Europe/Berlin"),
        (DAYS, "is in time zone None"),
    ],
)
def test_a_table_on_another_axis_than_a_panel_in_a_zone(times, words):
    axis = panel_of(table(HOURS.dt.replace_time_zone("Europe/Berlin"))).axis
    assert words in refused(table(times), axis=axis)


def test_a_single_row_on_a_known_axis():
    axis = panel_of(table([0, 2, 4])).axis
    assert panel_of(table([6], [1.0]), axis=axis).rows == 1


# Filling in


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("forward", [2, 2, 2, 2, 5, 5]),
        ("linear", [2, 2, 3, 4, 5, 5]),
        ("zero", [0, 2, 0, 0, 5, 0]),
    ],
)
def test_missing_values_are_filled_in(fill, expected):
    panel = panel_of(table(range(6), [None, 2.0, float("nan"), float("inf"), 5.0, None]), fill=fill)
    assert panel.columns["x"].tolist() == expected
    assert panel.filled["x"].tolist() == [True, False, True, True, False, True]


@pytest.mark.parametrize(
    ("fill", "expected"), [("forward", [1, 1, 1, 7]), ("linear", [1, 3, 5, 7]), ("zero", [1, 0, 0, 7])]
)
def test_missing_rows_are_filled_in(fill, expected):
    panel = panel_of(table([0, 3, 4, 5], [1.0, 7.0, 8.0, 9.0]), fill=fill)
    assert panel.columns["x"].tolist() == [*expected, 8, 9]
    assert panel.filled["x"].tolist() == [False, True, True, False, False, False]


def test_missing_days_and_missing_months_are_filled_in():
    panel = panel_of(table([DAYS[0], DAYS[1], DAYS[4], DAYS[5]]), fill="linear")
    np.testing.assert_allclose(panel.columns["x"], [0, 1, 4 / 3, 5 / 3, 2, 3])
    months = [date(2024, month, 1) for month in (1, 2, 3, 6)]
    assert panel_of(table(months), fill="zero").columns["x"].tolist() == [0, 1, 2, 0, 0, 3]


def test_series_are_filled_in_each_by_itself():
    frame = pl.DataFrame(
        {"s": ["a", "a", "a", "b", "b", "b"], "t": [0, 1, 3, 0, 1, 2], "x": [1.0, 2.0, 4.0, None, 8.0, 9.0]}
    )
    for order in (frame, frame.sort("t", maintain_order=True)):
        panel = panel_of(order, series="s", fill="forward")
        assert panel.bounds.tolist() == [0, 4, 7]
        assert panel.columns["x"].tolist() == [1, 2, 2, 4, 8, 8, 9]


def test_nothing_to_fill_in_from():
    frame = long_table(("a", "b")).with_columns(x=pl.when(pl.col("s") == "b").then(None).otherwise("x"))
    assert "column 'x' of series 'b' has no value at all" in refused(frame, series="s", fill="linear")
    assert panel_of(frame, series="s", fill="zero").columns["x"][4:].tolist() == [0, 0, 0, 0]
    assert "column 'x' has no value at all" in refused(table([0, 1], [None, None]), fill="forward")


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 2, 4, 5, 7, 9]])
def test_filling_in_does_not_hide_other_faults(times):
    assert "time column 't'" in refused(table(times), fill="linear")


def test_a_gap_too_wide_to_fill_in():
    sentence = refused(table([0, 1, 2, 10**13]), fill="zero")
    assert "has gaps of 9,999,999,999,997 rows in all, where the table has 4" in sentence
