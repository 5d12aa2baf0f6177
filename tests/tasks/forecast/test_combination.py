"""Series that do what they did a season ago are forecast so, and the others by the network."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from sluicegate import Forecaster, load
from sluicegate.data import read_panel
from sluicegate.runtime.forecast.answers import combined
from sluicegate.tasks.forecast.forecasting import forecast_next

DAYS, WEEK = 490, 7
REPEATING, NOISY = [f"repeats{i}" for i in range(8)], [f"noise{i}" for i in range(8)]


def series(name, rng):
    if name in REPEATING:  # each week is the last one, but for a little
        weeks = np.cumsum(rng.normal(0, 0.3, (DAYS // WEEK, WEEK)), axis=0) + 3 * rng.normal(size=WEEK)
        values = weeks.reshape(-1)
    else:
        values = rng.normal(size=DAYS)
    return pl.DataFrame({"day": range(DAYS), "name": name, "y": values})


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    table = pl.concat([series(name, rng) for name in REPEATING + NOISY])
    task = Forecaster(WEEK, context=28, season=WEEK, steps=60, hidden=8, batch=64)
    return task.fit(table, time="day", target="y", series="name")


def shares_of(task, names):
    trained = task._trained
    return trained.naive_share[[trained.names.index(name) for name in names], 0]


def test_each_series_is_drawn_as_far_as_its_rows_say(task):
    repeating, noisy = shares_of(task, REPEATING), shares_of(task, NOISY)
    assert repeating.min() > 0.8
    assert noisy.max() < 0.6
    assert noisy.mean() < 0.4


def test_a_series_that_is_drawn_all_the_way_repeats_its_last_season(task):
    trained = task._trained
    table = series(REPEATING[0], np.random.default_rng(2))
    last = table["y"].to_numpy()[-WEEK:]
    plain = replace(trained, naive_share=np.zeros_like(trained.naive_share))
    drawn = replace(trained, naive_share=np.ones_like(trained.naive_share))
    panel = read_panel(table, time="day", values=("y",), series="name")
    said = [forecast_next(one, panel, None)[0] for one in (plain, drawn)]
    for column in ("mean", "q50"):
        np.testing.assert_allclose(said[1][column], last, atol=1e-4)
        assert np.abs(said[0][column].to_numpy() - last).max() > 0.01


def test_small_counts_are_left_to_the_network():
    rng = np.random.default_rng(0)
    parts = [
        pl.DataFrame({"day": range(DAYS), "name": name, "y": 1.0 * rng.poisson(2, DAYS)})
        if name in NOISY
        else series(name, rng)
        for name in REPEATING + NOISY
    ]
    task = Forecaster(WEEK, context=28, season=WEEK, steps=10, hidden=8, batch=64)
    task.fit(pl.concat(parts), time="day", target="y", series="name")
    assert (shares_of(task, NOISY) == 0).all()
    assert shares_of(task, REPEATING).min() > 0.8


def test_the_shares_are_saved(task, tmp_path):
    task.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again._trained.naive_share == task._trained.naive_share).all()
    assert again.predict().equals(task.predict())


def test_a_new_series_is_drawn_as_far_as_is_usual_and_small_counts_are_not(task):
    rng = np.random.default_rng(1)
    counts = pl.DataFrame({"day": range(DAYS), "name": "counts", "y": 1.0 * rng.poisson(2, DAYS)})
    table = pl.concat([series("new", rng), counts])
    panel = read_panel(table, time="day", values=("y",), series="name")
    trained = task._trained
    including, ids = trained.including(panel)
    assert (including.naive_share[ids[0]] == np.median(trained.naive_share, axis=0)).all()
    assert (including.naive_share[ids[1]] == 0).all()
    assert len(task.predict(table)) == 2 * WEEK


def test_the_interval_moves_with_its_median():
    rng = np.random.default_rng(0)
    outputs, repeated = rng.normal(size=(3, 5, 4)), rng.normal(size=(3, 5))
    unchanged = combined(outputs, repeated, np.zeros((3, 2)), 2)
    assert (unchanged == outputs).all()
    drawn = combined(outputs, repeated, np.tile([1.0, 0.5], (3, 1)), 2)
    np.testing.assert_allclose(drawn[..., 0], repeated)
    np.testing.assert_allclose(drawn[..., 2], (outputs[..., 2] + repeated) / 2)
    np.testing.assert_allclose(np.diff(drawn[..., 1:]), np.diff(outputs[..., 1:]))
