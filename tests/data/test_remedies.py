"""The remedies that messages offer work when they are obeyed, and give the right values."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate.data import read_panel
from sluicegate.errors import DataError


def table(times, values=None):
    return pd.DataFrame({"t": times, "x": np.arange(float(len(times))) if values is None else values})


def values_of(frame, **options):
    return read_panel(frame, **{"time": "t", "values": ["x"], **options}).columns["x"].tolist()


def refused(frame, **options):
    with pytest.raises(DataError) as caught:
        values_of(frame, **options)
    return str(caught.value)


DAYS = pd.date_range("2024-01-01", periods=40)
WEEKDAYS = pd.bdate_range("2024-01-01", periods=40)


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        WEEKDAYS,
        pd.date_range("2024-01-01", periods=40, freq="ME"),
        pd.date_range("2024-01-01", periods=40, freq="BME"),
        pd.date_range("2024-01-01", periods=40, freq="15min"),
        pd.date_range("2024-03-30", periods=40, freq="h", tz="Europe/Berlin"),
        pd.RangeIndex(0, 120, 3),
    ],
    ids=str,
)
def test_a_gap_is_filled_in(times):
    whole = table(times)
    # Two series, so that the day that one of them lacks is no holiday.
    frame = pd.concat([whole.assign(s="a"), whole.drop(index=[20, 21]).assign(s="b")])
    assert "has a gap from" in (sentence := refused(frame, series="s"))
    assert "fill it in by `fill` = forward, linear or zero" in sentence
    assert values_of(frame, series="s", fill="linear") == [*whole["x"], *whole["x"]]
    assert values_of(frame, series="s", fill="forward")[59:63] == [19, 19, 19, 22]
    assert values_of(frame, series="s", fill="zero")[59:63] == [19, 0, 0, 22]


def test_a_table_out_of_order_is_sorted():
    frame = table(DAYS).sample(frac=1, random_state=0)
    assert "sort the table by 't'" in refused(frame)
    assert values_of(frame.sort_values("t")) == list(range(40))


def test_a_duplicate_is_removed():
    frame = pd.concat([table(DAYS)[:20], table(DAYS)[19:]])
    assert "remove the duplicate" in refused(frame)
    assert values_of(frame.drop_duplicates("t")) == list(range(40))


def test_the_series_are_named():
    frame = pd.concat([table(DAYS).assign(s="a"), table(DAYS).assign(s="b")]).sort_values("t", kind="stable")
    assert "name the column that tells series apart (`series`)" in refused(frame)
    assert values_of(frame, series="s") == [*range(40), *range(40)]


def test_irregular_rows_are_resampled():
    times = pd.date_range("2024-01-01", periods=40, freq="h").to_list()
    times[20] += timedelta(minutes=7)
    assert "resample the table to a regular step" in refused(table(times))
    assert values_of(table(times).resample("h", on="t").mean().reset_index()) == list(range(40))


def test_too_wide_a_gap_is_a_wrong_time():
    times = [*DAYS[:39], pd.Timestamp("2240-01-01")]
    assert "look for a wrong time, or resample the table to a longer step" in refused(table(times), fill="zero")
    times[39] = DAYS[39]
    assert values_of(table(times), fill="zero") == list(range(40))


def test_a_row_without_a_time_is_removed():
    frame = table([*DAYS, None])
    assert "remove these rows" in refused(frame)
    assert values_of(frame.dropna(subset="t")) == list(range(40))


def test_dates_as_numbers_are_written_as_dates():
    frame = table(DAYS.strftime("%Y%m%d").astype(int))
    assert "write them as 2024-01-01" in refused(frame)
    assert values_of(frame.assign(t=DAYS.strftime("%Y-%m-%d"))) == list(range(40))


def test_offsets_are_written_in_one_zone():
    hours = pd.date_range("2024-03-30", periods=40, freq="h", tz="Europe/Berlin")
    frame = table(hours.map(str))
    assert "write all of them in one zone, UTC for instance, and days by their date alone" in refused(frame)
    assert values_of(frame.assign(t=hours.tz_convert("UTC").map(str))) == list(range(40))
    days = pd.date_range("2024-03-20", periods=40, tz="Europe/Berlin")
    assert "days by their date alone" in refused(table(days.map(str)))
    assert values_of(table(days.map(str).str[:10])) == list(range(40))


@pytest.mark.parametrize("every", ["1h", "15min"])
@pytest.mark.parametrize("day", [datetime(2024, 3, 31), datetime(2024, 10, 27)])
def test_clocks_that_were_changed_need_a_zone(day, every):
    """Local times that say nothing of their zone: the hour that is there twice is no duplicate, the other is no gap."""
    hours = pd.date_range(day, periods=40, freq=every, tz="Europe/Berlin")
    sentence = refused(table(hours.tz_localize(None)))
    assert sentence.endswith("if clocks were changed there, write the times in UTC instead")
    assert values_of(table(hours.tz_convert("UTC"))) == values_of(table(hours)) == list(range(40))


def test_an_hour_that_is_missing_elsewhere_is_a_gap():
    hours = pd.date_range("2024-01-03", periods=40, freq="h").delete(20)
    assert "UTC" not in refused(table(hours))


def test_missing_values_are_filled_in():
    frame = table(WEEKDAYS)
    frame.loc[20, "x"] = np.nan
    assert "fill them in by `fill` = forward, linear or zero" in refused(frame)
    assert values_of(frame, fill="linear") == list(range(40))


def test_a_saturday_is_left_out():
    frame = pd.concat([table(WEEKDAYS), table([pd.Timestamp("2024-01-20")], [7.0])]).sort_values("t")
    assert "leave such rows out" in refused(frame)
    assert values_of(frame[frame["t"].dt.weekday < 5]) == list(range(40))


def test_a_day_with_rows_is_no_holiday():
    holidays = [date(2024, 1, 15)]
    assert "leave that day out of the holidays" in refused(table(WEEKDAYS), holidays=holidays)
    assert values_of(table(WEEKDAYS), holidays=[]) == list(range(40))


def test_rows_of_a_model_of_months_are_summed():
    axis = read_panel(table(pd.date_range("2023-01-01", periods=12, freq="MS")), time="t", values=["x"]).axis
    daily = table(DAYS, np.ones(40))
    assert "sum or average the rows of each month" in refused(daily, axis=axis)
    assert values_of(daily.resample("MS", on="t").sum().reset_index(), axis=axis) == [31, 9]


def test_a_gap_at_prediction_is_given_its_rows_or_trained_for():
    axis = read_panel(table(DAYS), time="t", values=["x"]).axis
    frame = table(DAYS).drop(index=20)
    assert "add the missing rows, or train with `fill` = forward, linear or zero (`--fill`)" in refused(
        frame, axis=axis
    )
    assert values_of(table(DAYS), axis=axis) == values_of(frame, axis=axis, fill="linear") == list(range(40))
    empty = table(DAYS)
    empty.loc[20, "x"] = np.nan
    assert "write it in, or train with `fill` = forward, linear or zero" in refused(empty, axis=axis)
    assert values_of(empty, axis=axis, fill="linear") == list(range(40))


def test_a_column_is_converted_to_the_zone_of_the_model():
    hours = pd.date_range("2024-03-30", periods=40, freq="h", tz="Europe/Berlin")
    axis = read_panel(table(hours), time="t", values=["x"]).axis
    assert "the model was trained in Europe/Berlin; convert the column" in refused(
        table(hours.tz_convert("UTC")), axis=axis
    )
    assert values_of(table(hours.tz_convert("UTC").tz_convert("Europe/Berlin")), axis=axis) == list(range(40))


def test_a_series_without_values_is_removed():
    frame = pd.concat([table(DAYS).assign(s="a"), table(DAYS, np.nan).assign(s="b")])
    assert "of series 'b' has no value at all: remove the series or the column" in refused(
        frame, series="s", fill="linear"
    )
    assert values_of(frame[frame["s"] == "a"], series="s", fill="linear") == list(range(40))


def test_an_index_becomes_a_column():
    frame = table(DAYS).set_index("t")
    assert "make it a column by `reset_index()`" in refused(frame)
    assert values_of(frame.reset_index()) == list(range(40))


def test_polars_shows_the_same():
    frame = pl.from_pandas(table(DAYS).sample(frac=1, random_state=0))
    assert "sort the table by 't'" in refused(frame)
    assert values_of(frame.sort("t")) == list(range(40))


@pytest.mark.parametrize(
    ("times", "words", "obeyed"),
    [
        (np.arange(40) / 2, "number the rows 0, 1, 2, ...", range(40)),
        (np.arange(40) / 2, "or give time stamps", DAYS),
        (np.arange(40, dtype=np.uint64) + 2**63, "number the rows 0, 1, 2, ...", range(40)),
        (DAYS.strftime("%d.%m.%Y"), "with the year first, such as 2024-01-31", DAYS.strftime("%Y-%m-%d")),
        (DAYS - DAYS[0], "convert it", (DAYS - DAYS[0]).days),
    ],
    ids=range(5),
)
def test_times_of_other_kinds_are_written_anew(times, words, obeyed):
    assert words in refused(table(times, np.arange(40.0)))
    assert values_of(table(obeyed, np.arange(40.0))) == list(range(40))


@pytest.mark.parametrize("times", [range(40), pd.date_range("2024-01-01", periods=40, freq="15D")])
def test_holidays_are_given_for_calendars_alone(times):
    said = refused(table(times), holidays=[date(2024, 1, 2)])
    assert "no holidays" in said or "give none" in said
    assert values_of(table(times)) == list(range(40))
