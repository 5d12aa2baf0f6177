"""The quantiles' factors: each a quantile that can be read off, drawn towards 1 by a known power."""

import numpy as np
import pytest

from sluicegate.runtime.forecast.answers import calibrated
from sluicegate.tasks.forecast.forecasting import measure_widths

THREE = (0.1, 0.5, 0.9)
COUNT = 101
"""Of the ratios 0, 1, ..., 100, the quantile q is 100 q."""
FOR_SURE = 1e12
"""Windows apart beside which those that are added in doubt are none."""


def windows(ratios, horizon=1, quantiles=THREE, median=10.0, width=2.0):
    """Quantiles `width` away from the median, and a truth that is `ratios` such widths above it."""
    ratios = np.asarray(ratios, dtype=np.float64)
    ratios = ratios[:, None].repeat(horizon, 1) if ratios.ndim == 1 else ratios
    values = np.full((*ratios.shape, len(quantiles)), median)
    values += width * np.sign(np.array(quantiles) - 0.5)
    return values, median + width * ratios


def widths(ratios, quantiles=THREE, block=1, apart=FOR_SURE, **options):
    return measure_widths(*windows(ratios, quantiles=quantiles, **options), quantiles, block, apart)


def steps(first, last):
    return np.linspace(first, last, COUNT)


def test_a_factor_is_the_quantile_of_the_truths_distance_in_widths():
    # Above the median the 90 % quantile of 0, 0.02, ..., 2 is 1.8; below, that of 0, -0.02, ..., -2 is -0.2.
    np.testing.assert_allclose(widths(steps(0, 2)), [[0.1, 1, 1.8]])  # -0.2 is brought to the least factor
    np.testing.assert_allclose(widths(-steps(0, 2)), [[1.8, 1, 0.1]])
    # Of -1, ..., 3 it is 2.6, and of -3, ..., 1 it is 0.6.
    np.testing.assert_allclose(widths(steps(-1, 3)), [[0.6, 1, 2.6]])


def test_other_quantiles_have_their_own():
    quantiles = (0.05, 0.25, 0.5, 0.7, 0.9)
    # Of -2, ..., 2 the quantiles 0.95, 0.75, 0.7 and 0.9 are 1.8, 1, 0.8 and 1.6.
    np.testing.assert_allclose(widths(steps(-2, 2), quantiles), [[1.8, 1, 1, 0.8, 1.6]])


def test_the_unit_is_each_forecasts_own_width():
    """Windows of very different widths and medians whose truths are equally far out, in widths."""
    rng = np.random.default_rng(0)
    median, width = rng.normal(size=COUNT) * 100, np.exp(rng.normal(size=COUNT) * 3)
    values = np.stack([median - 3 * width, median, median + width], 1)[:, None]
    found = measure_widths(values, (median + width * steps(0, 2))[:, None], THREE, 1, FOR_SURE)
    np.testing.assert_allclose(found, [[0.1, 1, 1.8]])
    found = measure_widths(values, (median - 3 * width * steps(0, 2))[:, None], THREE, 1, FOR_SURE)
    np.testing.assert_allclose(found, [[1.8, 1, 0.1]])


def test_calibrated_quantiles_hold_what_they_say():
    rng = np.random.default_rng(0)
    values = np.tile([-0.3, -0.1, 0.0, 0.2, 5.0], (2000, 3, 1))
    quantiles = (0.1, 0.3, 0.5, 0.8, 0.9)
    truth = rng.normal(size=(2000, 3))
    after = calibrated(values, quantiles, measure_widths(values, truth, quantiles, 3, FOR_SURE))
    below = (truth[..., None] < after).mean((0, 1))
    np.testing.assert_allclose(below[[0, 1, 3, 4]], [0.1, 0.3, 0.8, 0.9], atol=1 / 6000)


@pytest.mark.parametrize(("apart", "power"), [(0.0, 0), (10.0, 0.25), (30.0, 0.5), (90.0, 0.75), (FOR_SURE, 1)])
def test_few_windows_apart_draw_the_factor_towards_one(apart, power):
    np.testing.assert_allclose(widths(steps(-1, 3), apart=apart), [[0.6**power, 1, 2.6**power]], rtol=1e-9)


def test_a_factor_is_kept_within_bounds_before_it_is_drawn():
    np.testing.assert_allclose(widths(steps(0, 2000), apart=30.0), [[0.1**0.5, 1, 10**0.5]])


def test_steps_of_a_block_share_a_factor():
    near, far, last = steps(-1, 3), steps(-2, 6), steps(-3, 9)
    found = widths(np.stack([near, near, far, far, last], 1), block=2)
    np.testing.assert_allclose(found[:, 0], [0.6, 0.6, 1.2, 1.2, 1.8])
    np.testing.assert_allclose(found[:, 2], [2.6, 2.6, 5.2, 5.2, 7.8])


def test_a_block_mixes_its_steps():
    ratios = np.stack([np.zeros(500), np.full(500, 3.0)], 1)
    np.testing.assert_allclose(widths(ratios, block=2)[:, 2], [3, 3])
    np.testing.assert_allclose(widths(ratios, block=1)[:, 2], [0.1, 3])


def test_a_block_longer_than_the_horizon():
    np.testing.assert_allclose(widths(steps(-1, 3), horizon=2, block=24), [[0.6, 1, 2.6]] * 2)


@pytest.mark.parametrize(("count", "horizon", "factor"), [(99, 1, 1), (100, 1, 3), (1, 99, 1), (1, 100, 3), (1, 1, 1)])
def test_fewer_than_a_hundred_values_say_nothing(count, horizon, factor):
    """One window is enough only if its block is long."""
    found = widths(np.full(count, 3.0), horizon=horizon, block=horizon)
    np.testing.assert_allclose(found[:, 2], factor)


def test_no_window_at_all():
    assert widths(np.zeros(0), horizon=3, block=2, apart=0.0).tolist() == [[1, 1, 1]] * 3


def test_truths_on_the_median_narrow_as_far_as_allowed():
    np.testing.assert_allclose(widths(np.zeros(COUNT)), [[0.1, 1, 0.1]])


def test_a_forecast_without_width_is_left_as_it_is():
    """A series that never changed, and whose quantiles therefore lie on the median."""
    assert widths(np.zeros(COUNT), width=0.0).tolist() == [[1, 1, 1]]
    assert widths(steps(0, 2), width=0.0).tolist() == [[1, 1, 1]]


def test_a_block_that_says_nothing_takes_no_other_ones_factor():
    """A short block at the end, of too few windows for a factor of its own."""
    found = widths(np.full((60, 5), 3.0), block=2)
    np.testing.assert_allclose(found[:, 2], [3, 3, 3, 3, 1])


def test_quantiles_on_the_wrong_side_of_the_median_do_not_count():
    values, truth = windows(np.concatenate([steps(-1, 3), np.full(300, 9.0)]))
    values[COUNT:, 0, 0], values[COUNT:, 0, 2] = 11, 9
    np.testing.assert_allclose(measure_widths(values, truth, THREE, 1, FOR_SURE), [[0.6, 1, 2.6]])
    assert measure_widths(values[COUNT:], truth[COUNT:], THREE, 1, FOR_SURE).tolist() == [[1, 1, 1]]


def test_what_is_given_stays_as_it_was():
    values, truth = windows(steps(-1, 3))
    before = values.copy(), truth.copy()
    measure_widths(values, truth, THREE, 1, 30.0)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(truth, before[1])
