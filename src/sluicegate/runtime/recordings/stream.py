"""The stream of a saved classifier of recordings: a step in, the class of what was read so far out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import DataError
from sluicegate.runtime.rows import LARGEST, Row, key_of, numbers_of, rows_of
from sluicegate.streaming.guarding import OneAtATime
from sluicegate.streaming.stream import Stream

from .memory import Key, Memory, Pushed, restored, taken
from .trained import Trained

KIND = "classify-series"
_WHERE = "what was pushed"


class SeriesStream(Stream):
    """A stream of recordings: a step in, the class of what was read so far out, with its probabilities.

    Of networks that read both ways the last window of steps is kept, and read anew for each answer.

    Answers and snapshots have the bits of the stream that `sluicegate.load(folder).open_stream()` opens.

    Open it by `SeriesClassifier.open_stream`.
    """

    def __init__(self, model: Trained) -> None:
        self._model, self._one = model, OneAtATime()
        self._memories: dict[Key, Memory] = {}

    @property
    def fingerprint(self) -> str:
        """The sha256 of all that answers hang on, to which snapshots are bound."""
        return self._model.fingerprint

    @property
    def nbytes(self) -> int:
        """The memory of all states, in bytes."""
        return sum(array.nbytes for memory in self._memories.values() for array in memory.arrays.values())

    def push(self, x: Any) -> Any:
        """Read a step, or a chunk of them.

        Args:
            x: a step as an array `[channels]` or as a mapping from the names of the channels to numbers, which may
                hold other columns too; or a chunk: an array `[time, channels]`, or a sequence of mappings.

        Returns:
            Of a step, a mapping with `label`, its `probability`, and for each class `probability_` and its name; of a
            chunk a list of them.

        Raises:
            DataError: it is something else; the state is as it was.
            StreamError: the stream was finished, or another thread is pushing it.
        """
        with self._one.held():
            self.require_running()
            pushed = self._pushed(x)
            memories, probabilities = self._advanced(pushed)
            self._memories = memories
        answers = [self._model.decision.answer(row) for row in probabilities]
        return answers if pushed.several else answers[0]

    def last_of(self, recording: Any) -> dict[str, Any]:
        """The answer after the last step of a recording.

        Raises:
            DataError: it is none, or has no steps.
        """
        pushed = self._pushed(recording)
        if not len(pushed.values):
            raise DataError("a recording has no steps: leave it out")
        return self._model.decision.answer(self._model.of_whole(pushed.values))

    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        with self._one.held():
            self.require_running()
            self.finished = True

    def reset(self, recording: Any = None) -> None:
        """Begin anew.

        Args:
            recording: the name of one recording, a tuple where several columns tell them apart; None is all.
        """
        with self._one.held():
            if recording is None:
                self._memories, self.finished = {}, False
            else:
                self._memories.pop(recording if isinstance(recording, tuple) else (recording,), None)

    def snapshot(self) -> bytes:
        """Write down the states of all recordings, as `Stream.snapshot` says."""
        return taken(KIND, self.fingerprint, self._memories, finished=self.finished)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        with self._one.held():
            found = restored(KIND, self.fingerprint, snapshot, self._model.shape, self._model.window)
            self._memories, self.finished = found

    def _advanced(self, pushed: Pushed) -> tuple[dict[Key, Memory], ndarray]:
        """What is remembered after some steps, and the probabilities after each."""
        memories, probabilities = dict(self._memories), np.empty((len(pushed.values), len(self._model.classes)))
        for key, part in pushed.parts():
            memory = memories.get(key) or Memory({}, None)
            times = pushed.times[part] if pushed.times else []
            _require_ascending(memory.time, times)
            memory, probabilities[part] = self._read(memory, pushed.values[part])
            memories[key] = replace(memory, time=times[-1]) if times else memory
        return memories, probabilities

    def _read(self, memory: Memory, values: ndarray) -> tuple[Memory, ndarray]:
        """Read steps of one recording: what is remembered then, and the probabilities after each step."""
        model, reader = self._model, self._model.reader
        if reader is None:
            return self._read_windows(memory, values)
        before = memory.reading or reader.begin(1)
        features = model.features(values, memory.arrays.get("last"))
        pooled, reading = reader.read(features[None], before)
        logits, held = reader.logits(pooled[:, 0]), memory.arrays.get("logits")
        logits = logits if held is None else np.concatenate([held, logits])
        # The answer after a frame holds until the next one ends.
        stride = model.shape.stride
        ended = (before.steps + np.arange(len(values))) // stride + 1 - -(-before.steps // stride)
        probabilities = model.decision.probabilities(logits[ended - (1 if held is None else 0)])
        return Memory.of_reading(reading, values[-1:], logits[-1:], memory.time), probabilities

    def _read_windows(self, memory: Memory, values: ndarray) -> tuple[Memory, ndarray]:
        """The same of networks that read both ways: each answer is that to the last window, which is kept."""
        model, window = self._model, self._model.window or 1
        kept = np.concatenate([memory.arrays.get("values", values[:0]), values])
        before = len(kept) - len(values)
        ends = range(before + 1, len(kept) + 1)
        found = np.array([model.of_whole(kept[max(0, end - window) : end]) for end in ends])
        return Memory({"values": kept[-window:].copy()}, memory.time), found.reshape(len(values), len(model.classes))

    def _pushed(self, x: Any) -> Pushed:
        """What was pushed, held to what it must be."""
        model = self._model
        if isinstance(x, Mapping) or (isinstance(x, Sequence) and len(x) and isinstance(x[0], Mapping)):
            rows = rows_of(x)
            values = numbers_of(rows, model.channels, _WHERE)
            return Pushed(values, self._keys(rows), self._times(rows), several=not isinstance(x, Mapping))
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise DataError(f"{_WHERE} is no array ({error}): give steps of the same number of channels") from error
        channels = len(model.channels)
        if array.ndim not in (1, 2) or array.shape[-1] != channels or array.dtype.kind not in "fiub":
            raise DataError(
                f"{_WHERE} is of shape {array.shape} and type {array.dtype}: expected a step, [channels], or a chunk, "
                f"[time, channels], of the {channels} channels {', '.join(model.channels)}"
            )
        chunk = np.atleast_2d(array).astype(np.float64)
        if len(wrong := np.argwhere(~(np.abs(chunk) <= LARGEST))):
            row, channel = wrong[0]
            raise DataError(
                f"channel {model.channels[channel]!r} has no finite number of at most {LARGEST:g} in size in row {row} "
                f"of {_WHERE}: fill it in before it is pushed, or leave that step out"
            )
        return Pushed(chunk, [()] * len(chunk), [], several=array.ndim == 2)

    def _keys(self, rows: Sequence[Row]) -> list[Key]:
        """Of which recording each row is; of none where no row says so."""
        names = self._model.told_apart_by
        return [
            () if all(row.get(name) is None for name in names) else key_of(row, names, f"row {place} of {_WHERE}")
            for place, row in enumerate(rows)
        ]

    def _times(self, rows: Sequence[Row]) -> list[Any]:
        time = self._model.time
        if time is None or any(time not in row for row in rows):
            return []
        found = [value.item() if isinstance(value := row[time], np.generic) else value for row in rows]
        return [value.isoformat() if hasattr(value, "isoformat") else value for value in found]


def _require_ascending(last: Any, times: Sequence[Any]) -> None:
    """Refuse steps that do not follow one another in time.

    Raises:
        DataError: they do not, or a time is none.
    """
    moments = [_moment(time) for time in ([] if last is None else [last]) + list(times)] if times else []
    for earlier, later in pairwise(moments):
        if type(earlier) is not type(later):
            raise DataError(f"the times {earlier!r} and {later!r} are of several types: write them in one way")
        if not earlier < later:
            raise DataError(f"the time {later} comes after {earlier} in {_WHERE}: push steps in order of time")


def _moment(time: Any) -> Any:
    if isinstance(time, int | float) and not isinstance(time, bool):
        return float(time)
    try:
        return datetime.fromisoformat(time)
    except (TypeError, ValueError):
        raise DataError(f"the time {time!r} in {_WHERE} is none: give a number or a time stamp of ISO 8601") from None
