"""The simple methods do as their papers say, learn nothing from what they are to forecast, and have fair intervals."""

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.data import Panel, TimeAxis
from sluicegate.tasks.forecast.simple.calendar import CalendarAverage
from sluicegate.tasks.forecast.simple.history import History
from sluicegate.tasks.forecast.simple.intermittent import Rate, croston_sba, tsb
from sluicegate.tasks.forecast.simple.intervals import WithIntervals
from sluicegate.tasks.forecast.simple.naive import RecentMean, SeasonalNaive, running_sums

QUANTILES = (0.1, 0.5, 0.9)
DAY = 86_400_000_000


def history(*series, before=None, horizon=4, axis=None):
    """A table of these series, of which all but the last rows may be learnt from."""
    axis = axis or TimeAxis("integer", 1)
    bounds = np.cumsum([0, *map(len, series)])
    panel = Panel(
        axis,
        tuple(range(len(series))),
        bounds,
        np.zeros(len(series), np.int64),
        {"y": np.concatenate(series).astype(np.float64)},
        {},
    )
    ends = bounds[1:] if before is None else bounds[:-1] + before
    return History(panel, "y", ends, horizon)


def at(*rows):
    return np.zeros(len(rows), np.int64), np.array(rows)


# Values repeated, and their means


def test_a_season_is_repeated_and_a_young_series_repeats_its_last_value():
    method = SeasonalNaive(history([1, 2, 3, 4, 5, 6]), 3)
    assert method(*at(6, 5, 2)).tolist() == [[4, 5, 6, 4], [3, 4, 5, 3], [2, 1, 2, 2]]


def test_means_are_of_the_rows_before_the_forecast_and_of_their_series_alone():
    given = history([1, 2, 3, 10], [100, 104, 108])
    sums = running_sums(given)
    series, origins = np.array([0, 0, 1]), np.array([4, 2, 6])
    assert RecentMean(given, sums, None)(series, origins)[:, 0].tolist() == [4, 1.5, 102]
    assert RecentMean(given, sums, 2)(series, origins)[:, 0].tolist() == [6.5, 1.5, 102]


def test_a_mean_of_large_values_keeps_their_small_swing():
    values = 1e12 + np.random.default_rng(0).normal(size=5000)
    method = RecentMean(history(values), running_sums(history(values)), 7)
    assert method(*at(5000))[0, 0] - 1e12 == pytest.approx((values[-7:] - 1e12).mean(), abs=1e-3)


# The average by calendar


def harmonics(t, period, weights):
    columns = [f(2 * np.pi * k * t / period) for k in (1, 2) for f in (np.sin, np.cos)]
    return np.stack(columns, -1) @ weights


def test_the_calendar_average_finds_the_year_and_how_errors_fade():
    """With the year's course and the coefficient by which the values were made, a forecast is what theory says."""
    rng = np.random.default_rng(0)
    t = np.arange(6 * 365)
    year = harmonics(t, 365.2425, np.array([3.0, -8.0, 1.0, 0.5]))
    error = np.zeros(len(t))
    for i in range(1, len(t)):
        error[i] = 0.7 * error[i - 1] + rng.normal()
    axis = TimeAxis("clock", DAY, unit="date")
    given = history(50 + year + error, before=5 * 365, horizon=10, axis=axis)
    method = CalendarAverage(given, [7])
    assert len(method.periods) == 1
    origins = np.arange(5 * 365, 6 * 365 - 10)
    said = method(np.zeros_like(origins), origins)
    ahead = origins[:, None] + np.arange(10)
    theory = 50 + year[ahead] + 0.7 ** np.arange(1, 11) * error[origins - 1][:, None]
    assert np.abs(said - theory).mean() < 0.3  # of noise of 1 a step, 1.4 in all


def test_the_calendar_average_has_the_months_of_a_year_and_the_seasons_of_whole_numbers():
    months = np.tile([5.0, 9, 1, 7, 3, 8, 2, 6, 4, 9, 0, 5], 6)
    axis = TimeAxis("month", 1, unit="date")
    method = CalendarAverage(history(months, before=60, horizon=12, axis=axis), [12])
    assert np.abs(method(*at(60))[0] - months[60:]).max() < 0.7  # months are not equally long
    five = np.tile([1.0, 5, 2, 8, 3], 20)
    method = CalendarAverage(history(five, before=80, horizon=5), [5])
    np.testing.assert_allclose(method(*at(80))[0], five[80:85], atol=1e-9)


def test_a_constant_series_has_its_value_as_average():
    for level in (0.0, 7.0, -1e9):
        method = CalendarAverage(history(np.full(50, level)), [7])
        assert (method(*at(50)) == level).all()


# Intermittent demand


def test_croston_and_tsb_against_their_equations_step_by_step():
    rng = np.random.default_rng(1)
    values = (rng.random(200) < 0.3) * rng.poisson(5, 200).astype(float)
    values[0] = 0
    size = interval = chance = None
    gap = 1
    rates = [], []
    for number, value in enumerate(values):
        if value:
            if size is None:
                size, interval, chance = value, gap, 1 / (number + 1)
            else:
                size, interval = size + 0.1 * (value - size), interval + 0.1 * (gap - interval)
                chance += 0.1 * (1 - chance)
            gap = 1
        else:
            gap += 1
            if chance is not None:
                chance *= 0.9
        rates[0].append(0.0 if size is None else 0.95 * size / interval)
        rates[1].append(0.0 if size is None else size * chance)
    np.testing.assert_allclose(croston_sba(values), rates[0])
    np.testing.assert_allclose(tsb(values), rates[1])
    assert croston_sba(np.zeros(5)).tolist() == tsb(np.zeros(5)).tolist() == [0.0] * 5


def test_the_rate_of_steady_demand_is_its_mean():
    rng = np.random.default_rng(0)
    values = (rng.random(5000) < 0.2) * rng.poisson(5, 5000)
    for rates in (croston_sba, tsb):
        said = Rate(history(values), rates)(np.zeros(4000, np.int64), np.arange(1000, 5000))
        assert said.mean() == pytest.approx(values.mean(), rel=0.05)


def test_intermittent_is_what_syntetos_and_boylan_call_so():
    rng = np.random.default_rng(0)
    often, seldom, negative = (rng.random(1000) < 0.9) * 3.0, (rng.random(1000) < 0.5) * 3.0, rng.normal(size=1000)
    assert history(often, seldom, negative, np.zeros(9)).intermittent().tolist() == [False, True, False, False]


# Intervals


def test_intervals_hold_what_they_say_on_rows_that_come_later():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=4000).cumsum()
    given = history(walk, before=2000)
    origins = np.arange(2000, 3996)
    mean, spread = WithIntervals(SeasonalNaive(given, 1), given, QUANTILES)(np.zeros_like(origins), origins)
    truth = walk[origins[:, None] + np.arange(4)]
    inside = ((truth >= spread[..., 0]) & (truth <= spread[..., 2])).mean(0)
    assert (np.abs(inside - 0.8) < 0.06).all()
    assert (spread[..., 1] == mean).all()
    assert (np.diff(spread, axis=-1) >= 0).all()


def test_short_series_share_their_errors_in_units_of_their_deviation():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=40) * 10.0**i for i in range(4)]
    given = history(*series, before=30)
    series, origins = np.arange(4), given.ends
    mean, spread = WithIntervals(RecentMean(given, running_sums(given), None), given, QUANTILES)(series, origins)
    width = (spread[..., 2] - spread[..., 0])[:, 0] / 10.0 ** np.arange(4)
    assert ((width > 1.5) & (width < 3.5)).all()
    assert mean.shape == (4, 4)


def test_with_rows_for_no_window_the_interval_is_that_of_a_draw():
    given = history(np.array([-1.0, 1, -1, 1]), before=4, horizon=4)
    _, spread = WithIntervals(SeasonalNaive(given, 2), given, QUANTILES)(*at(4))
    assert (spread[0, :, 2] - spread[0, :, 0]).tolist() == pytest.approx([2.563] * 4, abs=1e-3)


def test_nothing_negative_where_values_never_were_and_zero_is_the_median_of_seldom_demand():
    rng = np.random.default_rng(0)
    seldom = (rng.random(6000) < 0.2) * rng.poisson(6, 6000)
    given = history(seldom, before=3000)
    origins = np.arange(3000, 5996)
    mean, spread = WithIntervals(Rate(given, tsb), given, QUANTILES)(np.zeros_like(origins), origins)
    assert (spread >= 0).all()
    assert (mean > 0).all()
    assert np.median(spread[..., 1]) < 0.2
    truth = seldom[origins[:, None] + np.arange(4)]
    assert ((truth >= spread[..., 0]) & (truth <= spread[..., 2])).mean() > 0.75


# All of them, beside a model


@pytest.fixture(scope="module")
def hours():
    """Six weeks of hours whose days and weeks repeat, and a model of the first five."""
    t = np.arange(24 * 42)
    rng = np.random.default_rng(0)
    y = 20 + 5 * np.sin(2 * np.pi * t / 24) + 6 * (t // 24 % 7 > 4) + rng.normal(size=len(t))
    time = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 2, 11, 23), interval="1h", eager=True)
    table = pl.DataFrame({"time": time, "y": y})
    task = sluicegate.Forecaster(12, context=48, steps=2, hidden=8, batch=8)
    return table, task.fit(table[: 24 * 35], time="time", target="y")


def test_every_season_of_the_calendar_stands_beside(hours):
    table, task = hours
    report = task.evaluate(table, baselines=())
    names = ["last_value", "history_mean", "season_mean", "seasonal_naive", "seasonal_naive_168"]
    assert list(report.baselines) == [*names, "calendar_average", "linear_map"]
    y = table["y"].to_numpy()
    origins = np.arange(24 * 35, 24 * 42 - 11)
    rows = origins[:, None] + np.arange(12)
    by_hand = {
        "last_value": y[origins - 1][:, None],
        "season_mean": np.array([y[o - 24 : o].mean() for o in origins])[:, None],
        "seasonal_naive": y[rows - 24],
        "seasonal_naive_168": y[rows - 168],
    }
    for name, said in by_hand.items():
        assert report.baselines[name]["mae"] == pytest.approx(np.abs(y[rows] - said).mean())
    assert report.baselines["calendar_average"]["mae"] < 0.95 * report.baselines["seasonal_naive_168"]["mae"]
    for name in report.baselines:
        assert any(name.replace("_", " ") == fact for fact in report.facts)
        assert 0.6 < report.baselines[name]["coverage_80"] < 0.95


def test_what_comes_later_cannot_be_felt(hours):
    """Forecasts of the first windows stay as they are whatever the rows after them hold."""
    table, task = hours
    wild = table.with_columns(y=pl.when(pl.int_range(pl.len()) < 24 * 37).then("y").otherwise(900.0))
    first, second = (
        task.evaluate(rows[: 24 * 35 + 12].vstack(rest), start="2024-02-05", baselines=(), stride=10_000)
        for rows, rest in ((table, table[24 * 35 + 12 :]), (wild, wild[24 * 35 + 12 :]))
    )
    assert first.facts["windows"] == second.facts["windows"] == "1"
    assert first.baselines == second.baselines


def test_the_linear_map_is_saved_and_absent_from_older_models(hours, tmp_path):
    table, task = hours
    task.save(tmp_path / "model")
    loaded = sluicegate.load(tmp_path / "model")
    report = loaded.evaluate(table, baselines=())
    assert report.baselines == task.evaluate(table, baselines=()).baselines
    object.__setattr__(loaded._trained, "linear", None)  # as a model is that did not keep it
    loaded.save(tmp_path / "older")
    assert "linear_map" not in sluicegate.load(tmp_path / "older").evaluate(table, baselines=()).baselines


def test_croston_stands_beside_seldom_demand():
    rng = np.random.default_rng(0)
    frames = [
        pl.DataFrame({"day": range(200), "item": f"i{i}", "y": (rng.random(200) < 0.2) * rng.poisson(5, 200) * 1.0})
        for i in range(3)
    ]
    table = pl.concat(frames)
    task = sluicegate.Forecaster(7, context=28, steps=2, hidden=8, batch=8, season=7)
    report = task.fit(table.filter(pl.col("day") < 170), time="day", target="y", series="item").evaluate(
        table, baselines=()
    )
    assert {"croston_sba", "tsb"} < report.baselines.keys()
    assert report.baselines["croston_sba"]["rmse"] < report.baselines["last_value"]["rmse"]
