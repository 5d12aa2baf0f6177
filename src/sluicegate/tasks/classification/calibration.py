"""Calibrated probabilities, and decisions that suit classes of unequal size."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax


def temperature(logits: Float64[np.ndarray, "rows classes"], truth: Int64[np.ndarray, " rows"]) -> float:
    """The number by which logits are divided so that their log loss is smallest (Guo et al. 2017), from 0.05 to 20.

    One row more is counted, of no class in particular: a few rows that are all right must not make certainty of it.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(truth)), truth].sum() - scaled.mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def probabilities(logits: Float64[np.ndarray, "rows classes"], by: float) -> Float64[np.ndarray, "rows classes"]:
    """The probabilities of classes at a temperature."""
    scaled: Float64[np.ndarray, "rows classes"] = softmax(logits / by, axis=1)
    return scaled


def blend_share(
    first: Float64[np.ndarray, "rows classes"],
    second: Float64[np.ndarray, "rows classes"],
    truth: Int64[np.ndarray, " rows"],
) -> float:
    """The share of the first in the mean of two classifiers' probabilities that has the smallest log loss."""

    def loss(share: float) -> float:
        return log_loss(share * first + (1 - share) * second, truth)

    return float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)


def log_loss(predicted: Float64[np.ndarray, "rows classes"], truth: Int64[np.ndarray, " rows"]) -> float:
    """The mean of minus the logarithm of the true class's probability, which counts as 1e-12 at least."""
    return float(-np.log(np.maximum(predicted[np.arange(len(truth)), truth], 1e-12)).mean())


def decision_strength(
    predicted: Float64[np.ndarray, "rows classes"],
    truth: Int64[np.ndarray, " rows"],
    prior: Float64[np.ndarray, " classes"],
) -> float:
    """How far frequent classes are held back in decisions, for the best macro F1.

    Args:
        predicted: probabilities on rows that the model was not trained on.
        truth: the number of each row's class.
        prior: how frequent each class was in training.

    Returns:
        The smallest exponent d, from 0 to 1.5, with which the class of the largest p / prior^d has the best macro F1.
    """
    from sklearn.metrics import f1_score  # 2 s to load, which no prediction needs

    tried = np.linspace(0.0, 1.5, 31)
    scores = [f1_score(truth, decide(predicted, prior, d), average="macro", zero_division=0.0) for d in tried]
    return float(tried[int(np.argmax(np.round(scores, 6)))])


def decide(
    predicted: Float64[np.ndarray, "rows classes"], prior: Float64[np.ndarray, " classes"], strength: float
) -> Int64[np.ndarray, " rows"]:
    """The number of the class of the largest p / prior^strength."""
    decided: Int64[np.ndarray, " rows"] = (predicted / prior**strength).argmax(1)
    return decided
