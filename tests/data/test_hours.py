"""Business days, weeks of a shop, bars of trading days and business months, found and held to."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data import on_one_axis, read_panel
from sluicegate.data.axis import DAY, WEEK, YEAR, calendar_features, calendar_periods
from sluicegate.data.hours import OpenHours
from sluicegate.errors import DataError

HOLIDAYS = ["2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29"]
NEW_YORK = pd.bdate_range("2023-11-01", "2024-04-30", freq="C", holidays=[*HOLIDAYS, "2023-11-23", "2023-12-25"])


def panel_of(times, series=None, **options):
    frame = pl.DataFrame({"t": pl.Series(times), "x": np.arange(float(len(times)))})
    if series is not None:
        frame = frame.with_columns(s=pl.Series(series))
        options["series"] = "s"
    return read_panel(frame, time="t", values=["x"], **options)


def there_and_back(times, ahead=0, **options):
    """The axis, held to giving the column back, and what it goes on with."""
    panel = panel_of(times[: len(times) - ahead], **options)
    stamps = panel.axis.stamps(panel.starts + np.arange(len(times)) * panel.axis.step)
    assert stamps.to_list() == pl.Series(times).to_list()
    return panel.axis


def refused(times, **options):
    with pytest.raises(DataError) as caught:
        panel_of(times, **options)
    return str(caught.value)


def week_of(first, days, rows):
    """Every day of these, Monday being 0."""
    every = pl.date_range(first, first + timedelta(days=rows * 7), "1d", eager=True)
    return every.filter((every.dt.weekday() - 1).is_in(days)).head(rows)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([0, 1, 2, 3, 4], "Monday to Friday"),
        ([1, 2, 3, 4, 5], "Tuesday to Saturday"),
        ([6, 0, 1, 2, 3], "Sunday to Thursday"),
        ([0, 1, 2, 3, 4, 5], "Monday to Saturday"),
        ([0, 3], "Monday and Thursday"),
        ([0, 2, 4], "Monday, Wednesday and Friday"),
        ([5, 6], "Saturday and Sunday"),
    ],
)
def test_days_of_the_week(days, words):
    axis = there_and_back(week_of(date(2024, 1, 3), days, 80), ahead=20)
    assert (axis.kind, axis.step, axis.season, axis.unit) == ("open", 1, len(days), "date")
    assert axis.hours.describe() == words
    assert axis.describe_step() == ("1 business day" if days == [0, 1, 2, 3, 4] else "1 open day")


def test_two_weeks_show_that_there_is_no_weekend():
    assert there_and_back(week_of(date(2024, 1, 1), [0, 1, 2, 3, 4], 11)).kind == "open"
    # Of one weekend nobody knows: that may be a gap.
    assert "gap from 2024-01-05 to 2024-01-08" in refused(week_of(date(2024, 1, 1), [0, 1, 2, 3, 4], 9))


def test_every_second_business_day():
    axis = there_and_back(pl.Series(pd.date_range("2024-01-01", periods=80, freq="2B")))
    assert (axis.kind, axis.step) == ("open", 2)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_time_stamps_of_business_days(unit, zone):
    times = pl.Series(pd.bdate_range("2024-01-01", periods=90)).dt.replace_time_zone(zone).dt.cast_time_unit(unit)
    axis = there_and_back(times, ahead=30)
    assert (axis.kind, axis.zone, axis.unit) == ("open", zone, unit)
    closing = times.dt.offset_by("16h")
    assert there_and_back(closing, ahead=30).hours.describe() == "Monday to Friday at 16:00"


def test_days_without_a_row_in_any_series_are_holidays():
    panel = panel_of(pl.Series(NEW_YORK))
    assert panel.axis.hours.closed != ()
    assert len(panel.columns["x"]) == len(NEW_YORK)
    assert "6 days of Monday to Friday, such as 2023-11-23, are missing in every series" in panel.notes[0]
    assert there_and_back(pl.Series(NEW_YORK)).season == 5


def test_a_day_that_one_series_lacks_is_a_gap():
    days = pl.Series(NEW_YORK)
    one = days.filter(pl.Series(range(len(days))) != 40)
    names = ["a"] * len(days) + ["b"] * len(one)
    sentence = refused(pl.concat([days, one]), series=names)
    assert "of series 'b'" in sentence
    assert "expected a row every 1 business day of Monday to Friday; fill it in by `fill`" in sentence
    panel = panel_of(pl.concat([days, one]), series=names, fill="forward")
    stamps = panel.axis.stamps(panel.starts[1] + np.arange(panel.lengths[1]))
    assert set(stamps.dt.weekday().to_list()) == {1, 2, 3, 4, 5}


def test_filling_in_makes_no_weekend():
    panel = panel_of(pl.Series(NEW_YORK), fill="forward")
    stamps = panel.axis.stamps(panel.starts + np.arange(panel.rows))
    assert stamps.to_list() == pd.bdate_range("2023-11-01", "2024-04-30").to_list()
    assert stamps.filter(pl.Series(panel.filled["x"])).dt.strftime("%Y-%m-%d").to_list() == [
        "2023-11-23",
        "2023-12-25",
        *HOLIDAYS,
    ]


def test_too_many_missing_days_are_no_holidays():
    days = week_of(date(2024, 1, 1), [0, 1, 2, 3, 4], 100)
    assert "has a gap from" in refused(days.filter(pl.Series(np.random.default_rng(0).random(100) < 0.8)))
    assert "has a gap from" in refused(pl.concat([days[:40], days[52:]]))


def test_holidays_that_are_given():
    given = panel_of(pl.Series(NEW_YORK), holidays=[date.fromisoformat(day) for day in [*HOLIDAYS, "2024-05-01"]])
    assert "2 days of Monday to Friday, such as 2023-11-23" in given.notes[0]
    ahead = given.axis.stamps(given.starts + given.rows + np.arange(2))
    assert ahead.dt.date().to_list() == [date(2024, 5, 2), date(2024, 5, 3)]
    sentence = refused(pl.Series(NEW_YORK), holidays=[date(2024, 4, 1)])
    assert "holds 2024-04-01 00:00:00 in row 102 (1 such in all), a day that `holidays` (`--holiday`) names" in sentence


def test_a_shop_that_opens_every_day_but_on_holidays():
    days = pl.date_range(date(2023, 12, 1), date(2024, 1, 20), "1d", eager=True)
    closed = [date(2023, 12, 25), date(2023, 12, 26)]
    axis = there_and_back(days.filter(~days.is_in(closed)), ahead=5, holidays=closed)
    assert (axis.kind, axis.season) == ("open", 7)


@pytest.mark.parametrize("times", [range(30), pl.date_range(date(2000, 1, 1), date(2002, 1, 1), "1q", eager=True)])
def test_holidays_of_what_is_no_calendar_of_days(times):
    assert "`holidays` (`--holiday`)" in refused(pl.Series(times), holidays=[date(2024, 1, 1)])


def bars(first="2024-01-02", days=40, zone=None, every="30min", begin="9:30", end="15:30"):
    moments = [
        pd.date_range(f"{day.date()} {begin}", f"{day.date()} {end}", freq=every)
        for day in pd.bdate_range(first, periods=days)
    ]
    return pl.Series(np.concatenate(moments)).cast(pl.Datetime("us")).dt.replace_time_zone(zone)


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_bars_of_trading_days(zone):
    axis = there_and_back(bars(zone=zone, days=70), ahead=30)  # through the change of the clocks in March
    assert (axis.kind, axis.season, axis.describe_step()) == ("open", 13, "30 minutes of open hours")
    assert axis.hours.describe() == "Monday to Friday from 09:30 to 15:30"


def test_a_trading_day_that_ends_early_is_a_holiday_and_a_bar_that_lacks_at_noon_is_a_gap():
    times = bars()
    early = times.filter(~((times.dt.date() == date(2024, 1, 5)) & (times.dt.hour() > 12)))
    panel = panel_of(early)
    assert panel.rows == len(early)
    assert "1 day of Monday to Friday from 09:30 to 15:30, such as 2024-01-05" in panel.notes[0]
    assert "has a gap from 2024-01-02 11:30:00" in refused(times.filter(pl.Series(range(len(times))) != 5))


def test_the_hours_of_a_shop_shorter_on_saturdays():
    hours = pl.datetime_range(pl.date(2024, 1, 1), pl.date(2024, 3, 1), "1h", eager=True)
    shop = hours.filter(
        hours.dt.hour().is_between(9, 18)
        & (hours.dt.weekday() < 7)
        & ~((hours.dt.weekday() == 6) & (hours.dt.hour() > 13))
    )
    axis = there_and_back(shop, ahead=30)
    assert axis.season == 5 * 10 + 5
    every_day = hours.filter(hours.dt.hour().is_between(9, 18))
    assert there_and_back(every_day, ahead=30).season == 10
    assert there_and_back(every_day).hours.describe() == "every day from 09:00 to 18:00"


@pytest.mark.parametrize(("freq", "step"), [("BME", 1), ("BMS", 1), ("BQE", 3), ("BQS", 3), ("BYE", 12), ("BYS", 12)])
def test_business_months(freq, step):
    axis = there_and_back(pl.Series(pd.date_range("2001-02-01", periods=60, freq=freq)), ahead=20)
    assert (axis.kind, axis.step) == ("month", step)


def test_a_month_that_ends_before_a_holiday():
    """2024-03-29 was Good Friday: exchanges ended the month on Thursday."""
    days = NEW_YORK[NEW_YORK > "2023-11-30"]
    last = pl.Series(days.to_series().groupby([days.year, days.month]).max().sort_values().to_numpy())
    ends = pl.concat([pl.Series(pd.date_range("2023-01-01", "2023-11-30", freq="BME")).cast(last.dtype), last])
    axis = there_and_back(ends)
    assert axis.stamps(np.array([2024 * 12 + 2])).dt.day().to_list() == [28]
    held = panel_of(ends[6:], axis=panel_of(ends[:12]).axis)
    assert held.axis.stamps(held.starts + 8).dt.day().to_list() == [28]


@pytest.mark.parametrize("day", [29, 30, 31])
def test_the_last_days_of_months_that_have_fewer(day):
    first = pd.date_range("2023-01-01", periods=30, freq="MS")
    times = [stamp.replace(day=min(day, stamp.days_in_month)) for stamp in first]
    assert there_and_back(pl.Series(times), ahead=10).kind == "month"


def test_a_saturday_among_business_days():
    days = pl.concat([week_of(date(2024, 1, 1), [0, 1, 2, 3, 4], 60), pl.Series([date(2024, 1, 20)])]).sort()
    sentence = refused(days)
    assert "holds 2024-01-20, a Saturday, in row 15 (1 such in all): most rows are of Monday to Friday" in sentence
    assert panel_of(days.filter(days != date(2024, 1, 20))).axis.kind == "open"


def test_a_daily_table_with_gaps_stays_one():
    days = pl.date_range(date(2024, 1, 1), date(2024, 6, 1), "1d", eager=True)
    kept = days.filter(pl.Series(np.random.default_rng(0).random(len(days)) < 0.8))
    assert panel_of(kept, fill="zero").axis.kind == "clock"
    assert "expected a row every 1 day; fill it in" in refused(kept)


def test_few_rows_that_happen_to_lack_a_weekday_are_not_taken_for_a_week_without():
    days = pl.date_range(date(2024, 1, 1), date(2024, 6, 1), "1d", eager=True)
    rare = days.filter(pl.Series(np.random.default_rng(1).random(len(days)) < 0.4) & (days.dt.weekday() != 7))[:30]
    axis = panel_of(rare, fill="zero").axis
    assert (axis.kind, axis.step) == ("clock", DAY)  # although most rows are two days apart


def test_a_table_held_to_business_days():
    axis = panel_of(pl.Series(NEW_YORK)[:60]).axis
    held = panel_of(pl.Series(NEW_YORK), axis=axis)
    assert held.rows == len(NEW_YORK)
    daily = pl.date_range(date(2024, 1, 1), date(2024, 1, 31), "1d", eager=True)
    assert "a Saturday, in row 5 (8 such in all): the model was trained on Monday to Friday" in refused(
        daily, axis=axis
    )
    # A day that was missing in training may be there now.
    christmas = week_of(date(2023, 12, 18), [0, 1, 2, 3, 4], 10)
    assert panel_of(christmas, axis=axis).rows == 10
    assert held.axis.translated(np.array([held.starts[0]]), held.axis)[0] == held.starts[0]


@pytest.mark.parametrize("first", ["2024-01-01", "2024-01-31"])
def test_a_table_held_to_months(first):
    axis = panel_of(pl.Series(pd.date_range("2020-01-01", periods=24, freq="MS"))).axis
    freq = "MS" if first.endswith("01-01") else "ME"
    panel = panel_of(pl.Series(pd.date_range(first, periods=5, freq=freq)), axis=axis)
    assert axis.stamps(panel.starts).dt.date().to_list() == [date(2024, 1, 1)]


@pytest.mark.parametrize(
    "times",
    [
        pl.date_range(date(2024, 1, 1), date(2024, 3, 1), "1d", eager=True),
        pl.date_range(date(2024, 1, 1), date(2024, 6, 1), "1w", eager=True),
        pl.Series([date(2024, 1, 3), date(2024, 2, 17), date(2024, 3, 9), date(2024, 4, 26)]),
    ],
)
def test_arbitrary_days_are_no_months(times):
    axis = panel_of(pl.Series(pd.date_range("2020-01-01", periods=24, freq="MS"))).axis
    sentence = refused(times, axis=axis)
    assert "the model was trained on a row every 1 month, such as 2024-0" in sentence


def test_calendar_features_follow_the_dates():
    panel = panel_of(pl.Series(NEW_YORK))
    assert calendar_periods(panel.axis, 100) == [(WEEK, 3)]
    assert calendar_periods(panel.axis, 600) == [(WEEK, 3), (YEAR, 2)]
    numbers = panel.starts + np.arange(panel.rows)
    features = calendar_features(panel.axis, [(WEEK, 1)], numbers)
    angle = 2 * np.pi * NEW_YORK.dayofweek.to_numpy() / 7
    np.testing.assert_allclose(features, np.stack([np.sin(angle), np.cos(angle)], 1), atol=1e-9)


def test_a_history_and_what_follows_it_share_their_holidays():
    history, after = NEW_YORK[:35], NEW_YORK[38:70]  # three days lie between them, Christmas among the rows after
    axis = panel_of(pl.Series(NEW_YORK[:30])).axis
    one, other = on_one_axis(panel_of(pl.Series(history), axis=axis), panel_of(pl.Series(after), axis=axis))
    assert one.axis == other.axis
    assert other.starts[0] == one.starts[0] + one.rows
    assert one.axis.stamps(other.starts + np.arange(32)).to_list() == after.to_list()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_numbers_and_moments_are_each_others_inverse(data):
    opens = sorted(data.draw(st.sets(st.integers(0, WEEK - 1), min_size=1, max_size=9)))
    days = data.draw(st.lists(st.dates(date(1969, 1, 1), date(1971, 1, 1)), max_size=5))
    hours = OpenHours(tuple(opens)).without(days)
    numbers = np.arange(-60, 600)
    moments = hours.moments(numbers)
    assert (np.diff(moments) > 0).all()
    assert hours.numbers(moments).tolist() == numbers.tolist()
    assert hours.numbers(moments + 1).tolist() == numbers.tolist()
    assert hours.hold(moments).all()
    assert not set(days) & set((moments // DAY).astype("datetime64[D]").tolist())


@pytest.mark.parametrize(
    "broken", [((), ()), ((5, 5), ()), ((-1,), ()), ((WEEK,), ()), ((0,), ((5, 5),)), ((0,), ((5, 7), (7, 8)))]
)
def test_open_hours_that_are_none(broken):
    with pytest.raises(ValueError, match="must be"):
        OpenHours(*broken)
