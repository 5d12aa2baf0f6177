"""With `fill="zero"` a row that is not there says 0: the same sales get the same figures in both forms."""

import numpy as np
import polars as pl
import pytest

import sluicegate

DAYS, ITEMS, TRAINED = 160, 4, 130


@pytest.fixture(scope="module")
def sales():
    """Demand on one day in four, with a row for every day; some items sell nothing at the end."""
    frames = []
    for i in range(ITEMS):
        rng = np.random.default_rng(i)
        units = (rng.random(DAYS) < 0.25) * (1.0 + rng.poisson(5, DAYS))
        units[0] = 1
        if i == 1:
            units[TRAINED - 9 :] = 0
        if i == 2:
            units[[TRAINED - 1, TRAINED, DAYS - 1]] = 1  # some item sells on each of the days on which tables are cut
        frames.append(pl.DataFrame({"day": range(DAYS), "sku": f"k{i}", "units": units}))
    return pl.concat(frames)


def fit(table, fill, **more):
    task = sluicegate.Forecaster(7, context=28, steps=3, hidden=8, batch=16, season=7, fill=fill)
    return task.fit(table, time="day", target="units", series="sku", **more)


@pytest.fixture(scope="module")
def both(sales):
    """The task of each form, and how its table is cut."""
    dense, sparse = sales, sales.filter(pl.col("units") > 0)
    before = pl.col("day") < TRAINED
    return (fit(dense.filter(before), None), dense), (fit(sparse.filter(before), "zero"), sparse)


def test_both_forms_have_the_same_figures_and_verdicts(both):
    (one, dense), (two, sparse) = both
    assert one.report.metrics == two.report.metrics
    assert one.report.verdict == two.report.verdict
    first, second = one.evaluate(dense, baselines=()), two.evaluate(sparse, baselines=())
    assert (first.metrics, first.baselines, first.verdict) == (second.metrics, second.baselines, second.verdict)
    assert first.notes == second.notes
    assert "say 0, and are scored" in second.facts["rows of zero"]
    assert "rows of zero" not in first.facts


def test_a_series_that_sells_no_more_is_forecast_from_the_tables_last_row(both):
    (one, dense), (two, sparse) = both
    recent = pl.col("day") >= DAYS - 60
    first, second = one.predict(dense.filter(recent)), two.predict(sparse.filter(recent))
    assert second["time"].unique().sort().to_list() == list(range(DAYS, DAYS + 7))
    np.testing.assert_array_equal(
        first.filter(pl.col("series") != "k1")["mean"], second.filter(pl.col("series") != "k1")["mean"]
    )
    assert not two.notes  # items that were there in training are no shorter for having sold nothing at first


def test_validation_rows_may_begin_with_days_without_sales(sales):
    sparse = sales.filter(pl.col("units") > 0)
    later = sparse.filter((pl.col("day") >= TRAINED) & ~((pl.col("sku") == "k0") & (pl.col("day") < TRAINED + 5)))
    task = fit(sparse.filter(pl.col("day") < TRAINED), "zero", validation=later)
    assert task.report.facts["evaluated"] == f"{TRAINED} to {later['day'].max()}"
