"""A sequence followed with its end known: what is before and after a box says where it was, and gaps are filled."""

from __future__ import annotations

import numpy as np

from sluicegate.data.boxes import BoxSequence

from .following import Told, frames_of, nothing
from .geometry import Centres, centred, changed, cornered, sizes
from .running import Follower, Mind
from .values import step_values


def smoothed(follower: Follower, seen: BoxSequence, *, most: float) -> Told:
    """What is told of each frame when the whole sequence is known.

    Objects are those that `follow` tells; each is told from the first time that it was seen.

    Args:
        follower: what follows objects.
        seen: the boxes of a detector.
        most: seconds of a gap that is filled.
    """
    traces, ids, confidence = _traces(follower, seen)
    parts = []
    for trace, rows in traces.items():
        if ids[trace]:
            parts.append(_smoothed(follower.mind, seen, np.array(rows), ids[trace], most, confidence[trace]))
    if not parts:
        return nothing()
    found = Told(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    return found.take(np.lexsort((found.ids, found.frames)))


def _traces(follower: Follower, seen: BoxSequence) -> tuple[dict[int, list[int]], dict[int, int], dict[int, float]]:
    """Of each track: the rows of its boxes, its id, 0 where it was never told, and its greatest confidence."""
    rows_of: dict[int, list[int]] = {}
    ids: dict[int, int] = {}
    confidence: dict[int, float] = {}
    traces, count = np.zeros(0, np.int64), 0
    for _, rows, now in frames_of(follower, seen):
        new = now.before < 0
        traces = np.append(traces, -1)[now.before]
        traces[new] = count + np.arange(new.sum())
        count += int(new.sum())
        of_seen = np.flatnonzero(now.rows >= 0).tolist()
        for track in of_seen:
            trace = int(traces[track])
            rows_of.setdefault(trace, []).append(rows.start + int(now.rows[track]))
            ids[trace] = int(now.tracks.ids[track])
            confidence[trace] = max(confidence.get(trace, 0.0), float(now.confidence[track]))
    return rows_of, ids, confidence


def _smoothed(mind: Mind, seen: BoxSequence, rows: np.ndarray, number: int, most: float, confidence: float) -> Told:
    """One object."""
    frames, boxes, scores = seen.frames[rows], centred(seen.boxes[rows]), seen.scores[rows]
    times = frames / seen.rate
    wanted = np.arange(frames[0], frames[-1] + 1)
    before = np.searchsorted(frames, wanted, "right") - 1
    after = np.searchsorted(frames, wanted, "left")
    kept = (frames[after] - frames[before]) / seen.rate <= most
    wanted, before, after = wanted[kept], before[kept], after[kept]
    forward = _expected(mind, boxes, times, scores, before, wanted / seen.rate - times[before])
    back = _expected(
        mind,
        boxes[::-1],
        times[-1] - times[::-1],
        scores[::-1],
        len(rows) - 1 - after,
        times[after] - wanted / seen.rate,
    )
    return Told(
        wanted,
        np.full(len(wanted), number),
        cornered(_joined(*forward, *back)),
        np.where(before == after, rows[before], -1),
        np.full(len(wanted), confidence),
    )


def _expected(
    mind: Mind, boxes: Centres, times: np.ndarray, scores: np.ndarray, rows: np.ndarray, ahead: np.ndarray
) -> tuple[Centres, np.ndarray]:
    """Where the object is expected some seconds after some of its boxes, and how far off that may be, in pixels."""
    first = np.concatenate([[0], np.arange(len(boxes) - 1)])
    inner = mind.read_all(step_values(boxes[first], boxes, times - times[first], scores))
    by, scales = mind.ahead(inner[rows], ahead)
    return changed(boxes[rows], by), np.exp(scales) * sizes(boxes[rows])[:, None]


def _joined(forward: Centres, off: np.ndarray, back: Centres, back_off: np.ndarray) -> Centres:
    """The mean of two expectations, each weighed by the inverse of its variance."""
    share = back_off**2 / (off**2 + back_off**2)
    found: Centres = share * forward + (1 - share) * back
    return found
