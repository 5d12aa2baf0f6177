"""Demand that is mostly zero, counts and heavy tails: the mean adds up, quantiles are values that there are."""

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.tasks.forecast.gain import _drift, _ratios

DAYS, HORIZON = 160, 7
QUICK = {"context": 16, "steps": 40, "hidden": 8, "batch": 64, "season": 1}


def bursts(rng):
    return (rng.random(DAYS) < 0.15) * (1 + rng.poisson(3, DAYS))


def amounts(rng):
    return (rng.random(DAYS) < 0.5) * np.exp(3 + rng.normal(size=DAYS))


def tails(rng):
    return np.exp(3 + rng.normal(size=DAYS)) * np.linspace(1, 4, DAYS)


def table(make, series=24):
    parts = [
        pl.DataFrame({"day": range(DAYS), "item": f"k{i}", "y": make(np.random.default_rng(i)) * 1.0})
        for i in range(series)
    ]
    return pl.concat(parts)


@pytest.fixture(scope="module", params=[bursts, amounts, tails], ids=lambda make: make.__name__)
def case(request):
    data = table(request.param)
    task = sluicegate.Forecaster(HORIZON, **QUICK).fit(data, time="day", target="y", series="item")
    said = pl.concat(
        [task.predict(data.filter(pl.col("day") < day)) for day in range(20, DAYS - HORIZON + 1, 2 * HORIZON)]
    )
    return task, said.join(data, left_on=["series", "time"], right_on=["item", "day"])


def test_the_mean_adds_up(case):
    _, said = case
    assert said["mean"].mean() == pytest.approx(said["y"].mean(), rel=0.08)


def test_nothing_is_below_zero_and_the_interval_holds_its_share(case):
    task, said = case
    assert said.select("mean", "q10", "q50", "q90").to_numpy().min() >= 0
    below, above = ((said["y"] < said["q10"]).mean(), (said["y"] > said["q90"]).mean())
    assert below <= 0.13
    assert 0.04 <= above <= 0.14
    assert task.report.metrics["coverage_80"] == pytest.approx(0.8, abs=0.05)


def test_zeros_lie_within_the_interval_that_ends_there(case):
    _, said = case
    zeros = said.filter(y=0.0)
    if len(zeros) > 0.2 * len(said):
        assert (zeros["q10"] == 0).mean() > 0.98


def test_quantiles_of_counts_are_counts(case):
    _, said = case
    if (said["y"] == said["y"].round()).all():
        quantiles = said.select("q10", "q50", "q90").to_numpy()
        np.testing.assert_array_equal(quantiles, quantiles.round())


def test_saved_and_loaded_it_says_the_same(case, tmp_path):
    task, _ = case
    task.save(tmp_path / "model")
    assert sluicegate.load(tmp_path / "model").predict().equals(task.predict())


# By how much the mean is multiplied


def ratios(said, came, series, deviation=None):
    count = max(series) + 1
    deviation = np.ones(count) if deviation is None else np.array(deviation, float)
    return _ratios(np.array([said, came], float), np.array(series), deviation, np.ones(count, bool))


def test_one_factor_where_ratios_differ_by_chance_alone():
    rng = np.random.default_rng(0)
    came = rng.exponential(2.0, 900) * 1.2
    found = ratios(np.full(900, 2.0), came, np.repeat(np.arange(30), 30))
    np.testing.assert_allclose(found, came.mean() / 2, rtol=0.06)


def test_factors_of_their_own_where_ratios_differ_by_more():
    came = np.concatenate([np.full(50, 1.5), np.full(50, 0.8)]) + 0.01 * np.random.default_rng(0).normal(size=100)
    found = ratios(np.ones(100), came, np.repeat([0, 1], 50))
    # Of 50 windows beside 10 in doubt, five sixths of the difference; of 100 beside 10, ten elevenths of the level.
    np.testing.assert_allclose(found, 1 + (np.array([1.44167, 0.85833]) - 1) * 10 / 11, atol=0.01)


def test_few_windows_say_little():
    one, all_ten = ratios([1.0], [2.0], [0]), ratios(np.ones(10), np.full(10, 1.5), np.zeros(10, int))
    np.testing.assert_allclose((one, all_ten), [[1 + 1 / 11], [1.25]])


def test_series_count_alike_whatever_their_size():
    rng = np.random.default_rng(0)
    came = np.concatenate([rng.exponential(1.0, 400), 1000 * rng.exponential(1.0, 400)])
    said = np.concatenate([np.full(400, 1.0), np.full(400, 1000.0)])
    found = ratios(said, came, np.repeat([0, 1], 400), [1.0, 1000.0])
    np.testing.assert_allclose(found.mean(), (came / said).mean(), rtol=0.01)


def test_the_factor_rises_with_the_size_where_ratios_do():
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(0, 1, 60))
    series = np.repeat(np.arange(60), 30)
    truth = 1 + 0.2 * np.log(sizes)
    came = sizes[series] * truth[series] * rng.exponential(1.0, 1800)
    found = ratios(sizes[series], came, series, sizes)
    # The sum in units comes out right too, which one factor for all would miss by a tenth.
    np.testing.assert_allclose(np.average(found, weights=sizes), came.sum() / sizes[series].sum(), rtol=0.02)
    assert np.polyfit(np.log(sizes), found, 1)[0] == pytest.approx(0.2, abs=0.05)
    # Of ratios that do not, chance makes no more than the common factor.
    level = ratios(sizes[series], sizes[series] * rng.exponential(1.0, 1800), series, sizes)
    assert np.ptp(level) < 1e-12


def test_what_was_never_above_zero_or_forecast_to_be_has_the_common_factor():
    assert ratios([0, 0], [0, 0], [0, 1]).tolist() == [1, 1]
    assert np.isfinite(ratios([0.0, 1, 1, 1], [1.0, 1, 1, 1], [0, 1, 1, 1])).all()


def test_factors_are_kept_within_bounds():
    assert ratios(np.ones(50), np.full(50, 9.0), np.zeros(50, int)).tolist() == [2.0]


# How that goes on


def drift(ratio, rng, series=50, noise=1.0):
    """Of so many series with these ratios, window by window, and errors of the size of Poisson's."""
    said = rng.uniform(3, 9, (series, len(ratio)))
    came = said * ratio + noise * np.sqrt(said) * rng.normal(size=said.shape)
    ages = np.tile(14 * np.arange(len(ratio), 0, -1), series)
    return _drift(np.stack([said.ravel(), came.ravel()]), ages)


def test_a_ratio_that_rises_goes_on_rising():
    # From .9 to 1.1 in twenty windows, on the whole 1: at the next it is 1.11.
    found = drift(np.linspace(0.9, 1.1, 20), np.random.default_rng(0), series=800)
    np.testing.assert_allclose(found, 1.11, atol=0.02)
    falling = drift(np.linspace(1.1, 0.9, 20), np.random.default_rng(0), series=800)
    np.testing.assert_allclose(falling, 0.89, atol=0.02)


def test_a_ratio_that_only_wanders_does_not():
    found = np.array([drift(np.ones(20), np.random.default_rng(seed)) for seed in range(200)])
    assert (found == 1).mean() > 0.75
    assert abs(found.mean() - 1) < 0.003


def test_errors_that_follow_each_other_are_no_trend():
    def wandering(seed):
        rng = np.random.default_rng(seed)
        walk = np.zeros(30)
        for t in range(1, 30):
            walk[t] = 0.8 * walk[t - 1] + 0.05 * rng.normal()
        return drift(1 + walk, rng, noise=0.1)

    assert (np.array([wandering(seed) for seed in range(200)]) == 1).mean() > 0.5


def test_few_windows_have_no_trend():
    assert drift(np.linspace(0.9, 1.1, 7), np.random.default_rng(0), noise=0.0) == 1
    assert drift(np.ones(9), np.random.default_rng(0), noise=0.0) == 1


def test_the_mean_is_multiplied_by_both(monkeypatch):
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"t": range(200), "y": rng.poisson(3.0, 200) * 1.0})

    def mean_with(factor):
        monkeypatch.setattr("sluicegate.tasks.forecast.gain._drift", lambda *_: factor)
        task = sluicegate.Forecaster(horizon=4, context=16, steps=5, hidden=4).fit(table, time="t", target="y")
        return task.predict()["mean"].to_numpy()

    np.testing.assert_allclose(mean_with(1.25), 1.25 * mean_with(1.0), rtol=1e-5)
