"""The errors of a detector, fitted to what it saw, and put into boxes that are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sluicegate.data.boxes import BoxSequence

from .geometry import centred, changed, changes, cornered
from .labelling import Lesson, paths

_QUANTILES = np.linspace(0, 1, 11)
_TRIMMED = 0.02  # of the errors at both ends, which have their reasons elsewhere
_LEAST = 200  # boxes that errors are fitted to


@dataclass(frozen=True)
class Errors:
    """How a detector errs.

    Args:
        bias: of the changes from the true box to its own, four of them as in `geometry.changes`.
        spread: their standard deviations, within and between objects together.
        lasting: the correlation of errors from frame to frame.
        missed: the share of an object's frames that are missed, in quantiles over the objects.
        stays: the chance that a miss goes on in the next frame.
        false: false boxes in a frame, for each true one.
        false_stays: the chance that a false box is there in the next frame too.
        scores: of boxes on objects, in quantiles.
        false_scores: of false boxes.
    """

    bias: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    spread: tuple[float, ...] = (0.05, 0.06, 0.1, 0.08)
    lasting: float = 0.7
    missed: tuple[float, ...] = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75, 0.95, 1.0)
    stays: float = 0.85
    false: float = 0.2
    false_stays: float = 0.75
    scores: tuple[float, ...] = (0.5, 0.75, 0.87, 0.93, 0.96, 0.98, 0.99, 0.993, 0.996, 0.998, 1.0)
    false_scores: tuple[float, ...] = (0.5, 0.54, 0.58, 0.63, 0.68, 0.73, 0.79, 0.85, 0.9, 0.95, 1.0)

    def settings(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def fitted(lessons: Sequence[Lesson]) -> Errors:
    """The errors of the detector whose boxes these are; those of a usual one where there are few."""
    off, lasting, missed, starts, goes_on = [], [], [], [], []
    for lesson in lessons:
        for path in paths(lesson):
            if len(path.places):
                found = changes(path.boxes[path.places], path.seen)
                off.append(found)
                next_ones = np.diff(path.places) == 1
                lasting.append(np.stack([found[:-1][next_ones], found[1:][next_ones]]))
            gone = np.ones(len(path.times), bool)
            gone[path.places] = False
            missed.append(gone.mean())
            if 0.02 < missed[-1] < 0.98 and len(gone) > 1:
                starts.append(gone[:-1].sum())
                goes_on.append((gone[:-1] & gone[1:]).sum())
    if sum(map(len, off)) < _LEAST:
        return Errors()
    every = np.concatenate(off)
    low, high = np.quantile(every, [_TRIMMED, 1 - _TRIMMED], axis=0)
    every = np.clip(every, low, high)
    pairs = np.clip(np.concatenate(lasting, axis=1), low, high) - every.mean(0)
    false = np.concatenate([lesson.seen.scores[_ids(lesson.seen) < 0] for lesson in lessons])
    true = np.concatenate([lesson.seen.scores[_ids(lesson.seen) >= 0] for lesson in lessons])
    return Errors(
        bias=_plain(every.mean(0)),
        spread=_plain(every.std(0)),
        lasting=float(np.clip((pairs[0] * pairs[1]).mean() / (pairs**2).mean(), 0, 0.98)) if pairs.size else 0.7,
        missed=_plain(np.quantile(missed, _QUANTILES)),
        stays=float(np.clip(sum(goes_on) / max(1, sum(starts)), 0, 0.98)),
        false=float(len(false) / max(1, sum(len(lesson.truth) for lesson in lessons))),
        scores=_plain(np.quantile(true, _QUANTILES)),
        false_scores=_plain(np.quantile(false, _QUANTILES)) if len(false) > 10 else Errors.false_scores,
    )


def put_into(truth: BoxSequence, errors: Errors, rng: np.random.Generator, strength: float = 1.0) -> Lesson:
    """True boxes as a detector would see them.

    Args:
        truth: boxes with ids.
        errors: how the detector errs.
        rng: of what is drawn.
        strength: of the jitter, by that of the detector.
    """
    rows, boxes, scores = [np.zeros(0, np.int64)], [np.zeros((0, 4))], [np.zeros(0)]
    for _, own in _objects(truth):
        seen = own[~_gone(len(own), truth.frames[own], errors, rng)]
        if len(seen):
            rows.append(seen)
            boxes.append(changed(centred(truth.boxes[seen]), strength * _jitter(truth.frames[seen], errors, rng)))
            scores.append(np.interp(rng.random(len(seen)), _QUANTILES, errors.scores))
    ids = [_ids(truth)[own] for own in rows]
    frames = [truth.frames[own] for own in rows]
    for frame, box in _false_boxes(truth, errors, rng):
        frames.append(frame)
        boxes.append(box)
        ids.append(np.full(len(frame), -1))
        scores.append(np.interp(rng.random(len(frame)), _QUANTILES, errors.false_scores))
    every = np.concatenate(frames)
    order = np.argsort(every, kind="stable")
    seen_boxes = cornered(np.concatenate(boxes))[order]
    seen = replace(
        truth, frames=every[order], boxes=seen_boxes, scores=np.concatenate(scores)[order], rows=order,
        classes=np.zeros(len(order), np.int64), ids=np.concatenate(ids)[order],
    )  # fmt: skip
    return Lesson(seen, truth)


def _gone(count: int, frames: np.ndarray, errors: Errors, rng: np.random.Generator) -> np.ndarray:
    """Which frames are missed, in runs: a chain of two states with the object's share of misses."""
    del frames
    share = float(np.interp(rng.random(), _QUANTILES, errors.missed))
    begins = min(0.95, share * (1 - errors.stays) / max(0.02, 1 - share))
    chances, gone = rng.random(count), np.empty(count, bool)
    now = rng.random() < share
    for step in range(count):
        gone[step] = now
        now = chances[step] < (errors.stays if now else begins)
    return gone


def _jitter(frames: np.ndarray, errors: Errors, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal((len(frames), 4))
    keeps = errors.lasting ** np.diff(frames, prepend=frames[0] - 100)
    for step in range(1, len(frames)):
        noise[step] = keeps[step] * noise[step - 1] + np.sqrt(1 - keeps[step] ** 2) * noise[step]
    return np.asarray(errors.bias) + noise * errors.spread


def _false_boxes(truth: BoxSequence, errors: Errors, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """False boxes, each for a while at a place where boxes of such a size are."""
    if not len(truth):
        return []
    length = 1 / (1 - errors.false_stays)
    found = []
    for row in rng.integers(0, len(truth), rng.poisson(errors.false * len(truth) / length)):
        begin = int(rng.integers(truth.first, truth.first + truth.length))
        frames = np.arange(begin, min(begin + rng.geometric(1 / length), truth.first + truth.length))
        box = centred(truth.boxes[row : row + 1])
        box[:, :2] += rng.standard_normal(2) * box[:, 2:] * 1.5
        found.append((frames, changed(box, _jitter(frames, replace(errors, bias=(0.0,) * 4), rng))))
    return found


def _objects(truth: BoxSequence) -> list[tuple[int, np.ndarray]]:
    ids = _ids(truth)
    order = np.argsort(ids, kind="stable")
    names, begins = np.unique(ids[order], return_index=True)
    return [(int(name), np.sort(rows)) for name, rows in zip(names, np.split(order, begins[1:]), strict=True)]


def _ids(sequence: BoxSequence) -> np.ndarray:
    assert sequence.ids is not None
    return sequence.ids


def _plain(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
