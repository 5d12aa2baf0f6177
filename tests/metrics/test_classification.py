"""Figures of classifiers, against values worked out by hand."""

import math

import numpy as np
import pytest

from sluicegate.metrics import classification_metrics, reliability


def test_by_hand():
    truth = np.array([0, 0, 0, 1])
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    found = classification_metrics(truth, said)
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.7]).mean())
    # 0.9 and 0.8 are right and 0.6 is not; 0.7 is right; each is alone in its bin
    assert found["ece"] == pytest.approx((0.1 + 0.2 + 0.6 + 0.3) / 4)
    assert found["roc_auc"] == 1.0


def test_another_decision_than_the_most_probable():
    truth = np.array([0, 1])
    said = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert classification_metrics(truth, said)["accuracy"] == 0.5
    assert classification_metrics(truth, said, np.array([0, 1]))["accuracy"] == 1.0


def test_a_single_class_has_no_area_and_no_chance_is_certain():
    found = classification_metrics(np.array([1, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert math.isnan(found["roc_auc"])
    assert math.isfinite(found["log_loss"])


def test_reliability_counts_every_row_once():
    rng = np.random.default_rng(0)
    said = rng.dirichlet([1, 1, 1], 500)
    said[0] = [1, 0, 0]
    bins = reliability(rng.integers(0, 3, 500), said)
    assert sum(b.rows for b in bins) == 500
    assert all(0 <= b.right <= 1 and 1 / 3 <= b.said <= 1 for b in bins)


def test_probabilities_that_are_true_have_a_small_error():
    rng = np.random.default_rng(1)
    said = rng.dirichlet([2, 2], 20_000)
    truth = (rng.random(20_000) < said[:, 1]).astype(np.int64)
    assert classification_metrics(truth, said)["ece"] < 0.01
