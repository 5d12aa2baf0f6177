"""A whole sequence followed, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sluicegate.data.boxes import BoxSequence
from sluicegate.metrics.tracking import Followed

from .geometry import centred, cornered
from .running import Follower, Frame


class Told(NamedTuple):
    """What is told of a sequence, a row for each box and frame."""

    frames: np.ndarray
    ids: np.ndarray
    boxes: np.ndarray  # x, y, width, height
    rows: np.ndarray  # of the box that was seen, in the sequence; -1 where none was
    confidence: np.ndarray

    def followed(self) -> Followed:
        """As metrics take it."""
        return Followed(self.frames, self.ids, self.boxes)

    def take(self, rows: np.ndarray) -> Told:
        """Some of them."""
        return Told(*(part[rows] for part in self))


def frames_of(follower: Follower, seen: BoxSequence) -> Iterator[tuple[int, slice, Frame]]:
    """What the tracker makes of each frame, and where the boxes of the frame are."""
    boxes, tracks, last = centred(seen.boxes), follower.begin(), 0
    for frame, rows in seen.by_frame():
        now = follower.step(tracks, last, frame / seen.rate, boxes[rows], seen.scores[rows], seen.classes[rows])
        tracks, last = now.tracks, now.last
        yield frame, rows, now


def follow(follower: Follower, seen: BoxSequence) -> Told:
    """What is told of each frame, of which none is known before it comes."""
    parts = [nothing()]
    for frame, rows, now in frames_of(follower, seen):
        own = now.told
        at = now.rows[own]
        parts.append(
            Told(
                np.full(len(own), frame),
                now.tracks.ids[own],
                cornered(now.boxes[own]),
                np.where(at >= 0, at + rows.start, -1),
                now.confidence[own],
            )
        )
    return Told(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def nothing() -> Told:
    """What is told where there is nothing."""
    none = np.zeros(0, np.int64)
    return Told(none, none, np.zeros((0, 4)), none, np.zeros(0))
