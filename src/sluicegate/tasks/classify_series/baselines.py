"""The simple methods that a series classifier is set beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances_argmin

from sluicegate.tasks.classification.decision import Probabilities

from .minirocket import LINEAR, MiniRocket, Values, has_minirocket

Rows = Int64[np.ndarray, " _"]

_POINTS = 64  # steps that a recording is brought to before it is compared
_REMEMBERED = 5000  # recordings that are compared with, at most


@runtime_checkable
class Method(Protocol):
    """A simple method, trained on standardised recordings."""

    name: ClassVar[str]

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""


@dataclass(frozen=True)
class NearestNeighbour:
    """The class of the training recording at the smallest Euclidean distance, all brought to the same length."""

    name: ClassVar[str] = "nearest_neighbour"
    known: Float32[np.ndarray, "known values"]  # the training recordings, or 5,000 of them
    truth: Int64[np.ndarray, " known"]  # the numbers of their classes
    trust: float  # the probability of the predicted class
    classes: int  # how many there are

    @classmethod
    def fit(cls, recordings: Sequence[Values], truth: Rows, classes: int) -> NearestNeighbour:
        """Remember recordings, and measure how often the nearest other one is of the same class."""
        chosen = np.arange(len(truth))
        if len(chosen) > _REMEMBERED:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, _REMEMBERED, replace=False))
        known, kept = np.stack([resampled(recordings[i]) for i in chosen.tolist()]), truth[chosen]
        tried = np.arange(len(kept))[:1000]
        right = 0
        for i in tried.tolist():
            apart = np.linalg.norm(known - known[i], axis=1)
            apart[i] = np.inf
            right += int(kept[int(apart.argmin())] == kept[i])
        return cls(known, kept, max((right + 1) / (len(tried) + 2), 1 / classes), classes)

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class."""
        near = pairwise_distances_argmin(np.stack([resampled(part) for part in recordings]), self.known)
        probabilities = np.full((len(recordings), self.classes), (1 - self.trust) / (self.classes - 1))
        probabilities[np.arange(len(probabilities)), self.truth[near]] = self.trust
        return probabilities

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""
        return {"known": self.known, "truth": self.truth, "trust": np.array([self.trust])}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], classes: int) -> NearestNeighbour:
        """What `arrays` gave."""
        return cls(arrays["known"], arrays["truth"], float(arrays["trust"][0]), classes)


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


METHODS: dict[str, Any] = {method.name: method for method in (NearestNeighbour, SummaryStatistics, MiniRocket)}


def fit_all(recordings: Sequence[Values], truth: Rows, classes: int) -> tuple[Method, ...]:
    """Train every method whose package is installed."""
    return tuple(
        method.fit(recordings, truth, classes)
        for name, method in METHODS.items()
        if name != MiniRocket.name or has_minirocket()
    )


def statistics_of(recordings: Sequence[Values]) -> Float64[np.ndarray, "recordings statistics"]:
    """The statistics of each recording, channel by channel."""
    rows = []
    for part in recordings:
        values = part.astype(np.float64)
        change = np.abs(np.diff(values, axis=0)).mean(0) if len(values) > 1 else np.zeros(values.shape[1])
        quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)
        rows.append(np.concatenate([values.mean(0), values.std(0), *quantiles, change]))
    return np.stack(rows)


def resampled(part: Values) -> Float32[np.ndarray, " values"]:
    """A recording at evenly spaced places, by straight lines between its steps."""
    places = np.linspace(0, len(part) - 1, _POINTS)
    below = np.floor(places).astype(np.int64)
    share = (places - below)[:, None].astype(np.float32)
    flat: Float32[np.ndarray, " values"] = (
        part[below] * (1 - share) + part[np.minimum(below + 1, len(part) - 1)] * share
    ).ravel()
    return flat
