"""The stream of an action recognizer: a skeleton or a frame in, what is done now out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float64

from sluicegate.data.pose import Pose
from sluicegate.data.skeletons import LARGEST, Clip, Skeletons
from sluicegate.errors import ConfigError, DataError
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.tasks.classification.predictions import predictions

from .bodies import Sums
from .memory import Memory, restored, taken
from .model import causal_in
from .prepared import next_steps, remembered
from .rate import at_rate
from .running import Reader
from .trained import Trained

KIND = "recognize-actions"


class ActionStream(GuardedStream):
    """A stream of one person's skeletons, or of frames: what is done now, its probability, and since when.

    With `causal=True` at `fit` the network goes on from where it is: a step costs the same however long the stream
    goes on, and the answer is that of `predict` of all steps so far, to the bit. Otherwise the last `window` steps are
    kept, and each answer is that of `predict` of these.

    Where training knew the times of frames, a `time` with each step brings them to the rate of training: frames may be
    late, or missing. Without times a step is a step. Joints that are not seen stay where they were last seen.

    Open it by `ActionRecognizer.open_stream`.
    """

    def __init__(self, trained: Trained, fingerprint: str, pose: Pose | None) -> None:
        self._trained, self.fingerprint, self._pose = trained, fingerprint, pose
        self._reader = Reader(causal_in(trained.model)) if trained.shape.causal else None
        self._memory = Memory()
        if pose is not None:
            pose.reset()

    @property
    def nbytes(self) -> int:
        """The memory of the state, in bytes."""
        return sum(array.nbytes for array in self._memory.arrays().values())

    @alone
    def push(self, x: Any, time: Any = None) -> Any:
        """Read a step, or a chunk of them.

        Args:
            x: a skeleton `[joint, 2 or 3]`, NaN for joints that are not seen, or a mapping with `joints`, null for
                those not seen, and `time`; a frame of video `[height, width, 3]` of whole numbers from 0 to 255; or a
                chunk: skeletons `[time, joint, 2 or 3]`, or a sequence of skeletons or mappings.
            time: of the step in seconds, which must ascend; of a chunk, one for each; None where it is not known.

        Returns:
            Of a step, a mapping with `label`, its `probability`, `since`, the time when the action began, or without
            times the number of the step, and for each action `probability_` and its name; all are None until somebody
            was seen. Of a chunk a polars frame of these columns, with a row for each step.

        Raises:
            DataError: it is something else, or time goes back; the state is as it was.
            ConfigError: it is a frame, and the stream was opened without a pose model.
            StreamError: the stream was finished.
        """
        self.require_running()
        values, times, several = self._pushed(x, time)
        memory, rows = self._memory, []
        for step in range(len(values)):
            memory, row = self._step(memory, values[step : step + 1], None if times is None else float(times[step]))
            rows.append(row)
        self._memory = memory
        return pl.DataFrame(rows, schema=self._schema()) if several else rows[0]

    @alone
    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        self.require_running()
        self.finished = True

    @alone
    def reset(self) -> None:
        """Begin anew, with another person or another video."""
        self._memory, self.finished = Memory(), False
        if self._pose is not None:
            self._pose.reset()

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says; where in a frame the person was is not part of it."""
        return taken(KIND, self.fingerprint, self._memory, finished=self.finished)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        self._memory, self.finished = restored(KIND, self.fingerprint, snapshot, self._trained)

    def _step(self, memory: Memory, values: Skeletons, time: float | None) -> tuple[Memory, dict[str, Any]]:
        """Read a step: what is remembered then, and the answer."""
        steps, at = memory.steps + 1, float(memory.steps) if time is None else time
        if memory.probabilities is None and np.isnan(values).all():
            return replace(memory, steps=steps, time=time), dict.fromkeys(self._schema())
        if (rate := self._trained.reader.rate) is None or time is None:
            new, place = values, memory.place
        else:
            new, place = at_rate(values, np.array([time]), rate, memory.place)
        memory = replace(memory, steps=steps, time=time, place=place)
        if len(new):
            memory = self._onwards(memory, new) if self._reader is not None else self._windowed(memory, new)
        assert memory.probabilities is not None
        shown = memory.probabilities[None]
        number = int(self._trained.decision.answers(shown)[0])
        if number != memory.number:
            memory = replace(memory, number=number, since=at)
        said = predictions(self._trained.labels, self._trained.decision, shown)
        row = {name: column[0] for name, column in said.items()}
        return memory, {**_plain(row, 0, 2), "since": memory.since, **_plain(row, 2)}

    def _onwards(self, memory: Memory, values: Skeletons) -> Memory:
        trained, reader = self._trained, self._reader
        assert reader is not None
        normal, sums = trained.reader.bodies.onwards(values, memory.sums or Sums())
        before = normal[:0] if memory.normal is None else memory.normal
        features = next_steps(trained.reader, trained.standard, before, normal)
        logits, reading = reader.read(features, memory.reading or reader.begin())
        probabilities = trained.decision.calibrated(logits[-1:])[0]
        return replace(
            memory, sums=sums, normal=remembered(before, normal), reading=reading, probabilities=probabilities
        )

    def _windowed(self, memory: Memory, values: Skeletons) -> Memory:
        whole = values if memory.values is None else np.concatenate([memory.values, values])
        kept: Skeletons = whole[-self._trained.window :]
        if np.isnan(kept).all():  # lost for as long: the answer stands
            return replace(memory, values=kept)
        seen = np.flatnonzero(~np.isnan(kept).all((1, 2)))
        inputs = self._trained.prepared([Clip(kept[seen[0] : seen[-1] + 1])])
        return replace(memory, values=kept, probabilities=self._trained.probabilities(inputs)[0])

    def _pushed(self, x: Any, time: Any) -> tuple[Skeletons, Float64[np.ndarray, " time"] | None, bool]:
        """What was pushed, held to what it must be: skeletons, their times, and whether they came as a chunk."""
        if isinstance(x, Mapping) or (isinstance(x, Sequence) and len(x) and isinstance(x[0], Mapping)):
            rows = [x] if isinstance(x, Mapping) else list(x)
            joints = [_joints(row, number) for number, row in enumerate(rows)]
            told = [row.get("time") for row in rows]
            times = None if any(at is None for at in told) else told
            values = self._skeletons(joints)[0]
            return values, self._times(times, len(values)), not isinstance(x, Mapping)
        if isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim == 3 and x.shape[-1] == 3:
            x = self._found(x, time)
        values, several = self._skeletons(x)
        return values, self._times(time, len(values)), several

    def _skeletons(self, x: Any) -> tuple[Skeletons, bool]:
        """Skeletons, and whether they came as a chunk."""
        shape = self._trained.shape
        try:
            values = np.asarray(x, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"what was pushed is no array of numbers ({error}): expected a skeleton") from error
        if values.ndim not in (2, 3) or values.shape[-2:] != (shape.joints, shape.dimensions):
            raise DataError(
                f"what was pushed is of shape {values.shape}: expected a skeleton, [{shape.joints}, "
                f"{shape.dimensions}], or a chunk of them, in the joint layout of training"
            )
        chunk = values if values.ndim == 3 else values[None]
        chunk = np.where(np.isnan(chunk).any(2, keepdims=True), np.nan, chunk)
        if (odd := ~(np.abs(chunk) <= LARGEST) & ~np.isnan(chunk)).any():
            step, joint, _ = (int(place) for place in np.argwhere(odd)[0])
            raise DataError(
                f"joint {joint} of step {step} is at {float(chunk[odd][0])}: expected numbers of at most {LARGEST:g} "
                "in size, and NaN for joints that were not seen"
            )
        return chunk, values.ndim == 3

    def _times(self, time: Any, steps: int) -> Float64[np.ndarray, " time"] | None:
        memory = self._memory
        if time is None:
            if memory.time is not None:
                raise DataError(f"the step before came at {memory.time:g} s, and this one has no time: give `time`")
            return None
        try:
            times = np.atleast_1d(np.asarray(time, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise DataError(f"`time` (={time!r}) is no number of seconds: expected one for each step") from error
        if times.shape != (steps,):
            raise DataError(f"`time` is of shape {times.shape}: expected {steps}, one for each step")
        if memory.steps and memory.time is None:
            raise DataError("the steps before came without times, and this one has one: leave `time` out, or reset")
        before = np.concatenate([[-np.inf if memory.time is None else memory.time], times])
        wrong = ~(np.diff(before) > 0) | ~np.isfinite(times)
        if wrong.any():
            step = int(wrong.argmax())
            raise DataError(
                f"a step came at {before[step + 1]:g} s after one at {before[step]:g} s: expected times in seconds "
                "that ascend; put the frames into their order"
            )
        return times

    def _found(self, picture: np.ndarray, time: Any) -> np.ndarray:
        if self._pose is None:
            raise ConfigError(
                "a frame was pushed, and nothing finds skeletons in it: open the stream with `pose_model`"
            )
        return self._pose(picture, float(self._memory.steps) / 25 if time is None else float(time))

    def _schema(self) -> dict[str, Any]:
        names = [f"probability_{label}" for label in self._trained.labels.classes]
        kind = pl.Series(list(self._trained.labels.classes)).dtype
        return {"label": kind, **dict.fromkeys(["probability", "since", *names], pl.Float64)}


def _plain(row: Mapping[str, Any], begin: int, end: int | None = None) -> dict[str, Any]:
    """Some of the columns in the types of Python."""
    some = list(row.items())[begin:end]
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in some}


def _joints(row: Mapping[str, Any], number: int) -> np.ndarray:
    """The joints of a mapping; null, or a list with null, is one that was not seen."""
    joints = row.get("joints")
    if not isinstance(joints, Sequence) or isinstance(joints, str) or not len(joints):
        raise DataError(f"row {number} has no `joints`: expected a list with [x, y] or [x, y, z] for each joint")
    sizes = {len(joint) for joint in joints if isinstance(joint, Sequence)}
    if len(sizes) != 1:
        raise DataError(f"row {number} has joints of {sorted(sizes) or 'no'} numbers: expected 2 or 3 for each")
    size = sizes.pop()
    try:
        return np.array(
            [[np.nan] * size if j is None else [np.nan if v is None else float(v) for v in j] for j in joints]
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"row {number} has a joint that is no list of numbers ({error})") from error
