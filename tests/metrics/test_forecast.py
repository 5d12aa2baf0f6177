"""The forecast's metrics equal their definitions, and those of the field's own package where it has them."""

import numpy as np
import polars as pl
import pytest

from sluicegate.metrics import METRICS, ForecastScores, owa, seasonal_scale

QUANTILES = (0.1, 0.25, 0.5, 0.9)


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 3, (40, 6))
    spread = np.sort(rng.normal(5, 3, (40, 6, len(QUANTILES))), axis=-1)
    return {
        "series": rng.integers(0, 4, 40),
        "truth": truth,
        "mean": truth + rng.normal(0, 1, truth.shape),
        "quantiles": spread,
        "scale": np.array([1.0, 2.0, 0.5, 3.0]),
        "deviation": np.array([2.0, 1.0, 4.0, 0.3]),
    }


def score(case, scored=None, parts=1):
    scores = ForecastScores(QUANTILES, case["scale"], case["deviation"], 6)
    for rows in np.array_split(np.arange(40), parts):
        some = None if scored is None else scored[rows]
        scores.add(case["series"][rows], case["truth"][rows], case["mean"][rows], case["quantiles"][rows], some)
    return scores


def test_equal_to_the_definitions(case):
    y, f, q = case["truth"], case["mean"], case["quantiles"]
    m = q[..., 2]
    d, s = case["deviation"][case["series"]][:, None], case["scale"][case["series"]][:, None]
    pinball = sum(np.maximum(t * (y - q[..., i]), (t - 1) * (y - q[..., i])).sum() for i, t in enumerate(QUANTILES))
    expected = {
        "mae": np.abs(y - m).mean(),
        "rmse": np.sqrt(((y - f) ** 2).mean()),
        "smape": (200 * np.abs(y - m) / (np.abs(y) + np.abs(m))).mean(),
        "mase": (np.abs(y - m) / s).mean(),
        "wql": 2 * pinball / len(QUANTILES) / np.abs(y).sum(),
        "coverage_80": ((y >= q[..., 0]) & (y <= q[..., 3])).mean(),
        "mse_scaled": (((y - f) / d) ** 2).mean(),
        "mae_scaled": (np.abs(y - m) / d).mean(),
    }
    found = score(case).metrics()
    assert tuple(found) == METRICS
    assert found == pytest.approx(expected, rel=1e-12)


def test_batches_do_not_matter(case):
    assert score(case, parts=7).metrics() == pytest.approx(score(case).metrics(), rel=1e-12)


def test_equal_to_utilsforecast(case):
    losses = pytest.importorskip("utilsforecast.losses", reason="the extra `baselines` is not installed")
    steps = 6
    table = pl.DataFrame(
        {
            "unique_id": np.repeat(np.arange(40), steps),
            "y": case["truth"].reshape(-1),
            "mean": case["mean"].reshape(-1),
            "median": case["quantiles"][..., 2].reshape(-1),
            "low": case["quantiles"][..., 0].reshape(-1),
            "high": case["quantiles"][..., 3].reshape(-1),
        }
    )
    found = score(case).metrics()
    assert losses.mae(table, models=["median"])["median"].mean() == pytest.approx(found["mae"])
    assert losses.mse(table, models=["mean"])["mean"].mean() == pytest.approx(found["rmse"] ** 2)
    # The package's sMAPE runs from 0 to 1.
    assert 200 * losses.smape(table, models=["median"])["median"].mean() == pytest.approx(found["smape"])


def test_values_that_do_not_count(case):
    scored = np.ones((40, 6), bool)
    scored[:20] = False
    half = score({**case, "truth": np.where(scored, case["truth"], 1e9)}, scored)
    rest = {name: value[20:] if len(value) == 40 else value for name, value in case.items()}
    scores = ForecastScores(QUANTILES, case["scale"], case["deviation"], 6)
    scores.add(rest["series"], rest["truth"], rest["mean"], rest["quantiles"])
    assert half.metrics() == pytest.approx(scores.metrics())


def test_constant_series_have_no_scaled_error(case):
    case["deviation"][:] = [0.0, 1.0, 1.0, 1.0]
    moving = case["series"] != 0
    expected = ((case["truth"] - case["mean"])[moving] ** 2).mean()
    assert score(case).metrics()["mse_scaled"] == pytest.approx(expected)


def test_zero_forecast_of_zero_is_right():
    scores = ForecastScores((0.1, 0.5, 0.9), np.ones(1), np.ones(1), 2)
    scores.add(np.zeros(1, np.int64), np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2, 3)))
    assert scores.metrics()["smape"] == 0


def test_errors_by_step_and_by_series(case):
    error = np.abs(case["truth"] - case["quantiles"][..., 2])
    scores = score(case, parts=3)
    np.testing.assert_allclose(scores.mae_by_step(), error.mean(0))
    np.testing.assert_allclose(scores.mae_by_series(), [error[case["series"] == i].mean() for i in range(4)])


def test_seasonal_scale():
    assert seasonal_scale(np.array([1.0, 2.0, 4.0, 8.0]), 2) == pytest.approx((3 + 6) / 2)
    assert seasonal_scale(np.array([1.0, 2.0]), 2) == 0.0


def test_owa_of_the_benchmark_itself_is_one():
    assert owa(18.383, 2.395, 18.383, 2.395) == 1.0


def coverage(truth, low, high, series=None, quantiles=(0.1, 0.5, 0.9)):
    truth = np.array(truth, float)[:, None]
    ends = [np.broadcast_to(np.array(end, float).reshape(-1, 1), truth.shape) for end in (low, high)]
    spread = np.stack([ends[0], sum(ends) / 2, ends[1]], -1)
    series = np.zeros(len(truth), int) if series is None else np.array(series)
    scores = ForecastScores(quantiles, np.ones(2), np.ones(2), 1)
    scores.add(series, truth, truth, spread)
    return scores.metrics()["coverage_80"]


@pytest.mark.parametrize(
    ("truth", "low", "high", "expected"),
    [
        ([0] * 9 + [1], 0, 0, 0.8),  # the 10 % and the 90 % quantile are both 0
        ([0] * 19 + [1], 0, 0, 0.8),
        ([0] * 8 + [1] * 2, 0, 0, 0.7),  # the 90 % quantile is 1
        ([0] * 8 + [1] * 2, 0, 1, 0.8),
        ([0] * 18 + [1] * 2, 0, 9, 0.9),  # too high
        ([0] * 5 + [1] * 5, 0.5, 1, 0.4),  # above the zeros, it leaves them out
        ([1] * 20, 0, 2, 1.0),  # too wide, and no value on an end
        ([5] * 20, 5, 5, 0.8),
    ],
)
def test_values_that_pile_up_on_an_end_are_shared_out(truth, low, high, expected):
    assert coverage(truth, low, high) == pytest.approx(expected)


def test_zeros_of_one_series_do_not_make_up_for_another():
    zeros, spread = [0.0] * 50, [float(i) for i in range(50)]
    low, high = [0.0] * 50 + [20.0] * 50, [0.0] * 50 + [29.5] * 50
    found = coverage(zeros + spread, low, high, [0] * 50 + [1] * 50)
    # Of the second, 20 are above and 20 below, of which the one on the lower end is none.
    assert found == pytest.approx((0.8 + 0.2) / 2)
