"""The simple methods that a series classifier is set beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from sluicegate.tasks.classification.decision import Probabilities
from sluicegate.tasks.classification.minirocket import MiniRocket, Values, has_minirocket
from sluicegate.tasks.classification.summary_statistics import SummaryStatistics

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
        from sklearn.metrics import pairwise_distances_argmin  # 2 s to load, which no prediction needs

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


METHODS: dict[str, Any] = {method.name: method for method in (NearestNeighbour, SummaryStatistics, MiniRocket)}


def fit_all(recordings: Sequence[Values], truth: Rows, classes: int) -> tuple[Method, ...]:
    """Train every method whose package is installed."""
    return tuple(
        method.fit(recordings, truth, classes)
        for name, method in METHODS.items()
        if name != MiniRocket.name or has_minirocket()
    )


def resampled(part: Values) -> Float32[np.ndarray, " values"]:
    """A recording at evenly spaced places, by straight lines between its steps."""
    places = np.linspace(0, len(part) - 1, _POINTS)
    below = np.floor(places).astype(np.int64)
    share = (places - below)[:, None].astype(np.float32)
    flat: Float32[np.ndarray, " values"] = (
        part[below] * (1 - share) + part[np.minimum(below + 1, len(part) - 1)] * share
    ).ravel()
    return flat
