"""Thousands of recordings side by side: those that have a step are read together, each from where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from sluicegate.data.columns import LARGEST
from sluicegate.errors import ConfigError, DataError, StreamError
from sluicegate.runtime.recordings.memory import Key, Memory, Probabilities, restored, taken
from sluicegate.runtime.recordings.reading import Reading
from sluicegate.tasks.classification.predictions import predictions

from .running import reader_of
from .stream import KIND
from .trained import Trained


class SeriesBatch:
    """Streams of one causal classifier, each of one recording in a slot of its own, as `StreamBatch` has of a layer.

    A push reads a step of some of the slots together, which reads the weights once for all of them. What a slot answers
    has the bits of a `SeriesStream` of the same steps, whichever slots are pushed beside it. A snapshot of a slot goes
    on as such a stream, and the other way around.

    Open it by `SeriesClassifier.open_batch`.

    Args:
        trained: the model.
        fingerprint: of all that answers hang on.
        slots: how many there are, numbered from 0.
    """

    def __init__(self, trained: Trained, fingerprint: str, slots: int) -> None:
        if isinstance(slots, bool) or not isinstance(slots, int) or slots < 1:
            raise ConfigError(f"`slots` (={slots!r}) must be a whole number from 1 up")
        self._trained, self.fingerprint = trained, fingerprint
        self._reader = reader_of(trained.causal_members)
        self._steps = np.zeros(slots, np.int64)
        self._last = np.zeros((slots, trained.shape.channels))
        self._logits = np.zeros((slots, trained.shape.classes))
        self._reading = self._reader.begin(slots)
        self._reading = replace(self._reading, mean=self._reading.mean.copy(), largest=self._reading.largest.copy())
        self._finished = np.zeros(slots, bool)

    def __len__(self) -> int:
        """Count the slots."""
        return len(self._steps)

    @property
    def channels(self) -> tuple[str, ...]:
        """What a step has numbers of."""
        return self._trained.columns.channels

    @property
    def classes(self) -> tuple[Any, ...]:
        """What is told apart."""
        return tuple(self._trained.labels.classes)

    @property
    def nbytes(self) -> int:
        """The memory of all states, in bytes."""
        reading, own = self._reading, (self._steps, self._last, self._logits, self._finished)
        states = [part for state in reading.states for part in state]
        return sum(part.nbytes for part in (*own, reading.seen, reading.mean, reading.largest, *states))

    def push(self, slots: Int64[ndarray, " rows"], x: Float64[ndarray, "rows channels"]) -> Probabilities:
        """Read a step in some of the slots.

        Args:
            slots: which, in any order, each once at most.
            x: the step of each, finite numbers.

        Returns:
            The probabilities of the classes after it, `[rows classes]`.

        Raises:
            ConfigError: a slot does not exist, or is named twice; all states are as they were.
            DataError: a step has a number that is not finite; all states are as they were.
            StreamError: a slot was finished; all states are as they were.
        """
        self._require(slots)
        if not (np.abs(x) <= LARGEST).all():
            row = int((~(np.abs(x) <= LARGEST)).any(1).argmax())
            raise DataError(
                f"the step of slot {slots[row]} has no finite number of at most {LARGEST:g} in size in every channel: "
                "fill it in before it is pushed, or leave that step out"
            )
        if self._finished[slots].any():
            slot = int(slots[self._finished[slots].argmax()])
            raise StreamError(f"slot {slot} was finished: begin it anew with `reset({slot})`, or `restore` a snapshot")
        before = self._steps[slots]
        last = np.where(before[:, None] > 0, self._last[slots], x)
        features = self._trained.standard.apply_to_steps(x, last)
        seen = np.concatenate([self._reading.seen[slots], features[:, None]], axis=1)
        ends = before % self._trained.shape.stride == 0
        if ends.any():
            self._end_frames(slots[ends], seen[ends], before[ends])
        self._reading.seen[slots], self._last[slots], self._steps[slots] = seen[:, 1:], x, before + 1
        return self._trained.decision.calibrated(self._logits[slots])

    def _end_frames(self, slots: Int64[ndarray, " rows"], seen: ndarray, before: Int64[ndarray, " rows"]) -> None:
        """Run the networks where a frame ends."""
        frames = np.ascontiguousarray(seen.transpose(0, 2, 1).reshape(len(seen), -1))
        reading = self._reading_of(slots)
        pooled, after = self._reader.step(frames, before // self._trained.shape.stride + 1, reading)
        for parts, found in zip(self._reading.states, after.states, strict=True):
            for part, new in zip(parts, found, strict=True):
                part[:, slots] = new
        self._reading.mean[:, slots], self._reading.largest[:, slots] = after.mean, after.largest
        self._logits[slots] = self._reader.logits(pooled)

    def shown(self, probabilities: Probabilities) -> list[dict[str, Any]]:
        """Probabilities as a stream answers them: `label`, its `probability`, and those of all classes."""
        columns = predictions(self._trained.labels, self._trained.decision, probabilities)
        names, values = list(columns), [column.tolist() if hasattr(column, "tolist") else column.to_list()
                                        for column in columns.values()]  # fmt: skip
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def finish(self, slot: int) -> None:
        """End the stream in a slot, which holds nothing back, and takes nothing until it is reset or restored.

        Raises:
            ConfigError: there is no such slot.
            StreamError: it was finished before.
        """
        self._require(np.array([slot]))
        if self._finished[slot]:
            raise StreamError(f"slot {slot} was finished before: begin it anew with `reset({slot})`")
        self._finished[slot] = True

    def reset(self, slots: int | Sequence[int] | Int64[ndarray, " rows"]) -> None:
        """Begin anew in a slot, or in several.

        Raises:
            ConfigError: a slot does not exist, or is named twice.
        """
        rows = np.atleast_1d(np.asarray(slots, np.int64))
        self._require(rows)
        for part in (self._steps, self._last, self._logits, self._finished, self._reading.seen):
            part[rows] = 0
        for part in (self._reading.mean, self._reading.largest, *(p for parts in self._reading.states for p in parts)):
            part[:, rows] = 0

    def snapshot(self, slot: int) -> bytes:
        """Write down the state of a slot: the bytes that a `SeriesStream` in this state gives.

        Raises:
            ConfigError: there is no such slot.
        """
        rows = np.array([slot])
        self._require(rows)
        memories: dict[Key, Memory] = {}
        if self._steps[slot]:
            reading = replace(self._reading_of(rows), steps=int(self._steps[slot]))
            memories[()] = Memory.of_reading(reading, self._last[rows], self._logits[rows], None)
        return taken(KIND, self.fingerprint, memories, finished=bool(self._finished[slot]))

    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on in a slot from a snapshot, of any slot or of a `SeriesStream` of one recording.

        Raises:
            ConfigError: there is no such slot.
            SnapshotError: it is none of this model, or of several recordings; the state is as it was.
        """
        rows = np.array([slot])
        self._require(rows)
        memories, finished = restored(KIND, self.fingerprint, snapshot, self._trained.shape, None)
        if len(memories) > 1:
            raise ConfigError(
                f"the snapshot is of {len(memories)} recordings, and a slot has one: restore it into a stream alone"
            )
        self.reset(slot)
        self._finished[slot] = finished
        for memory in memories.values():
            reading = memory.reading
            assert reading is not None
            self._steps[slot], self._reading.seen[rows] = reading.steps, reading.seen
            self._last[rows], self._logits[rows] = memory.arrays["last"], memory.arrays["logits"]
            self._reading.mean[:, rows], self._reading.largest[:, rows] = reading.mean, reading.largest
            for parts, found in zip(self._reading.states, reading.states, strict=True):
                for part, new in zip(parts, found, strict=True):
                    part[:, rows] = new

    def _reading_of(self, rows: Int64[ndarray, " rows"]) -> Reading:
        """How far some slots are read, but for `steps`."""
        reading = self._reading
        states = tuple(tuple(part.take(rows, axis=1) for part in parts) for parts in reading.states)
        return Reading(0, reading.seen[rows], states, reading.mean[:, rows], reading.largest[:, rows])

    def _require(self, slots: Int64[ndarray, " rows"]) -> None:
        if slots.size and (slots.min() < 0 or slots.max() >= len(self)):
            wrong = slots[(slots < 0) | (slots >= len(self))][0]
            raise ConfigError(f"`slots` names {wrong}, and they are from 0 to {len(self) - 1}")
        if len(slots) > 1 and len(np.unique(slots)) != len(slots):
            raise ConfigError("`slots` names one twice: push its next step in a call of its own")
