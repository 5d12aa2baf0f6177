"""The stream of a tracker: the boxes of a frame in, the objects that are followed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.data.boxes import require_boxes, require_scores
from sluicegate.errors import DataError
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.streaming.snapshots import damaged, read, require, write

from .geometry import centred, cornered
from .running import Tracks
from .trained import Trained

KIND = "track"
_MOST = 1e12  # seconds
_SAVED = ("hits", "run", "steps", "means", "scores", "matches", "times", "begun")


class Update(NamedTuple):
    """The objects that are followed after a frame."""

    ids: Int64[np.ndarray, " objects"]
    """From 1 on, without gaps, in the order in which objects were first told."""
    rows: Int64[np.ndarray, " objects"]
    """Which of the boxes that came in is the object's; -1 where none was seen."""
    boxes: Float64[np.ndarray, "objects 4"]
    """Where it is: x and y of the upper left corner, width and height."""
    confidence: Float64[np.ndarray, " objects"]
    """The probability that an object is there."""


class TrackStream(GuardedStream):
    """A stream of frames: `update` takes the boxes of a detector, and gives those of the objects that are followed.

    Open it by `Tracker.open_stream`.

    Args:
        trained: the model.
        fingerprint: of all that answers hang on.
        rate: frames a second, where no times are given.
    """

    def __init__(self, trained: Trained, fingerprint: str, rate: float) -> None:
        self._trained, self.fingerprint, self.rate = trained, fingerprint, rate
        self._follower = trained.follower
        self.reset()

    @alone
    def update(self, boxes: Any, scores: Any = None, classes: Any = None, time: float | int | None = None) -> Any:
        """Read a frame.

        Args:
            boxes: those that a detector saw, `[boxes 4]` with x and y of the upper left corner, width and height, in
                pixels; none is well. Or a `Detections` of supervision's, which has the rest too.
            scores: how sure it was of each; None is 1.
            classes: the number of the kind of object of each; None is 0.
            time: of the frame, in seconds; None is one frame after the last.

        Returns:
            An `Update`; for a `Detections` one of the same kind, with `tracker_id`.

        Raises:
            DataError: a box is none, or the time is not after that of the last frame; the state is as it was.
            StreamError: the stream was finished.
        """
        self.require_running()
        if hasattr(boxes, "xyxy"):
            return _detections(boxes, self._update(*_of_detections(boxes), time))
        array = np.asarray(boxes, np.float64) if np.size(boxes) else np.zeros((0, 4))
        return self._update(array, scores, classes, time)

    @alone
    def push(self, x: Any) -> Any:
        """Read a frame, or several.

        Args:
            x: a mapping with `boxes`, and `scores`, `classes` and `time` where there are such; or a sequence of these.

        Returns:
            Of a frame, a mapping with `ids`, `rows`, `boxes` and `confidence`; of several a list of such.

        Raises:
            DataError: it is something else; the state is as it was before that frame.
            StreamError: the stream was finished.
        """
        self.require_running()
        if isinstance(x, Sequence) and not isinstance(x, str | bytes):
            return [self.push(one) for one in x]
        if not isinstance(x, Mapping) or "boxes" not in x:
            raise DataError(
                f"what was pushed is a {type(x).__name__}: expected a mapping with `boxes`, a list of [x, y, width, "
                "height], and `scores`, `classes` and `time` where there are such"
            )
        found = self.update(x["boxes"], x.get("scores"), x.get("classes"), x.get("time"))
        return {name: value.tolist() for name, value in found._asdict().items()}

    @alone
    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        self.require_running()
        self.finished = True

    @alone
    def reset(self) -> None:
        """Begin anew: no object is followed, and ids begin from 1."""
        self._tracks: Tracks = self._follower.begin()
        self._last, self._base, self._since = 0, 0.0, 0
        self.finished = False

    @property
    def time(self) -> float:
        """Of the last frame, in seconds; 0 before the first."""
        return self._base + self._since / self.rate

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says."""
        tracks = self._tracks
        arrays = {of.name: getattr(tracks, of.name) for of in fields(tracks) if of.name != "states"}
        arrays |= {f"state.{number}": part for number, part in enumerate(tracks.states)}
        arrays["clock"] = np.array([self._base, self.rate])
        about = {"finished": self.finished, "last": self._last, "since": self._since}
        return write(KIND, self.fingerprint, about, arrays)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        settings, arrays = read(snapshot, KIND, self.fingerprint)
        match settings:
            case {"finished": bool(finished), "last": int(last), "since": int(since)} if last >= 0 and since >= 0:
                pass
            case _:
                raise damaged("it does not say whether the stream was finished, and how far it was read")
        base, rate = require(arrays, "clock", (2,), np.float64).tolist()
        if not (0 < rate <= 1e6 and abs(base) <= _MOST):
            raise damaged("its clock is none")
        self._tracks = _restored(arrays, self._follower.begin(), last, base + since / rate)
        self._last, self._since, self._base, self.rate, self.finished = last, since, base, rate, finished

    def _update(self, boxes: np.ndarray, scores: Any, classes: Any, time: float | int | None) -> Update:
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise DataError(
                f"`boxes` is of the shape {boxes.shape}: expected [boxes 4], with x, y, width and height of each"
            )
        require_boxes(boxes, _place)
        sure = _beside("scores", scores, len(boxes), 1.0).astype(np.float64)
        require_scores(sure, _place)
        kinds = _beside("classes", classes, len(boxes), 0)
        base, since = (self._base, self._since + 1) if time is None else (self._after(time), 0)
        now = self._follower.step(
            self._tracks, self._last, base + since / self.rate, centred(boxes), sure, kinds.astype(np.int64)
        )
        self._tracks, self._last, self._base, self._since = now.tracks, now.last, base, since
        told = now.told
        return Update(now.tracks.ids[told], now.rows[told], cornered(now.boxes[told]), now.confidence[told])

    def _after(self, time: Any) -> float:
        """A time that is given, which must be after the last."""
        begun = self._since > 0 or self._base != 0 or len(self._tracks) > 0
        seconds = float(time) if isinstance(time, int | float | np.number) else np.nan
        if not abs(seconds) <= _MOST:
            raise DataError(f"`time` (={time!r}) must be seconds, a finite number")
        if begun and not seconds > self.time:
            raise DataError(
                f"`time` (={seconds:g}) is not after that of the last frame, {self.time:g}: give frames in order, or "
                "begin anew with `reset()`"
            )
        return seconds


def _place(row: int) -> str:
    return f"box {row}"


def _beside(name: str, values: Any, count: int, usual: float | int) -> np.ndarray:
    """One for each box."""
    if values is None:
        return np.full(count, usual)
    found = np.asarray(values)
    if found.shape != (count,) or (count and found.dtype.kind not in "fiu"):
        raise DataError(f"`{name}` is of the shape {found.shape}: expected one number for each of the {count} boxes")
    return found


def _of_detections(found: Any) -> tuple[np.ndarray, Any, Any]:
    boxes = np.array(found.xyxy, np.float64).reshape(-1, 4)
    boxes[:, 2:] -= boxes[:, :2]
    return boxes, getattr(found, "confidence", None), getattr(found, "class_id", None)


def _detections(given: Any, update: Update) -> Any:
    """A `Detections` of the objects that are followed and were seen, with their boxes as the detector saw them."""
    seen = update.rows >= 0
    found = given[update.rows[seen]]
    found.tracker_id = update.ids[seen]
    return found


def _restored(arrays: Mapping[str, np.ndarray], none: Tracks, last: int, time: float) -> Tracks:
    """The tracks of a snapshot.

    Raises:
        SnapshotError: they are none.
    """
    ids = require(arrays, "ids", (None,), np.int64)
    count = len(ids)
    plain = {name: require(arrays, name, (count,), np.float64) for name in _SAVED}
    plain["anchors"] = require(arrays, "anchors", (count, 4), np.float64)
    plain["inner"] = require(arrays, "inner", (count, none.inner.shape[1]), np.float32)
    states = tuple(
        require(arrays, f"state.{number}", (part.shape[0], count, part.shape[2]), part.dtype)
        for number, part in enumerate(none.states)
    )
    if not all(np.isfinite(part).all() for part in (*plain.values(), *states)):
        raise damaged("a number of a track is not finite")
    if (ids < 0).any() or (ids > last).any() or (plain["anchors"][:, 2:] <= 0).any():
        raise damaged("an id, or a box of a track, is none")
    if (plain["times"] > time).any() or (plain["begun"] > plain["times"]).any() or (plain["hits"] < 1).any():
        raise damaged("the times of its tracks are none")
    return Tracks(ids=ids, classes=require(arrays, "classes", (count,), np.int64), states=states, **plain)
