"""Temperatures, decisions and blends, on data for which the right ones are known."""

import numpy as np
import pytest
from scipy.special import softmax

from sluicegate.tasks.classification.calibration import (
    blend_share,
    decide,
    decision_strength,
    probabilities,
    temperature,
)


def drawn(rows=20_000, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(rows, classes))
    truth = (softmax(logits, 1).cumsum(1) > rng.random((rows, 1))).argmax(1)
    return logits, truth


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_a_factor(factor):
    logits, truth = drawn()
    assert temperature(factor * logits, truth) == pytest.approx(factor, rel=0.05)
    np.testing.assert_allclose(probabilities(factor * logits, factor), softmax(logits, 1))


def test_decisions_for_a_rare_class():
    rng = np.random.default_rng(2)
    truth = (rng.random(4000) < 0.05).astype(np.int64)
    score = rng.normal(size=4000) + 2 * truth
    logit = 2 * score - 2 + np.log(0.05 / 0.95)
    said = np.stack([1 / (1 + np.exp(logit)), 1 / (1 + np.exp(-logit))], 1)
    prior = np.array([0.95, 0.05])
    strength = decision_strength(said, truth, prior)
    assert 0 < strength < 1
    assert decide(said, prior, strength).sum() > decide(said, prior, 0.0).sum()
    assert (decide(said, prior, 0.0) == said.argmax(1)).all()


def test_the_better_of_two_has_the_larger_share():
    logits, truth = drawn()
    good, noise = softmax(logits, 1), np.full((len(truth), 3), 1 / 3)
    assert blend_share(good, noise, truth) > 0.95
    assert blend_share(noise, good, truth) < 0.05
