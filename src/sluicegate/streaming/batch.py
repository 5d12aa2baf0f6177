"""Thousands of streams of a layer side by side: those that have input are stepped together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy import ndarray
from torch import Tensor, from_numpy
from torch.nn import Module

from sluicegate.errors import ConfigError, StreamError

from .inputs import as_array
from .models import Sizes, State
from .opening import model_of
from .states import Hidden, from_snapshot, in_torchs_form, to_snapshot

X = TypeVar("X", Tensor, ndarray)


class StreamBatch:
    """Streams of one layer, each in a slot of its own.

    A push names the slots that have input and steps them together, which reads the weights once for all of them; the
    others stay as they are, and nobody waits for anybody. What a slot puts out has the bits of a `LayerStream` of the
    same input, whichever slots are stepped beside it.

    Args:
        layer: As `LayerStream` takes it, with the weights that it has now. One that the fused kernels do not know is
            computed a row at a time, which saves nothing.
        slots: How many there are, numbered from 0. Each has a state of zeros at first.

    All memory is that of the states, `nbytes`, taken at once, and in each push what its rows take.

    Raises:
        ConfigError: The layer cannot be streamed, or `slots` is no whole number from 1 up.

    Example:
        >>> import torch
        >>> from sluicegate.nn import GRU
        >>> from sluicegate.streaming import LayerStream
        >>> layer, x = GRU(3, 5), torch.randn(2, 3)
        >>> streams = StreamBatch(layer, slots=1000)
        >>> outputs = streams.push([17, 4], x)
        >>> outputs.shape, torch.equal(outputs[1], LayerStream(layer).push(x[1]))
        (torch.Size([2, 5]), True)
        >>> moved = LayerStream(layer)
        >>> moved.restore(streams.snapshot(17))
    """

    def __init__(self, layer: Module, slots: int) -> None:
        if isinstance(slots, bool) or not isinstance(slots, int) or slots < 1:
            raise ConfigError(f"`slots` (={slots!r}) must be a whole number from 1 up")
        self._model = model_of(layer)
        self._state: State = self._model.sizes.zeros(slots)
        self._finished: set[int] = set()
        self._order = np.arange(slots)
        self._place = np.zeros(slots, np.int64)  # of each slot in the last push

    def __len__(self) -> int:
        """Count the slots."""
        return len(self._order)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the layer's settings and weights, to which snapshots are bound."""
        return self._model.fingerprint

    @property
    def sizes(self) -> Sizes:
        """What a step reads and gives: the width of the input, of the outputs, and the type of numbers."""
        return self._model.sizes

    @property
    def nbytes(self) -> int:
        """The memory of all states, in bytes."""
        return sum(part.nbytes for part in self._state)

    def push(self, slots: Sequence[int] | ndarray | Tensor, x: X) -> X:
        """Take a step in some of the slots.

        Args:
            slots: Which, in any order, each once at most; none is well.
            x: `[slots input]`, a step for each: a tensor on the CPU or an array, of the layer's type of numbers.

        Returns:
            The outputs of the last layer, `[slots hidden]`, a tensor or an array as `x` is one, without a gradient.

        Raises:
            ConfigError: A slot does not exist, or is named twice; all states are as they were.
            DataError: `x` is something else; all states are as they were.
            StreamError: A slot was finished; all states are as they were.
        """
        rows = self._rows(slots)
        inputs = self._model.sizes.inputs
        expected = f"`[slots input]`, with {len(rows)} slots and an input of {inputs}"
        array = as_array(x, self._model.sizes.dtype, ((len(rows), inputs),), expected)
        if self._finished and (ended := self._finished.intersection(rows.tolist())):
            slot = min(ended)
            raise StreamError(f"slot {slot} was finished: begin it anew with `reset({slot})`, or `restore` a snapshot")
        before = tuple(part.take(rows, axis=1) for part in self._state)
        outputs, after = self._model.run(array[None], before)
        for part, new in zip(self._state, after, strict=True):
            part[:, rows] = new
        shown: ndarray = outputs[0]
        return from_numpy(shown) if isinstance(x, Tensor) else shown

    def state(self, slot: int) -> Hidden:
        """Copy the state of a slot, as `layer(x, state)` takes it: `h`, `[layers hidden]`, or `(h, c)` of an LSTM."""
        return in_torchs_form(self._of(slot))

    def finish(self, slot: int) -> Hidden:
        """End the stream in a slot, which takes nothing more until it is reset or restored.

        Returns:
            Its last state.

        Raises:
            ConfigError: There is no such slot.
            StreamError: It was finished before.
        """
        last = self.state(slot)
        if slot in self._finished:
            raise StreamError(f"slot {slot} was finished before: begin it anew with `reset({slot})`")
        self._finished.add(slot)
        return last

    def reset(self, slots: int | Sequence[int] | ndarray | Tensor) -> None:
        """Begin anew in a slot, or in several, with a state of zeros.

        Raises:
            ConfigError: A slot does not exist, or is named twice.
        """
        rows = self._rows(np.atleast_1d(slots))
        for part in self._state:
            part[:, rows] = 0
        self._finished.difference_update(rows.tolist())

    def snapshot(self, slot: int) -> bytes:
        """Write down the state of a slot: the same bytes as a `LayerStream` in this state gives.

        Raises:
            ConfigError: There is no such slot.
        """
        return to_snapshot(self._model, self._of(slot), finished=slot in self._finished)

    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on in a slot from a snapshot, of any slot or of a `LayerStream` of the same layer.

        Raises:
            ConfigError: There is no such slot.
            SnapshotError: It is none of this layer with these weights; the state is as it was.
        """
        self._of(slot)
        state, finished = from_snapshot(self._model, snapshot)
        for part, new in zip(self._state, state, strict=True):
            part[:, slot] = new[:, 0]
        (self._finished.add if finished else self._finished.discard)(slot)

    def _of(self, slot: int) -> State:
        (row,) = self._rows([slot])
        return tuple(part[:, row : row + 1] for part in self._state)

    def _rows(self, slots: Sequence[int] | ndarray | Tensor) -> ndarray:
        """Find the slots by number, and refuse those that are none or named twice."""
        rows: ndarray = np.asarray(slots)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise ConfigError(f"`slots` (={slots!r}) must be a list of whole numbers")
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            wrong = rows[(rows < 0) | (rows >= len(self))][0]
            raise ConfigError(f"`slots` names {wrong}, and they are from 0 to {len(self) - 1}")
        rows = rows.astype(np.int64, copy=False)
        if len(rows) > 1:
            order = self._order[: len(rows)] if len(rows) <= len(self) else np.arange(len(rows))
            self._place[rows] = order
            if (lost := self._place[rows] != order).any():  # the place of one that is named again
                raise ConfigError(f"`slots` names {rows[lost.argmax()]} twice: push its next step in a call of its own")
        return rows
