"""How well objects are followed, by TrackEval, so that figures can be compared with others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sluicegate.errors import MissingExtra

_NAMES = ("HOTA", "CLEAR", "Identity")


class Followed(NamedTuple):
    """Boxes with ids, frame by frame."""

    frames: np.ndarray  # the number of the frame of each box
    ids: np.ndarray  # whole numbers
    boxes: np.ndarray  # [boxes 4]: x, y, width, height


class TrackingScores(NamedTuple):
    """The figures of one sequence, or of several together."""

    hota: float
    """Higher order tracking accuracy in per cent (Luiten et al. 2021)."""
    idf1: float
    """The F-score of boxes that have the right id, in per cent (Ristani et al. 2016)."""
    mota: float
    """Multiple object tracking accuracy in per cent: 100 less misses, false boxes and switches by the true boxes
    (Bernardin & Stiefelhagen 2008)."""
    switches: int
    """Times that the id on a true object changes."""
    false_boxes: int
    """Boxes that are on no true one."""
    misses: int
    """True boxes that none is on."""


def _trackeval() -> Any:
    try:
        import trackeval
    except ImportError as error:
        raise MissingExtra("trackeval", "track", "measuring how objects are followed") from error
    return trackeval


def require_trackeval() -> None:
    """Refuse to begin what ends in figures where the package for these is missing.

    Raises:
        MissingExtra: it is.
    """
    _trackeval()


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The intersection over the union of each two boxes, `[first second]`, from 0 to 1.

    Args:
        first: `[boxes 4]`: x, y, width, height.
        second: likewise.
    """
    begin = np.maximum(first[:, None, :2], second[None, :, :2])
    end = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    shared = np.prod(np.maximum(end - begin, 0), axis=2)
    union = np.prod(first[:, 2:], axis=1)[:, None] + np.prod(second[:, 2:], axis=1)[None] - shared
    found: np.ndarray = shared / np.maximum(union, 1e-12)
    return found


class Evaluation:
    """What TrackEval says of tracks, sequence by sequence."""

    def __init__(self) -> None:
        metrics, quiet = _trackeval().metrics, {"PRINT_CONFIG": False}
        self._metrics = {"HOTA": metrics.HOTA(), "CLEAR": metrics.CLEAR(quiet), "Identity": metrics.Identity(quiet)}
        self._found: dict[str, dict[str, Any]] = {}

    def add(self, name: str, truth: Followed, found: Followed, frames: Sequence[int]) -> TrackingScores:
        """Measure a sequence.

        Args:
            name: of the sequence.
            truth: where the objects are.
            found: where a tracker says that they are.
            frames: the numbers of all frames.
        """
        data = _prepared(truth, found, frames)
        self._found[name] = {of: metric.eval_sequence(data) for of, metric in self._metrics.items()}
        return _scores(self._found[name])

    def total(self) -> TrackingScores:
        """All sequences together: what was counted is added up."""
        return _scores(
            {
                of: metric.combine_sequences({name: found[of] for name, found in self._found.items()})
                for of, metric in self._metrics.items()
            }
        )


def _scores(found: Mapping[str, Any]) -> TrackingScores:
    hota, clear, identity = (found[name] for name in _NAMES)
    return TrackingScores(
        hota=100 * float(np.mean(hota["HOTA"])),
        idf1=100 * float(identity["IDF1"]),
        mota=100 * float(clear["MOTA"]),
        switches=int(clear["IDSW"]),
        false_boxes=int(clear["CLR_FP"]),
        misses=int(clear["CLR_FN"]),
    )


def _prepared(truth: Followed, found: Followed, frames: Sequence[int]) -> dict[str, Any]:
    """A sequence as TrackEval takes it: ids from 0, boxes by frame, and how much each two overlap."""
    data: dict[str, Any] = {"num_timesteps": len(frames)}
    for own, of in (("gt", truth), ("tracker", found)):
        names, ids = np.unique(of.ids, return_inverse=True)
        rows = [np.flatnonzero(of.frames == frame) for frame in frames]
        data[f"num_{own}_ids"], data[f"num_{own}_dets"] = len(names), len(of.frames)
        data[f"{own}_ids"] = [ids[own_rows] for own_rows in rows]
        data[f"{own}_dets"] = [of.boxes[own_rows] for own_rows in rows]
    data["similarity_scores"] = [
        overlaps(first, second) for first, second in zip(data["gt_dets"], data["tracker_dets"], strict=True)
    ]
    return data


def switch_rows(truth: Followed, found: Followed, least: float = 0.5) -> list[tuple[int, int]]:
    """Where ids change: the frame, and the row of the box in `found` that has another id than the object had.

    Args:
        truth: where the objects are.
        found: where a tracker says that they are.
        least: overlap of boxes that are one.
    """
    from scipy.optimize import linear_sum_assignment

    held: dict[int, int] = {}
    before: dict[int, int] = {}
    marked = []
    for frame in np.unique(truth.frames):
        own, others = np.flatnonzero(truth.frames == frame), np.flatnonzero(found.frames == frame)
        overlap = overlaps(truth.boxes[own], found.boxes[others])
        same = np.array([[before.get(int(a)) == int(b) for b in found.ids[others]] for a in truth.ids[own]])
        gain = np.where(overlap >= least, overlap + 1000 * same.reshape(overlap.shape), 0)
        before = {}
        for row, column in zip(*linear_sum_assignment(-gain), strict=True):
            if gain[row, column] > 0:
                who, number = int(truth.ids[own[row]]), int(found.ids[others[column]])
                if held.setdefault(who, number) != number:
                    marked.append((int(frame), int(others[column])))
                held[who] = before[who] = number
    return marked
