"""The simple methods that an action recognizer is set beside."""

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

POINTS = 24
"""Steps that the nearest neighbour brings clips to."""

_BAND = 6  # steps that one may be ahead of the other
_REMEMBERED, _TRIED = 1000, 200  # clips that are compared with at most, and that tell how often it is right


@runtime_checkable
class Method(Protocol):
    """A simple method, trained on normalised skeletons."""

    name: ClassVar[str]

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""


@dataclass(frozen=True)
class TimeWarping:
    """The class of the training clip at the smallest distance by dynamic time warping (Sakoe & Chiba 1978)."""

    name: ClassVar[str] = "time_warping"
    known: Float32[np.ndarray, "known time channels"]  # the training clips, or 1,000 of them
    truth: Int64[np.ndarray, " known"]  # the numbers of their classes
    trust: float  # the probability of the predicted class
    classes: int  # how many there are

    @classmethod
    def fit(cls, recordings: Sequence[Values], truth: Rows, classes: int) -> TimeWarping:
        """Remember clips, and measure how often the nearest other one is of the same class."""
        chosen = np.arange(len(truth))
        if len(chosen) > _REMEMBERED:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, _REMEMBERED, replace=False))
        known, kept = np.stack([brought(recordings[i]) for i in chosen.tolist()]), truth[chosen]
        tried = np.unique(np.linspace(0, len(kept) - 1, min(_TRIED, len(kept))).astype(np.int64))
        right = 0
        for i in tried.tolist():
            apart = warped_distances(known[i], known)
            apart[i] = np.inf
            right += int(kept[int(apart.argmin())] == kept[i])
        return cls(known, kept, max((right + 1) / (len(tried) + 2), 1 / classes), classes)

    def probabilities(self, recordings: Sequence[Values]) -> Probabilities:
        """The probability of each class."""
        near = [int(warped_distances(brought(part), self.known).argmin()) for part in recordings]
        probabilities = np.full((len(recordings), self.classes), (1 - self.trust) / (self.classes - 1))
        probabilities[np.arange(len(near)), self.truth[near]] = self.trust
        return probabilities

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""
        return {"known": self.known, "truth": self.truth, "trust": np.array([self.trust])}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], classes: int) -> TimeWarping:
        """What `arrays` gave."""
        return cls(arrays["known"], arrays["truth"], float(arrays["trust"][0]), classes)


METHODS: dict[str, Any] = {method.name: method for method in (TimeWarping, SummaryStatistics, MiniRocket)}


def fit_all(recordings: Sequence[Values], truth: Rows, classes: int) -> tuple[Method, ...]:
    """Train every method whose package is installed."""
    return tuple(
        method.fit(recordings, truth, classes)
        for name, method in METHODS.items()
        if name != MiniRocket.name or has_minirocket()
    )


def warped_distances(
    clip: Float32[np.ndarray, "time channels"], known: Float32[np.ndarray, "known time channels"]
) -> Float32[np.ndarray, " known"]:
    """The least sum of squared distances along a path on which both clips only go forward, for each known clip."""
    count = len(clip)
    crossed = known @ clip.T  # [known, time of it, time of the clip]
    costs = np.square(known).sum(2)[:, :, None] + np.square(clip).sum(1) - 2 * crossed
    best = np.full((count + 1, len(known)), np.inf, np.float32)
    best[0] = 0.0
    for i in range(count):
        before, best = best, np.full_like(best, np.inf)
        for j in range(max(0, i - _BAND), min(count, i + _BAND + 1)):
            best[j + 1] = costs[:, j, i] + np.minimum(np.minimum(before[j], before[j + 1]), best[j])
    found: Float32[np.ndarray, " known"] = best[count]
    return found


def brought(part: Values) -> Float32[np.ndarray, "time channels"]:
    """A clip at evenly spaced places, by straight lines between its steps."""
    places = np.linspace(0, len(part) - 1, POINTS)
    below = np.floor(places).astype(np.int64)
    share = (places - below)[:, None].astype(np.float32)
    even: Float32[np.ndarray, "time channels"] = (
        part[below] * (1 - share) + part[np.minimum(below + 1, len(part) - 1)] * share
    )
    return even
