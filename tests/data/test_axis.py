from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate.data import TimeAxis, read_panel
from sluicegate.data.axis import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    SECOND,
    WEEK,
    YEAR,
    calendar_features,
    calendar_periods,
)
from sluicegate.data.times import parse_time
from sluicegate.errors import ConfigError, DataError


def axis_of(times):
    """The axis that a table with these times is on, and their ticks."""
    panel = read_panel(pl.DataFrame({"t": times, "x": np.ones(len(times))}), time="t", values=["x"])
    return panel.axis, panel.ticks(np.zeros(len(times), int), np.arange(len(times)))


def there_and_back(times):
    """The axis, held to giving the column back as it was."""
    times = times if isinstance(times, pl.Series) else pl.Series("t", times)
    axis, ticks = axis_of(times)
    back = axis.stamps(ticks, times.name)
    assert back.dtype == times.dtype
    assert back.to_list() == times.to_list()
    return axis


def clock(step, zone=None):
    return TimeAxis("clock", step, zone, "us")


@pytest.mark.parametrize(
    ("step", "season"),
    [
        (100, 10_000),  # microseconds in a second
        (SECOND, 3600),
        (MINUTE, 1440),
        (15 * MINUTE, 96),
        (HOUR, 24),
        (6 * HOUR, 4),
        (DAY, 7),
        (WEEK, 52),
        (30 * DAY, 12),
        (366 * DAY, None),
    ],
)
def test_the_season_of_a_clock(step, season):
    assert clock(step).season == season


@pytest.mark.parametrize(("step", "season"), [(1, 12), (2, 6), (3, 4), (6, 2), (12, None), (5, None), (24, None)])
def test_the_season_of_months(step, season):
    assert TimeAxis("month", step, None, "us").season == season


def test_whole_numbers_have_no_season():
    assert TimeAxis("integer", 1).season is None


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (TimeAxis("integer", 2), "2"),
        (TimeAxis("month", 3), "3 months"),
        (TimeAxis("month", 1), "1 month"),
        (clock(DAY), "1 day"),
        (clock(WEEK), "7 days"),
        (clock(15 * MINUTE), "15 minutes"),
        (clock(90 * MINUTE), "90 minutes"),
        (clock(SECOND), "1 second"),
        (clock(250), "250 microseconds"),
    ],
)
def test_the_step_in_words(axis, words):
    assert axis.describe_step() == words


@pytest.mark.parametrize("kind", [pl.Int8, pl.Int64, pl.UInt32])
def test_whole_numbers(kind):
    axis, ticks = axis_of(pl.Series("t", [3, 5, 7, 9], kind))
    assert axis == TimeAxis("integer", 2)
    assert axis.stamps(ticks).to_list() == [3, 5, 7, 9]


def test_whole_floats_count_as_whole_numbers():
    assert axis_of([1.0, 2.0, 3.0])[0] == TimeAxis("integer", 1)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_units_stay_as_they_were(unit):
    times = pl.datetime_range(datetime(2024, 2, 27), datetime(2024, 3, 2), "6h", time_unit=unit, eager=True)
    assert there_and_back(times) == TimeAxis("clock", 6 * HOUR, None, unit)


def test_dates_only():
    times = pl.date_range(date(2023, 12, 25), date(2024, 1, 5), "1d", eager=True)
    assert there_and_back(times) == TimeAxis("clock", DAY, None, "date")


def test_leap_years_are_no_gap():
    assert there_and_back(pl.date_range(date(2024, 2, 1), date(2024, 4, 1), "1d", eager=True)).step == DAY


@pytest.mark.parametrize(("every", "step"), [("1mo", 1), ("1q", 3), ("1y", 12)])
def test_month_starts(every, step):
    axis = there_and_back(pl.date_range(date(2020, 1, 1), date(2024, 1, 1), every, eager=True))
    assert (axis.kind, axis.step, axis.month_end, axis.anchor) == ("month", step, False, 0)


def test_the_fifteenth_of_each_month_at_noon():
    axis = there_and_back(pl.datetime_range(datetime(2020, 1, 15, 12), datetime(2021, 1, 15, 12), "1mo", eager=True))
    assert (axis.kind, axis.step, axis.anchor) == ("month", 1, 14 * DAY + 12 * HOUR)


@pytest.mark.parametrize(("every", "step"), [("1mo", 1), ("1q", 3)])
def test_month_ends(every, step):
    starts = pl.date_range(date(2023, 3, 1), date(2024, 12, 1), every, eager=True)
    axis = there_and_back(starts.dt.month_end())
    assert (axis.kind, axis.step, axis.month_end) == ("month", step, True)


def test_month_ends_go_on_through_a_leap_february():
    axis, ticks = axis_of(pl.Series([date(2023, 10, 31), date(2023, 11, 30), date(2023, 12, 31)]))
    assert axis.stamps(ticks[-1] + np.arange(1, 4)).to_list() == [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2024, 3, 31),
    ]


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2024, 10, 27)], ids=["spring", "autumn"])
def test_hours_through_the_change_of_the_clocks(day):
    begin = datetime(day.year, day.month, day.day)
    times = pl.datetime_range(begin, begin + timedelta(days=1), "1h", time_zone=BERLIN, eager=True)
    assert len(times) in (24, 26)
    axis = there_and_back(times)
    assert (axis.step, axis.wall, axis.zone) == (HOUR, False, BERLIN)


@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2024, 10, 27)], ids=["spring", "autumn"])
def test_midnights_through_the_change_of_the_clocks(day):
    first = datetime(day.year, day.month, day.day) - timedelta(days=3)
    times = pl.datetime_range(first, first + timedelta(days=6), "1d", time_zone=BERLIN, eager=True)
    axis = there_and_back(times)
    assert (axis.step, axis.wall) == (DAY, True)


def test_months_in_a_zone():
    times = pl.datetime_range(datetime(2024, 1, 1), datetime(2024, 12, 1), "1mo", time_zone=BERLIN, eager=True)
    axis = there_and_back(times)
    assert (axis.kind, axis.step, axis.zone) == ("month", 1, BERLIN)


def test_local_follows_the_clock_on_the_wall():
    axis = clock(HOUR, BERLIN)
    ticks = np.array([axis.tick_of("2024-01-15 08:00+00:00"), axis.tick_of("2024-07-15 08:00+00:00")])
    assert (axis.local(ticks) % DAY // HOUR).tolist() == [9, 10]
    assert (clock(HOUR, "UTC").local(ticks) % DAY // HOUR).tolist() == [8, 8]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", date(2024, 1, 31)),
        ("2024/01/31", date(2024, 1, 31)),
        ("2024-01-31 13:05", datetime(2024, 1, 31, 13, 5)),
        ("2024-01-31T13:05", datetime(2024, 1, 31, 13, 5)),
        ("2024/01/31 13:05", datetime(2024, 1, 31, 13, 5)),
        ("2024-01-31 13:05:07", datetime(2024, 1, 31, 13, 5, 7)),
        ("2024-01-31T13:05:07.25", datetime(2024, 1, 31, 13, 5, 7, 250_000)),
        ("2024-01-31 13:05:07.000001", datetime(2024, 1, 31, 13, 5, 7, 1)),
        (" 2024-01-31 ", date(2024, 1, 31)),
        ("2024-01-31T13:05Z", datetime(2024, 1, 31, 13, 5, tzinfo=UTC)),
        ("2024-01-31 13:05:00+02:00", datetime(2024, 1, 31, 11, 5, tzinfo=UTC)),
        ("2024-01-31 13:05:00.5+0530", datetime(2024, 1, 31, 7, 35, 0, 500_000, tzinfo=UTC)),
        ("2024-01-31 13:05:00-08:00", datetime(2024, 1, 31, 21, 5, tzinfo=UTC)),
    ],
)
def test_times_in_text(text, expected):
    assert parse_time(pl.Series("t", [text]), str).to_list() == [expected]


@pytest.mark.parametrize(
    "text", ["31.01.2024", "01/31/2024", "2024-13-01", "2024-02-30", "yesterday", "13:05", "2024-01-31 25:00", "1e3"]
)
def test_text_that_is_no_time(text):
    with pytest.raises(DataError, match=r"time column 't' holds .* in row 3: expected .* 2024-01-31 13:00"):
        axis_of(["2024-01-01", "2024-01-02", "2024-01-03", text])


def test_text_with_two_offsets():
    times = ["2024-03-31 00:00:00+01:00", "2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00"]
    with pytest.raises(DataError, match=r"mixes time zones: .*\+01:00' in row 0, .*\+02:00' in row 2; write all"):
        axis_of(times)


@pytest.mark.parametrize("values", [[True, False], [timedelta(1), timedelta(2)], [[1], [2]], [0.5, 1.5]])
def test_values_that_are_no_times(values):
    with pytest.raises(DataError, match=r"time column 't' .*: expected"):
        axis_of(values)


def test_dates_written_as_numbers():
    with pytest.raises(DataError, match=r"'t' holds dates as whole numbers, such as 20240130: .* as 2024-01-30"):
        axis_of([20240130, 20240131, 20240201])


def test_a_missing_time():
    with pytest.raises(DataError, match=r"time column 't' is empty in row 1 \(1 such in all\): .*remove"):
        axis_of([1, None, 3])


@pytest.mark.parametrize(
    "moment",
    [
        "2024-01-31 13:00",
        datetime(2024, 1, 31, 13),
        pd.Timestamp(2024, 1, 31, 13),
        np.datetime64("2024-01-31T13:00"),
        np.datetime64("2024-01-31T13:00:00.000000000"),
    ],
)
@pytest.mark.parametrize("zone", [None, "UTC", BERLIN])
def test_a_moment(moment, zone):
    utc = datetime(2024, 1, 31, 12 if zone == BERLIN else 13, tzinfo=UTC)
    assert clock(HOUR, zone).tick_of(moment) == int(utc.timestamp() * SECOND)


def test_a_moment_with_an_offset():
    expected = int(datetime(2024, 1, 31, 12, tzinfo=UTC).timestamp() * SECOND)
    assert clock(HOUR, BERLIN).tick_of("2024-01-31 13:00+01:00") == expected
    assert clock(HOUR, BERLIN).tick_of(pd.Timestamp("2024-01-31 13:00", tz=BERLIN)) == expected
    with pytest.raises(ConfigError, match="`start`"):
        clock(HOUR).tick_of("2024-01-31 13:00+01:00")


def test_a_moment_of_months_and_of_whole_numbers():
    assert TimeAxis("month", 1).tick_of("2024-03-01") == 2024 * 12 + 2
    assert TimeAxis("month", 1).tick_of(date(2024, 3, 31)) == 2024 * 12 + 2
    assert TimeAxis("integer", 1).tick_of(5) == 5
    assert TimeAxis("integer", 1).tick_of("5") == 5


@pytest.mark.parametrize("moment", ["soon", "17", 5, 5.0, [], None, float("nan")])
def test_no_moment(moment):
    with pytest.raises(ConfigError, match=r"`start` \(=.*\) must be a time stamp such as 2024-01-31 00:00"):
        clock(HOUR).tick_of(moment)


@pytest.mark.parametrize("moment", ["2024-01-31", "soon", 5.5, None, float("nan"), float("inf")])
def test_no_number(moment):
    with pytest.raises(ConfigError, match=r"`start` \(=.*\) must be a whole number"):
        TimeAxis("integer", 1).tick_of(moment)


@pytest.mark.parametrize(
    ("axis", "span", "periods"),
    [
        (clock(HOUR), 24 * 7, [(DAY, 2)]),
        (clock(HOUR), 24 * 14, [(DAY, 2), (WEEK, 3)]),
        (clock(HOUR), 24 * 731, [(DAY, 2), (WEEK, 3), (YEAR, 2)]),
        (clock(DAY), 13, []),
        (clock(DAY), 400, [(WEEK, 3)]),
        (clock(DAY), 731, [(WEEK, 3), (YEAR, 2)]),
        (clock(4 * DAY), 1000, [(YEAR, 2)]),
        (TimeAxis("month", 1), 25, [(YEAR, 2)]),
        (TimeAxis("month", 1), 13, []),
        (TimeAxis("month", 6), 40, [(YEAR, 2)]),
        (TimeAxis("month", 12), 40, []),
        (TimeAxis("integer", 1), 1000, []),
    ],
)
def test_the_periods_that_the_rows_suffice_to_learn(axis, span, periods):
    assert calendar_periods(axis, span) == periods


def test_calendar_features_known_by_heart():
    axis = clock(HOUR)
    noons = [axis.tick_of("2024-01-01 00:00"), axis.tick_of("2024-01-01 06:00"), axis.tick_of("2024-01-04 12:00")]
    features = calendar_features(axis, [(DAY, 2), (WEEK, 1)], np.array(noons))
    expected = [
        # sin and cos of the day, of half a day, of the week, which begins on Monday, 2024-01-01
        [0, 1, 0, 1, 0, 1],
        [1, 0, 0, -1, np.sin(2 * np.pi / 28), np.cos(2 * np.pi / 28)],
        [0, -1, 0, 1, 0, -1],
    ]
    np.testing.assert_allclose(features, expected, atol=1e-9)
    assert clock(DAY).tick_of("1970-01-05") == MONDAY


def test_the_year_of_the_features_is_that_of_the_calendar():
    axis = TimeAxis("month", 1, None, "us")
    ticks = np.array([axis.tick_of("2024-01-01"), axis.tick_of("2024-07-01"), axis.tick_of("2025-01-01")])
    january, july, next_january = calendar_features(axis, [(YEAR, 1)], ticks)
    assert january @ july < -0.99
    assert january @ next_january > 0.9999


def test_calendar_features_follow_the_local_clock():
    features = [
        calendar_features(clock(HOUR, zone), [(DAY, 1)], np.array([[clock(HOUR, zone).tick_of("2024-07-01 06:00")]]))
        for zone in (None, "UTC", BERLIN, "Asia/Kolkata")
    ]
    for other in features:
        np.testing.assert_allclose(other, [[[1, 0]]], atol=1e-9)


def test_no_periods_make_no_features():
    assert calendar_features(clock(DAY), [], np.zeros((2, 3), np.int64)).shape == (2, 3, 0)
