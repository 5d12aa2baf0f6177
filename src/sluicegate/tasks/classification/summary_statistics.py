"""Logistic regression on summary statistics: what a practitioner tries first on recordings of several channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import expit, softmax

from .decision import Probabilities
from .minirocket import LINEAR, Values

Rows = Int64[np.ndarray, " _"]


@dataclass(frozen=True)
class SummaryStatistics:
    """Logistic regression on statistics of each channel: mean, deviation, extremes, quartiles, mean absolute change."""

    name: ClassVar[str] = "summary_statistics"
    mean: Float64[np.ndarray, " statistics"]  # of each statistic in training
    deviation: Float64[np.ndarray, " statistics"]  # likewise
    weights: Float64[np.ndarray, "outputs statistics"]  # of each class; of two classes, of the second alone
    intercept: Float64[np.ndarray, " outputs"]  # the same

    @classmethod
    def fit(cls, recordings: Sequence[Values], truth: Rows, classes: int) -> SummaryStatistics:
        """Train on standardised recordings."""
        from sklearn.linear_model import LogisticRegression  # 2 s to load, which no prediction needs

        del classes
        statistics = statistics_of(recordings)
        mean, deviation = statistics.mean(0), statistics.std(0)
        deviation[deviation == 0] = 1.0
        model = LogisticRegression(C=1.0, max_iter=2000).fit((statistics - mean) / deviation, truth)
        return cls(mean, deviation, model.coef_, model.intercept_)

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class."""
        scores = ((statistics_of(recordings) - self.mean) / self.deviation) @ self.weights.T + self.intercept
        if scores.shape[1] == 1:
            second = expit(scores)
            return np.concatenate([1 - second, second], axis=1)
        normal: Probabilities = softmax(scores, axis=1)
        return normal

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""
        return {name: getattr(self, name) for name in LINEAR}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], classes: int) -> SummaryStatistics:
        """What `arrays` gave."""
        del classes
        return cls(*(arrays[name] for name in LINEAR))


def statistics_of(recordings: Sequence[Values]) -> Float64[np.ndarray, "recordings statistics"]:
    """The statistics of each recording, channel by channel."""
    rows = []
    for part in recordings:
        values = part.astype(np.float64)
        change = np.abs(np.diff(values, axis=0)).mean(0) if len(values) > 1 else np.zeros(values.shape[1])
        quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)
        rows.append(np.concatenate([values.mean(0), values.std(0), *quantiles, change]))
    return np.stack(rows)
