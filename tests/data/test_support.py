"""Which values a series can take, and what becomes of forecasts of those that were spread out."""

import numpy as np
import pytest

from sluicegate.data import Panel, Support
from sluicegate.data.axis import TimeAxis
from sluicegate.data.scaling import find_knee


def panel(*series):
    bounds = np.concatenate([[0], np.cumsum([len(values) for values in series])])
    names = tuple(range(len(series)))
    columns = {"y": np.concatenate([np.array(values, float) for values in series])}
    return Panel(TimeAxis("integer", 1), names, bounds, np.zeros(len(series), np.int64), columns, {})


def support_of(values):
    found = Support.fit(panel(values), ["y"], np.array([len(values)]))
    return found.least.item(), found.zeros.item(), found.grain.item()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, 2.5, 3.0], (0, 0, 0)),
        ([-1, 0, 0, 3], (-np.inf, 0, 0)),
        ([1, 2, 3], (0, 1, 1)),
        ([0, 0, 1, 1], (0, 1, 1)),  # counts: zeros are spread over 1 at least
        ([0, 0, 4.5, 4.5], (0, 2.25, 0)),
        ([0, 0, 40, 40], (0, 20, 0)),  # whole numbers so large that rounding does not matter
        ([0] + [4.5] * 10, (0, 0, 0)),  # zero, but rarely
        ([0, 0, 0], (0, 0, 0)),
        ([7, 7, 7], (0, 0, 0)),
    ],
)
def test_what_is_known_of_values(values, expected):
    assert support_of(values) == pytest.approx(expected)


def test_rows_after_the_end_are_not_seen():
    found = Support.fit(panel([1.5, 2.5, -1], [1, 2, 3]), ["y"], np.array([2, 6]))
    assert found.least.tolist() == [[0], [0]]
    assert found.grain.tolist() == [[0], [1]]


def test_quantiles_become_values_that_there_are():
    support = Support.fit(panel([0, 0, 1, 1], [0, 0, 4.5, 4.5], [-1, 0, 0, 3]), ["y"], np.array([4, 8, 12]))
    quantiles = np.array([-0.7, 0.3, 1.00001])[None, None].repeat(3, 0)
    mean, found = support.attained(np.full((3, 1), -0.1), quantiles, np.arange(3), 0, np.zeros(3, bool))
    np.testing.assert_allclose(found[:, 0], [[0, 1, 1], [0, 0.3, 1.00001], [-0.7, 0.3, 1.00001]])
    assert mean.tolist() == [[0], [0], [-0.1]]


def test_where_the_rows_given_are_negative_forecasts_may_be():
    support = Support.fit(panel([0, 0, 4.5, 4.5]), ["y"], np.array([4]))
    mean, found = support.attained(
        np.full((1, 1), -0.1), np.full((1, 1, 1), -2.0), np.zeros(1, int), 0, np.array([True])
    )
    assert (mean.item(), found.item()) == (-0.1, -2.0)


def test_quantiles_of_what_is_spread_out_are_those_of_the_values():
    """By any distribution: the smallest count that no more than a share q lies below."""
    rng = np.random.default_rng(0)
    for values in (rng.poisson(0.4, 4000), rng.poisson(3, 4000), (rng.random(4000) < 0.2) * rng.poisson(5, 4000)):
        least, zeros, grain = support_of(values)
        spread = values - np.where(values == 0, zeros, grain) * rng.random(4000)
        support = Support(*np.array([least, zeros, grain]).reshape(3, 1, 1))
        for q in (0.05, 0.1, 0.5, 0.75, 0.9, 0.97):
            _, found = support.attained(
                np.zeros((1, 1)), np.quantile(spread, q).reshape(1, 1, 1), np.zeros(1, int), 0, np.zeros(1, bool)
            )
            assert (values < found.item()).mean() <= q + 0.01
            assert (values <= found.item()).mean() >= q - 0.01


def test_nothing_is_known_of_saved_models_that_did_not_say():
    support = Support.unknown(2, 1)
    assert not support.spreads
    mean, found = support.attained(
        np.full((1, 1), -1.0), np.full((1, 1, 1), 0.3), np.zeros(1, int), 0, np.zeros(1, bool)
    )
    assert (mean.item(), found.item()) == (-1.0, 0.3)


def test_counts_and_frequent_zeros_are_not_bent():
    rng = np.random.default_rng(1)
    level = np.linspace(1, 100, 400)
    assert find_knee(level * np.exp(rng.normal(size=400)), 7) > 0
    assert find_knee(level * np.exp(rng.normal(size=400)) * (rng.random(400) < 0.8), 7) == 0
    assert find_knee(rng.poisson(level / 20).astype(float), 7) == 0
