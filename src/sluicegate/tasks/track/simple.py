"""Simple methods to follow objects by: SORT, and the association in two steps of ByteTrack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment

from sluicegate.data.boxes import BoxSequence
from sluicegate.metrics.tracking import Followed, overlaps

from .kalman import KalmanTracks

_HITS = 3  # frames in a row before a track is told
_OVERLAP = 0.3  # at least, of what is one object
_SURE, _NEW = 0.6, 0.7  # ByteTrack: scores of the first step, and of boxes that begin a track
_FIRST, _SECOND = 0.2, 0.5  # overlap at least, of each step


@dataclass
class _Tracks:
    """What is known of each track beside its filter."""

    ids: Int64[np.ndarray, " tracks"]
    lost: Int64[np.ndarray, " tracks"]  # frames since it was seen
    hits: Int64[np.ndarray, " tracks"]  # frames in a row that it was seen

    def keep(self, rows: np.ndarray) -> None:
        self.ids, self.lost, self.hits = self.ids[rows], self.lost[rows], self.hits[rows]

    def begin(self, count: int, after: int) -> None:
        self.ids = np.concatenate([self.ids, after + 1 + np.arange(count)])
        self.lost = np.concatenate([self.lost, np.zeros(count, np.int64)])
        self.hits = np.concatenate([self.hits, np.zeros(count, np.int64)])


def sort(sequence: BoxSequence, max_age: int = 1) -> Followed:
    """SORT (Bewley et al. 2016), which tells what was seen in three frames in a row.

    Args:
        sequence: what a detector saw.
        max_age: frames that a track outlives without being seen.
    """
    filters, tracks = KalmanTracks(), _no_tracks()
    last, told = 0, _Told()
    for count, (frame, rows) in enumerate(sequence.by_frame(), 1):
        boxes = sequence.boxes[rows]
        predicted = filters.predict()
        tracks.hits[tracks.lost > 0] = 0
        tracks.lost += 1
        own, others = _matched(overlaps(predicted, boxes), _OVERLAP)
        filters.correct(own, boxes[others])
        tracks.lost[own] = 0
        tracks.hits[own] += 1
        new = np.setdiff1d(np.arange(len(boxes)), others)
        filters.begin(boxes[new])
        tracks.begin(len(new), last)
        last += len(new)
        shown = (tracks.lost < 1) & ((tracks.hits >= _HITS) | (count <= _HITS))
        told.add(frame, tracks.ids[shown], filters.boxes()[shown])
        kept = np.flatnonzero(tracks.lost <= max_age)
        tracks.keep(kept)
        filters.keep(kept)
    return told.followed()


def byte_track(sequence: BoxSequence, max_age: int = 30) -> Followed:
    """The association of ByteTrack (Zhang et al. 2022) by SORT's filter: sure boxes first, then the others.

    Args:
        sequence: what a detector saw.
        max_age: frames that a track outlives without being seen, at 30 frames a second.
    """
    age = max(1, round(max_age * sequence.rate / 30))
    filters, tracks = KalmanTracks(), _no_tracks()
    last, told = 0, _Told()
    for count, (frame, rows) in enumerate(sequence.by_frame(), 1):
        boxes, sure = sequence.boxes[rows], sequence.scores[rows] >= _SURE
        predicted = filters.predict()
        was_seen = tracks.lost == 0
        tracks.lost += 1
        first, second = np.flatnonzero(sure), np.flatnonzero(~sure)
        fused = overlaps(predicted, boxes[first]) * sequence.scores[rows][first]
        own, others = _matched(fused, _FIRST)
        left = np.setdiff1d(np.flatnonzero(was_seen), own)
        more, again = _matched(overlaps(predicted[left], boxes[second]), _SECOND)
        own = np.concatenate([own, left[more]])
        seen = np.concatenate([first[others], second[again]])
        filters.correct(own, boxes[seen])
        tracks.lost[own] = 0
        tracks.hits[own] += 1
        new = np.setdiff1d(np.flatnonzero(sequence.scores[rows] >= _NEW), seen)
        filters.begin(boxes[new])
        tracks.begin(len(new), last)
        last += len(new)
        shown = (tracks.lost < 1) & ((tracks.hits >= 1) | (count == 1))
        told.add(frame, tracks.ids[shown], filters.boxes()[shown])
        kept = np.flatnonzero((tracks.lost <= age) & ((tracks.hits >= 1) | (tracks.lost < 1)))
        tracks.keep(kept)
        filters.keep(kept)
    return told.followed()


def constant_velocity(
    history: Float64[np.ndarray, "time values"], steps: int, over: int = 1
) -> Float64[np.ndarray, "steps values"]:
    """Where something goes that moves on as it did.

    Args:
        history: where it was, at equal distances of time; two steps at least.
        steps: to forecast.
        over: steps at the end of the history of which the mean speed is taken.
    """
    over = min(over, len(history) - 1)
    speed = (history[-1] - history[-1 - over]) / over
    found: Float64[np.ndarray, "steps values"] = history[-1] + speed * np.arange(1, steps + 1)[:, None]
    return found


class _Told:
    """What a tracker tells, frame by frame."""

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._ids: list[np.ndarray] = [np.zeros(0, np.int64)]
        self._boxes: list[np.ndarray] = [np.zeros((0, 4))]

    def add(self, frame: int, ids: np.ndarray, boxes: np.ndarray) -> None:
        self._frames.append(np.full(len(ids), frame))
        self._ids.append(ids)
        self._boxes.append(boxes)

    def followed(self) -> Followed:
        return Followed(np.concatenate(self._frames), np.concatenate(self._ids), np.concatenate(self._boxes))


def _no_tracks() -> _Tracks:
    nothing = np.zeros(0, np.int64)
    return _Tracks(nothing, nothing.copy(), nothing.copy())


def _matched(overlap: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Tracks and boxes that are one: the assignment of the greatest overlap, without what overlaps too little."""
    own, others = linear_sum_assignment(-overlap)
    kept = overlap[own, others] >= least
    return own[kept], others[kept]
