"""Which boxes of a detector are on which object, as people have marked it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from sluicegate.data.boxes import BoxSequence
from sluicegate.metrics.tracking import overlaps

from .geometry import Quads, Rows, centred

_SAME = 0.5  # overlap of what is one object


@dataclass(frozen=True)
class Lesson:
    """Boxes of a detector, or such as one would give, with the object of each, beside what is true.

    Args:
        seen: boxes with ids, -1 for one that is on no object.
        truth: boxes with ids.
    """

    seen: BoxSequence
    truth: BoxSequence

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.truth.length / self.truth.rate

    def part(self, begin: float, end: float) -> Lesson:
        """What is between two shares of its length."""
        length = self.truth.length
        first, last = self.truth.first + round(begin * length), self.truth.first + round(end * length)
        parts = []
        for of in (self.seen, self.truth):
            rows = np.flatnonzero((of.frames >= first) & (of.frames < last))
            parts.append(replace(of.take(rows), first=first, length=last - first))
        return Lesson(*parts)


@dataclass(frozen=True)
class Path:
    """An object over time."""

    times: np.ndarray  # in seconds, of the frames where it is
    boxes: Quads  # where it is
    places: Rows  # of what was seen, the frames among these
    seen: Quads  # what was seen
    scores: np.ndarray  # of that


def labelled(detected: BoxSequence, truth: BoxSequence) -> Lesson:
    """The boxes of a detector with the ids of the objects that they are on."""
    ids = np.full(len(detected), -1)
    of_truth = dict(truth.by_frame())
    for frame, rows in detected.by_frame():
        others = of_truth.get(frame, slice(0, 0))
        overlap = overlaps(detected.boxes[rows], truth.boxes[others])
        overlap[overlap < _SAME] = 0
        own, found = linear_sum_assignment(-overlap)
        kept = overlap[own, found] > 0
        assert truth.ids is not None
        ids[rows.start + own[kept]] = truth.ids[others][found[kept]]
    seen = replace(detected, ids=ids, rate=truth.rate, first=truth.first, length=truth.length, size=truth.size)
    inside = (seen.frames >= truth.first) & (seen.frames < truth.first + truth.length)
    return Lesson(seen.take(inside), truth)


def paths(lesson: Lesson) -> Iterator[Path]:
    """The objects, each with what was seen of it."""
    truth, seen = lesson.truth, lesson.seen
    assert truth.ids is not None
    assert seen.ids is not None
    of_truth, of_seen = np.argsort(truth.ids, kind="stable"), np.argsort(seen.ids, kind="stable")
    names, begins = np.unique(truth.ids[of_truth], return_index=True)
    for name, begin, end in zip(names, begins, [*begins[1:], len(of_truth)], strict=True):
        rows = of_truth[begin:end]
        a, b = np.searchsorted(seen.ids[of_seen], [name, name + 1])
        found = of_seen[a:b]
        yield Path(
            truth.frames[rows] / truth.rate,
            centred(truth.boxes[rows]),
            np.searchsorted(truth.frames[rows], seen.frames[found]),
            centred(seen.boxes[found]),
            seen.scores[found],
        )
