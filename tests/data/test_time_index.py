"""Times that are on no axis, and those that are not on the axis of a model, as `read_panel` refuses them."""

from datetime import date, datetime, timedelta

import pandas as pd
import polars as pl
import pytest

from sluicegate.data import read_panel
from sluicegate.errors import DataError

DAYS = [date(2024, 1, 1) + timedelta(days=i) for i in range(6)]


def panel_of(frame, **options):
    return read_panel(frame, **{"time": "t", "values": ["x"], **options})


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
