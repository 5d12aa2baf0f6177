"""The verdict holds the model against the best simple method, and takes the simpler one within noise."""

import numpy as np
import polars as pl
import pytest

import sluicegate
from sluicegate.data import Panel, TimeAxis, Windows
from sluicegate.metrics import WindowLosses
from sluicegate.tasks.forecast.contest import Contest, Standing
from sluicegate.tasks.forecast.verdict import verdict

METRICS = {
    "model": {"mae": 2.94, "wql": 0.5},
    "seasonal_naive": {"mae": 4.12, "wql": 0.9},
    "calendar_average": {"mae": 3.0, "wql": 0.4},
}


def standing(p, windows=0.57, series=1, of=1):
    return Standing(windows, series, of, p, "")


def test_the_best_simple_method_is_the_one_compared_with():
    assert verdict(METRICS, "mae", 338, standing(0.4), 1) == (
        "Use the calendar average, the simpler: the model's mean absolute error, 2.940, is 2 % below its 3.000, on the "
        "same 338 windows, within noise (p = 0.4); the model is better on 57 % of them."
    )
    assert verdict(METRICS, "mae", 338, standing(0.01, 0.6, 30, 40), 40) == (
        "Use the model: its mean absolute error, 2.940, is 2 % below that of the calendar average, the best simple "
        "method, 3.000, on the same 338 windows, by more than noise (p = 0.01); the model is better on 60 % of them "
        "and in 30 of 40 series."
    )
    assert verdict(METRICS, "wql", 9, standing(1e-5), 1).startswith(
        "Use the calendar average: its weighted quantile loss, 0.4000, is 20 % below the model's, 0.5000, on the same "
        "9 windows, by more than noise (p < 0.001)"
    )
    assert "too few windows lie apart to tell" in verdict(METRICS, "mae", 2, standing(float("nan")), 1)
    same = {"model": {"mae": 1.0}, "last_value": {"mae": 1.0}}
    assert verdict(same, "mae", 9, standing(1.0), 1).startswith("Use the last value, the simpler: the model's mean abs")


def contest(counts, horizon, differences, stride=1, metric="mae"):
    """A contest of a model that loses what is given more than a method, window by window of each series."""
    counts = np.array(counts)
    lengths = counts * stride + horizon
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    panel = Panel(TimeAxis("integer", 1), tuple(range(len(counts))), bounds, np.zeros(len(counts), np.int64), {}, {})
    windows = Windows(bounds[:-1], counts, stride)
    held = Contest(panel, windows, horizon, rows=len(counts), targets=1, metric=metric)
    for numbers in np.array_split(np.arange(len(windows)), 3):
        series, origins = windows.locate(numbers)
        zero, ones = np.zeros(len(numbers)), np.full(len(numbers), float(horizon))
        losses = {
            "model": WindowLosses(ones, differences[numbers], differences[numbers], zero, zero),
            "last_value": WindowLosses(ones, zero, zero, zero, zero),
        }
        held.add(series, origins, series, losses)
    return held.standing("last_value")


def test_a_contest_counts_windows_and_series():
    differences = np.array([-1.0, -1, -1, 0, 2, 2, 2, -1])
    found = contest([4, 4], 2, differences)
    assert found.windows == pytest.approx(4.5 / 8)
    assert (found.series, found.of) == (1, 2)


def test_a_series_that_stood_still_has_no_scaled_error_and_says_nothing():
    differences = np.array([-1.0, 1, -1, -1, np.nan, np.nan, np.nan, np.nan])
    found = contest([4, 4], 2, differences, metric="mase")
    assert found.windows == pytest.approx(3 / 4)
    assert (found.series, found.of) == (1, 1)


def test_time_decides_where_it_is_long_and_series_where_it_is_short():
    rng = np.random.default_rng(0)
    assert "Diebold and Mariano's over 300 origins, of which 5" in contest([300], 5, rng.normal(size=300)).test
    shared = np.tile(np.convolve(rng.normal(size=304), np.ones(5) / 5, "valid"), 20)
    # Twenty series that move together prove no more than one of them.
    assert contest([300] * 20, 5, shared).p == pytest.approx(contest([300], 5, shared[:300]).p)
    alone = contest([1] * 40, 48, rng.normal(-1, 1, 40))
    assert alone.test == "a t-test over 40 series"
    assert alone.p < 0.001
    assert np.isnan(contest([3], 48, np.ones(3)).p)


def test_very_many_origins_are_taken_together():
    rng = np.random.default_rng(0)
    found = contest([50_000], 20, rng.normal(size=50_000))
    assert found.test == "Diebold and Mariano's over 12,500 origins, of which 5 overlap"
    assert found.p > 0.001


def demand(share, series=4, rows=300):
    rng = np.random.default_rng(0)
    frames = [
        pl.DataFrame(
            {"day": range(rows), "item": f"i{i}", "y": (rng.random(rows) < share) * (1.0 + rng.poisson(4, rows))}
        )
        for i in range(series)
    ]
    return pl.concat(frames)


def test_series_of_different_sizes_count_alike():
    rng = np.random.default_rng(0)
    sizes = [1.0, 1.0, 1000.0]
    table = pl.concat(
        [
            pl.DataFrame({"day": range(200), "item": f"i{i}", "y": size * rng.normal(5, 1, 200)})
            for i, size in enumerate(sizes)
        ]
    )
    task = sluicegate.Forecaster(7, context=28, steps=2, hidden=8, batch=8, season=7)
    task.fit(table.filter(pl.col("day") < 160), time="day", target="y", series="item")
    report = task.evaluate(table, baselines=())
    assert "mean absolute scaled error" in report.verdict
    assert report.details["best"] == min(report.baselines, key=lambda name: report.baselines[name]["mase"])
    alone = task.evaluate(table.filter(item="i0"), baselines=())
    assert "mean absolute error" in alone.verdict


@pytest.mark.parametrize(
    ("share", "measure"),
    [(0.9, "mean absolute scaled error"), (0.3, "weighted quantile loss"), (0.05, "root mean squared error")],
)
def test_demand_that_is_mostly_zero_is_not_judged_by_what_zero_wins(share, measure):
    table = demand(share)
    task = sluicegate.Forecaster(7, context=28, steps=2, hidden=8, batch=8, season=7)
    report = task.fit(table.filter(pl.col("day") < 240), time="day", target="y", series="item").evaluate(
        table, baselines=()
    )
    assert measure in report.verdict
    assert any("nothing but zero" in note and measure in note for note in report.notes) == (share < 0.5)
    assert "test of noise" in report.facts
