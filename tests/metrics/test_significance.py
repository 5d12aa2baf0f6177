"""Tests of significance call noise a difference about as often as they say, and see what is there."""

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from sluicegate.metrics import clustered, degrees_of_freedom, diebold_mariano, mcnemar, paired_bootstrap


def of_overlapping_windows(rng, origins, horizon, shift=0.0):
    noise = rng.normal(size=origins + horizon - 1)
    return np.convolve(noise, np.ones(horizon) / horizon, "valid") + shift


@pytest.mark.parametrize(("origins", "horizon"), [(338, 28), (100, 28), (60, 1)])
def test_overlapping_windows_are_not_counted_twice(origins, horizon):
    """A t-test that takes windows for independent is wrong half of the time; this one 5 %, or a little more."""
    rng = np.random.default_rng(0)
    draws = [of_overlapping_windows(rng, origins, horizon) for _ in range(300)]
    wrong = np.mean([diebold_mariano(d, np.ones(origins), horizon) < 0.05 for d in draws])
    assert 0.01 < wrong < 0.1
    if horizon > 1:
        assert np.mean([ttest_1samp(d, 0).pvalue < 0.05 for d in draws]) > 0.4


def test_a_difference_that_is_there_is_seen():
    rng = np.random.default_rng(0)
    found = [diebold_mariano(of_overlapping_windows(rng, 338, 28, 0.3), np.ones(338), 28) < 0.05 for _ in range(100)]
    assert np.mean(found) > 0.8


def test_origins_without_windows_and_of_many_series_count_by_their_values():
    rng = np.random.default_rng(0)
    differences, counts = rng.normal(size=200), np.ones(200)
    there = np.arange(400) % 2 == 0
    spread, weights = np.zeros(400), np.zeros(400)
    spread[there], weights[there] = differences, counts
    # Half of the origins hold nothing: the same differences, at twice the distance.
    assert diebold_mariano(spread, weights, 2, 400) == pytest.approx(diebold_mariano(differences, counts, 1), abs=0.1)
    assert diebold_mariano(7 * differences, 7 * counts, 1) == pytest.approx(diebold_mariano(differences, counts, 1))


def test_what_is_always_the_same_or_hardly_there():
    assert diebold_mariano(np.zeros(50), np.ones(50), 3) == 1.0
    assert diebold_mariano(np.ones(64), np.ones(64), 1) < 1e-6
    assert np.isnan(diebold_mariano(np.ones(1), np.ones(1), 1))
    assert np.isnan(diebold_mariano(np.zeros(9), np.zeros(9), 1))
    assert degrees_of_freedom(338, 28) == 6
    assert degrees_of_freedom(20, 14) == 1
    assert degrees_of_freedom(900, 1) == 37


def test_clusters_of_one_value_are_a_t_test():
    values = np.random.default_rng(0).normal(0.2, 1, 40)
    assert clustered(values, np.ones(40)) == pytest.approx(ttest_1samp(values, 0).pvalue)
    with_empty = np.concatenate([values, np.zeros(5)]), np.concatenate([np.ones(40), np.zeros(5)])
    assert clustered(*with_empty) == pytest.approx(clustered(values, np.ones(40)))
    assert np.isnan(clustered(np.ones(1), np.ones(1)))


def test_mcnemar_is_the_binomial():
    assert mcnemar(12, 3) == pytest.approx(2 * binom.cdf(3, 15, 0.5))
    assert mcnemar(3, 12) == mcnemar(12, 3)
    assert mcnemar(0, 0) == 1.0


def test_the_bootstrap_of_rows_comes_near_mcnemar_and_whole_groups_say_less():
    kinds = np.array([[40, 30, 16]])  # both the same, the first alone right, the second alone

    def of(rows):
        return rows[:, 1] - rows[:, 2]

    assert paired_bootstrap(kinds, of) == pytest.approx(mcnemar(30, 16), abs=0.03)
    groups = np.array([[10, 30, 0], [10, 0, 16], [10, 0, 0], [10, 0, 0]])
    assert paired_bootstrap(groups, of) > 0.3
    assert paired_bootstrap(kinds, of) == paired_bootstrap(kinds, of)
