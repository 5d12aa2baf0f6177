"""The stream of a series classifier: a step of a recording in, the class of what was read so far out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Float64

from sluicegate.data import Recordings, Source
from sluicegate.data.ascending import require_ascending
from sluicegate.data.columns import LARGEST, numbers_of, select
from sluicegate.errors import DataError
from sluicegate.runtime.recordings.memory import Key, Memory, Probabilities, Pushed, restored, taken
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.tasks.classification.predictions import predictions
from sluicegate.tasks.config import listed

from .running import reader_of
from .trained import Trained

KIND = "classify-series"
_SOURCE = Source("what was pushed", place=lambda row: f"row {row}")


class SeriesStream(GuardedStream):
    """A stream of recordings: a step in, the class of what was read so far out, with its probabilities.

    With `causal=True` at `fit` the network goes on from where it is: a step costs the same however long the recording
    is, and the answer is that of `predict` of all steps so far. Otherwise the last `window` steps are kept, and each
    answer is that of `predict` of these. No bit differs, whichever way the steps were pushed.

    Rows that name their recording, in the column that told recordings apart in training, are of as many recordings as
    there are names, each with a state of its own; rows that do not are all of one. Where the rows have the column of
    times that training had, these must ascend. A step without a finite number in every channel is refused.

    Open it by `SeriesClassifier.open_stream`.
    """

    def __init__(self, trained: Trained, fingerprint: str) -> None:
        self._trained, self.fingerprint = trained, fingerprint
        self._reader = reader_of(trained.causal_members) if trained.shape.causal else None
        self._memories: dict[Key, Memory] = {}

    @property
    def nbytes(self) -> int:
        """The memory of all states, in bytes."""
        return sum(array.nbytes for memory in self._memories.values() for array in memory.arrays.values())

    @alone
    def push(self, x: Any) -> Any:
        """Read a step, or a chunk of them.

        Args:
            x: a step as an array `[channels]` or as a mapping from the names of the channels to numbers, which may
                hold other columns too; or a chunk: an array `[time, channels]`, a sequence of mappings, or a data
                frame.

        Returns:
            Of a step, a mapping with `label`, its `probability`, and for each class `probability_` and its name; of a
            chunk a polars frame of these columns, with a row for each step.

        Raises:
            DataError: it is something else; the state is as it was.
            StreamError: the stream was finished.
        """
        self.require_running()
        pushed = self._pushed(x)
        memories, probabilities = dict(self._memories), np.empty((len(pushed.values), self._trained.shape.classes))
        for key, part in pushed.parts():
            memory = memories.get(key) or Memory({}, None)
            self._require_ascending(memory, pushed, part)
            memories[key], probabilities[part] = self._read(memory, pushed.values[part])
            memories[key] = replace(memories[key], time=pushed.times[part][-1] if pushed.times else memory.time)
        self._memories = memories
        frame = pl.DataFrame(predictions(self._trained.labels, self._trained.decision, probabilities))
        return frame if pushed.several else frame.row(0, named=True)

    @alone
    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        self.require_running()
        self.finished = True

    @alone
    def reset(self, recording: Any = None) -> None:
        """Begin anew.

        Args:
            recording: the name of one recording, a tuple where several columns tell them apart; None is all.
        """
        if recording is None:
            self._memories, self.finished = {}, False
        else:
            self._memories.pop(recording if isinstance(recording, tuple) else (recording,), None)

    def snapshot(self) -> bytes:
        """Write down the states of all recordings, as `Stream.snapshot` says."""
        return taken(KIND, self.fingerprint, self._memories, finished=self.finished)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        kept = None if self._reader is not None else self._trained.window
        self._memories, self.finished = restored(KIND, self.fingerprint, snapshot, self._trained.shape, kept)

    def _read(self, memory: Memory, values: Float64[np.ndarray, "time channels"]) -> tuple[Memory, Probabilities]:
        """Read steps of one recording: what is remembered then, and the probabilities after each step."""
        trained = self._trained
        if self._reader is None:
            kept = memory.arrays.get("values", values[:0])
            probabilities = np.empty((len(values), trained.shape.classes))
            for step in range(len(values)):
                kept = np.concatenate([kept, values[step : step + 1]])[-trained.window :]
                windowed = trained.windowed(Recordings.of_arrays([kept], channels=trained.columns.channels))
                probabilities[step] = trained.probabilities(windowed)[0]
            return Memory({"values": kept}, memory.time), probabilities
        before = memory.reading or self._reader.begin(1)
        features = trained.standard.apply(values, memory.arrays.get("last"))
        pooled, reading = self._reader.read(features[None], before)
        logits = self._reader.logits(pooled[:, 0])
        held = memory.arrays.get("logits")
        logits = logits if held is None else np.concatenate([held, logits])
        # The answer after a frame holds until the next one ends.
        stride, frames = trained.shape.stride, -(-before.steps // trained.shape.stride)
        ended = (before.steps + np.arange(len(values))) // stride + 1 - frames
        probabilities = trained.decision.calibrated(logits[ended - (1 if held is None else 0)])
        return Memory.of_reading(reading, values[-1:], logits[-1:], memory.time), probabilities

    def _pushed(self, x: Any) -> Pushed:
        """What was pushed, held to what it must be."""
        channels = self._trained.columns.channels
        if isinstance(x, Mapping) or (isinstance(x, Sequence) and len(x) and isinstance(x[0], Mapping)):
            rows = [x] if isinstance(x, Mapping) else list(x)
            values = _plain_numbers(rows, channels)
            if values is not None:
                self._require_numbers(values)
                return Pushed(values, self._keys(rows), self._times(rows), several=rows[0] is not x)
            x, several = _table_of(rows), not isinstance(x, Mapping)
            return replace(self._pushed(x), several=several)
        if (table := _as_table(x)) is not None:
            columns = select(table, list(channels), _SOURCE)
            values = np.stack([numbers_of(columns[name], _SOURCE.row) for name in channels], axis=1)
            self._require_numbers(values)
            rows = nw.from_native(table, eager_only=True).rows(named=True)
            return Pushed(values, self._keys(rows), self._times(rows), several=True)
        values = np.asarray(x)
        if values.ndim not in (1, 2) or values.shape[-1] != len(channels) or values.dtype.kind not in "fiub":
            raise DataError(
                f"what was pushed is of shape {values.shape} and type {values.dtype}: expected a step, [channels], or "
                f"a chunk, [time, channels], of the {len(channels)} channels {', '.join(channels)}"
            )
        self._require_numbers(chunk := np.atleast_2d(values).astype(np.float64))
        return Pushed(chunk, [()] * len(chunk), [], several=values.ndim == 2)

    def _require_numbers(self, values: Float64[np.ndarray, "time channels"]) -> None:
        if not (np.abs(values) <= LARGEST).all():
            row = int((~(np.abs(values) <= LARGEST)).any(1).argmax())
            name = self._trained.columns.channels[int((~(np.abs(values[row]) <= LARGEST)).argmax())]
            raise DataError(
                f"channel {name!r} has no finite number of at most {LARGEST:g} in size in {_SOURCE.row(row)}: fill it "
                "in before it is pushed, or leave that step out"
            )

    def _keys(self, rows: Sequence[Mapping[str, Any]]) -> list[Key]:
        names = listed(self._trained.columns.series)
        keys: list[Key] = []
        for number, row in enumerate(rows):
            key: tuple[Any, ...] = tuple(_plain(row.get(name)) for name in names)
            keys.append(() if all(part is None for part in key) else key)
            if not all(isinstance(part, str | int) for part in keys[-1]):
                raise DataError(
                    f"the columns {', '.join(names)} hold {key!r} in {_SOURCE.row(number)}: expected texts or whole "
                    "numbers that tell recordings apart, or none at all"
                )
        return keys

    def _times(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        time = self._trained.columns.time
        if time is None or any(time not in row for row in rows):
            return []
        return [_plain(row[time]) for row in rows]

    def _require_ascending(self, memory: Memory, pushed: Pushed, part: Any) -> None:
        if not pushed.times:
            return
        given = pushed.times[part]
        times = [*([] if memory.time is None else [memory.time]), *given]
        if all(type(at) is float or type(at) is int for at in times) and all(np.diff(times) > 0):
            return
        try:
            column = pl.Series(self._trained.columns.time, times)
        except TypeError as error:
            raise DataError(f"the times {times[-2:]!r} are of several types: write them in one way") from error
        before = len(times) - len(given)
        require_ascending(column, np.array([0, len(times)]), lambda row: _SOURCE.row(part.start + row - before))


def _plain_numbers(rows: Sequence[Mapping[str, Any]], channels: Sequence[str]) -> Float64[np.ndarray, "_ _"] | None:
    """The channels where all are there as numbers; None leaves what else there may be to the reader of tables."""
    try:
        found = [[row[name] for name in channels] for row in rows]
    except KeyError:
        return None
    if not all(isinstance(value, float) or type(value) is int for values in found for value in values):
        return None
    try:
        return np.array(found, np.float64)
    except OverflowError:
        return None


def _plain(value: Any) -> Any:
    """A name or a time as JSON holds it."""
    value = value.item() if isinstance(value, np.generic) else value
    return value.isoformat() if hasattr(value, "isoformat") else value


def _table_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"what was pushed is no row of a table ({' '.join(str(error).split())}): give numbers"
        ) from error


def _as_table(x: Any) -> Any:
    try:
        return nw.from_native(x, eager_only=True).to_native()
    except TypeError:
        return None
