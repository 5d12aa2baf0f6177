"""The engines of layers and tasks: rows of many streams in one step where the model can, else one by one."""

from __future__ import annotations

import logging
from typing import Any

from numpy import ndarray
from torch.nn import Module

from sluicegate.errors import SluicegateError, StreamError
from sluicegate.streaming import StreamBatch
from sluicegate.streaming.stream import Stream
from sluicegate.tasks.classify_series import SeriesClassifier
from sluicegate.tasks.classify_series.side_by_side import SeriesBatch
from sluicegate.tasks.task import Task

from .engine import Engine
from .rows import plain, push_row

_LOG = logging.getLogger("sluicegate.serve")
_SPARE = 64  # streams that are kept for those that are opened next


class LayerEngine(Engine):
    """Streams of a layer: a row in, the outputs of the last layer out."""

    numeric = True

    def __init__(self, layer: Module, slots: int) -> None:
        self._batch = StreamBatch(layer, slots)
        self.fingerprint = self._batch.fingerprint
        sizes = self._batch.sizes
        self.columns = tuple(f"input {number}" for number in range(sizes.inputs))
        self.outputs = tuple(f"output {number}" for number in range(sizes.states[0]))
        self.dtype = self.answer_dtype = sizes.dtype

    def open(self, slot: int) -> None:
        """Begin a stream in a slot."""
        self._batch.reset(slot)

    def close(self, slot: int) -> None:
        """Let a slot go."""

    def push(self, slots: ndarray, rows: Any) -> Any:
        """Take a step, as `Engine.push` says."""
        return self._batch.push(slots, rows)

    def snapshot(self, slot: int) -> bytes:
        """The state of a slot."""
        return self._batch.snapshot(slot)

    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Engine.restore` says."""
        self._batch.restore(slot, snapshot)


class SeriesEngine(Engine):
    """Streams of a causal series classifier: a step of a recording in, the probabilities of the classes out."""

    numeric = True

    def __init__(self, batch: SeriesBatch) -> None:
        self._batch, self.fingerprint = batch, batch.fingerprint
        self.columns = batch.channels
        self.outputs = tuple(f"probability_{name}" for name in batch.classes)

    def open(self, slot: int) -> None:
        """Begin a stream in a slot."""
        self._batch.reset(slot)

    def close(self, slot: int) -> None:
        """Let a slot go."""

    def push(self, slots: ndarray, rows: Any) -> Any:
        """Take a step, as `Engine.push` says."""
        return self._batch.push(slots, rows)

    def shown(self, answers: ndarray) -> list[Any]:
        """The answers as the model's own streams give them."""
        return self._batch.shown(answers)

    def snapshot(self, slot: int) -> bytes:
        """The state of a slot."""
        return self._batch.snapshot(slot)

    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Engine.restore` says."""
        self._batch.restore(slot, snapshot)


class StreamEngine(Engine):
    """Streams of any task that has some, each pushed for itself."""

    numeric = False

    def __init__(self, task: Task) -> None:
        self._task = task
        opened = task.open_stream()
        self.fingerprint = opened.fingerprint  # type: ignore[attr-defined]
        self.rate: int | None = getattr(opened, "rate", None)
        self._spare: list[Stream] = [opened]
        self._streams: dict[int, Stream] = {}

    def open(self, slot: int) -> None:
        """Begin a stream in a slot."""
        stream = self._spare.pop() if self._spare else self._task.open_stream()
        stream.reset()
        self._streams[slot] = stream

    def close(self, slot: int) -> None:
        """Let a slot go; a few streams are kept for those that are opened next."""
        stream = self._streams.pop(slot)
        if len(self._spare) < _SPARE:
            stream.reset()
            self._spare.append(stream)

    def push(self, slots: ndarray, rows: Any) -> Any:
        """Take a step, as `Engine.push` says."""
        return [self._answer(slot, row) for slot, row in zip(slots.tolist(), rows, strict=True)]

    def finish(self, slot: int) -> Any:
        """End the stream in a slot, as `Engine.finish` says."""
        try:
            return plain(self._streams[slot].finish())
        except SluicegateError as error:
            return {"error": " ".join(str(error).split())}

    def snapshot(self, slot: int) -> bytes:
        """The state of a slot."""
        return self._streams[slot].snapshot()

    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Engine.restore` says."""
        self.open(slot)
        try:
            self._streams[slot].restore(snapshot)
        except BaseException:
            self.close(slot)
            raise

    def _answer(self, slot: int, row: Any) -> Any:
        try:
            return push_row(self._streams[slot], row, self.rate)
        except SluicegateError as error:
            return error
        except Exception:  # a fault of ours with one row is not to cost the others of its step their answers
            _LOG.exception("a row could not be read")
            return StreamError("the row could not be read, and the server's log says why: send another one")


def engine_of(model: Task | Module, slots: int) -> Engine | None:
    """The engine that suits a model.

    Args:
        model: a trained task, or a layer.
        slots: how many streams there may be at once.

    Returns:
        None for a task that has no streams.
    """
    if isinstance(model, Module):
        return LayerEngine(model, slots)
    if isinstance(model, SeriesClassifier) and model.trained.shape.causal:
        return SeriesEngine(model.open_batch(slots))
    return StreamEngine(model) if type(model).open_stream is not Task.open_stream else None


def require_engine(engine: Engine | None, task: Task | Module) -> Engine:
    """The engine, or the sentence with which a task says that it has no stream.

    Raises:
        StreamError: there is none.
    """
    if engine is None and isinstance(task, Task):
        try:
            task.open_stream()
        except SluicegateError as error:
            raise StreamError(str(error)) from None
    assert engine is not None
    return engine
