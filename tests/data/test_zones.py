"""Days on which the clocks are changed: local times that do not exist or occur twice, written and read."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sluicegate.data import read_panel
from sluicegate.data.axis import DAY, HOUR, WEEK
from sluicegate.data.zones import to_instants, to_local

# Where clocks are set forward at midnight, and when.
MIDNIGHTS = {
    "Africa/Cairo": date(2024, 4, 26),
    "America/Santiago": date(2023, 9, 3),
    "America/Havana": date(2024, 3, 10),
    "Asia/Beirut": date(2024, 3, 31),
    "America/Asuncion": date(2017, 10, 1),
    "America/Sao_Paulo": date(2018, 11, 4),
}
# Where midnight, or the time asked for, occurs twice.
TWICE = {"America/Havana": date(2024, 11, 3), "Atlantic/Azores": date(2024, 10, 27)}


def panel_of(times, **options):
    frame = pl.DataFrame({"t": times, "x": np.arange(float(len(times)))})
    return read_panel(frame, time="t", values=["x"], **options)


def there_and_back(times, **options):
    """The axis, held to giving the moments back as pandas would have written them."""
    panel = panel_of(times, **options)
    assert len(panel.columns["x"]) == len(times)
    return panel.axis, panel.axis.stamps(panel.ticks(np.zeros(len(times), int), np.arange(len(times))))


def localized(naive, zone):
    """As pandas does it."""
    stamps = pd.DatetimeIndex(naive).tz_localize(zone, nonexistent="shift_forward", ambiguous=np.ones(len(naive), bool))
    return pl.Series(stamps.tz_convert("UTC").tz_localize(None)).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


@pytest.mark.parametrize("freq", ["D", "12h", "W-SUN", "2D"])
@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_days_whose_midnight_is_left_out(zone, freq):
    naive = pd.date_range(MIDNIGHTS[zone] - timedelta(days=200), MIDNIGHTS[zone] + timedelta(days=200), freq=freq)
    times = localized(naive, zone)
    axis, back = there_and_back(times)
    assert back.to_list() == times.to_list()
    assert (axis.wall, axis.step) == (True, {"D": DAY, "12h": DAY // 2, "W-SUN": WEEK, "2D": 2 * DAY}[freq])


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_the_midnight_that_polars_moves_to_the_day_before(zone):
    day = MIDNIGHTS[zone]
    first = datetime(day.year, day.month, day.day) - timedelta(days=3)
    times = pl.datetime_range(first, first + timedelta(days=6), "1d", time_zone=zone, eager=True)
    assert times.dt.hour().to_list() == [0, 0, 0, 23, 0, 0, 0]
    _, back = there_and_back(times)
    assert back.dt.hour().to_list() == [0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("begin", [-1, 0, 1])
def test_the_day_that_has_no_midnight_at_either_end(begin):
    day = MIDNIGHTS["Africa/Cairo"] + timedelta(days=begin)
    times = localized(pd.date_range(day, periods=3), "Africa/Cairo")
    assert there_and_back(times)[1].to_list() == times.to_list()
    assert there_and_back(times.reverse().head(2).reverse())[1].dt.day().to_list()[-1] == times.dt.day()[-1]


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_rows_held_to_an_axis(zone):
    """As at prediction: the axis is known, and of few rows that of the clock's change may be one."""
    day = MIDNIGHTS[zone]
    axis = panel_of(localized(pd.date_range(day - timedelta(days=60), periods=40), zone)).axis
    for rows in (1, 2, 5):
        times = localized(pd.date_range(day, periods=rows), zone)
        panel = panel_of(times, axis=axis)
        assert axis.stamps(panel.starts).to_list() == times[:1].to_list()
        assert panel.starts[0] % DAY == 0
        assert axis.tick_of(times[0]) == axis.tick_of(str(day)) == axis.tick_of(day) == panel.starts[0]


@pytest.mark.parametrize(
    ("zone", "first", "freq"),
    [
        ("Asia/Beirut", "2023-03-31", "ME"),  # 2024-03-31 begins at 01:00
        ("America/Asuncion", "2016-10-01", "MS"),  # so does 2017-10-01
        ("America/Asuncion", "2016-10-01", "QS"),
    ],
)
def test_months_whose_midnight_is_left_out(zone, first, freq):
    times = localized(pd.date_range(first, periods=24, freq=freq), zone)
    axis, back = there_and_back(times)
    assert axis.kind == "month"
    assert back.to_list() == times.to_list()
    assert (times.dt.hour() == 1).sum() == 1


def test_a_midnight_moved_into_the_month_before():
    times = localized(pd.date_range("2017-01-01", periods=18, freq="MS"), "America/Asuncion").to_list()
    times[9] -= timedelta(hours=2)
    assert times[9].day == 30
    axis, back = there_and_back(pl.Series(times))
    assert (axis.kind, axis.step, axis.anchor) == ("month", 1, 0)
    assert back.dt.month().to_list() == [*range(1, 13), *range(1, 7)]


def test_half_past_two_in_berlin():
    times = localized(pd.date_range("2024-03-25 02:30", periods=300), "Europe/Berlin")
    axis, back = there_and_back(times)
    assert axis.step == DAY
    assert back.to_list() == times.to_list()
    assert back.filter(back.dt.date() == date(2024, 3, 31)).dt.strftime("%H:%M").to_list() == ["03:00"]


@pytest.mark.parametrize("zone", TWICE)
def test_of_a_time_that_occurs_twice_the_first_is_meant(zone):
    times = localized(pd.date_range(TWICE[zone] - timedelta(days=3), periods=6), zone)
    assert there_and_back(times)[1].to_list() == times.to_list()


@pytest.mark.parametrize("day", [date(2024, 4, 7), date(2024, 9, 8)])
@pytest.mark.parametrize("every", ["1h", "15m", "6h"])
def test_regular_instants_stay_instants(day, every):
    begin = datetime(day.year, day.month, day.day) - timedelta(days=1)
    utc = pl.datetime_range(begin, begin + timedelta(days=3), every, time_zone="UTC", eager=True)
    times = utc.dt.convert_time_zone("America/Santiago")
    axis, back = there_and_back(times)
    assert not axis.wall
    assert back.to_list() == times.to_list()


def test_series_that_stand_elsewhere_in_the_day():
    """Of 01:00 only that of the series whose rows are at midnight stands for midnight."""
    days = pd.date_range("2024-04-20", periods=12)
    parts = [localized(days + pd.Timedelta(hours=hour), "Africa/Cairo") for hour in (0, 1, 6)]
    frame = pl.DataFrame({"s": np.repeat([0, 1, 2], 12), "t": pl.concat(parts), "x": np.ones(36)})
    panel = read_panel(frame, time="t", series="s", values=["x"])
    assert (panel.starts % DAY // HOUR).tolist() == [0, 1, 6]


def test_gaps_are_filled_in_across_the_change():
    times = localized(pd.date_range("2024-04-20", periods=12), "Africa/Cairo")
    panel = panel_of(times.gather([0, 1, 2, 3, 4, 5, 6, 8, 9, 11]), fill="forward")
    assert panel.axis.stamps(panel.starts + np.arange(12) * panel.axis.step).to_list() == times.to_list()
    twelve = localized(pd.date_range("2024-04-20", periods=24, freq="12h"), "Africa/Cairo")
    assert panel_of(twelve.filter(pl.Series(range(24)) != 20), fill="linear").rows == 24


def test_to_local_and_back():
    rng = np.random.default_rng(0)
    local = rng.integers(0, 2 * 10**15, 2000)
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"):
        expected = pd.DatetimeIndex(local.astype("datetime64[us]")).tz_localize(
            zone, nonexistent="shift_forward", ambiguous=np.ones(len(local), bool)
        )
        instants = to_instants(local, zone)
        assert (instants == expected.tz_convert("UTC").tz_localize(None).astype("datetime64[us]").asi8).all()
        there = to_local(instants, zone)
        assert ((there == local) | (there > local)).all()
