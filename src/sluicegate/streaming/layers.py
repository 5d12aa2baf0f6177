"""A stream of a layer: the state of one sequence, pushed on step by step."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy import ndarray
from torch import Tensor, from_numpy
from torch.nn import Module

from sluicegate import _core

from .guarding import OneAtATime
from .inputs import as_array
from .models import Model, State
from .opening import model_of
from .states import Hidden, from_snapshot, in_torchs_form, to_snapshot
from .stream import Stream

X = TypeVar("X", Tensor, ndarray)


class LayerStream(Stream):
    """A stream of a GRU, LSTM, RNN, MinGRU or LiGRU of `sluicegate.nn`, of any depth, that reads one way.

    It computes what `layer(x)` computes in evaluation, without dropout, whatever mode the layer is in. To the bit, if
    the fused kernels compute the layer; what they do not know, a projection, layer norm or 64-bit floats, is computed
    step by step by the equations, the same bits however it is pushed, and `layer(x)` up to rounding.

    The weights are those that the layer has when the stream is opened. Streams of a layer share them, laid out for the
    kernels, and do not see it when the layer is trained or moved later: open another then.

    Args:
        layer: It is not changed, and need not live as long as the stream.

    Raises:
        ConfigError: It reads both ways, is on another device, or no such layer.

    Example:
        >>> import torch
        >>> from sluicegate.nn import GRU
        >>> layer, x = GRU(3, 5, num_layers=2), torch.randn(7, 3)
        >>> stream = LayerStream(layer)
        >>> first = stream.push(x[0])  # a step
        >>> saved = stream.snapshot()
        >>> rest = stream.push(x[1:])  # a chunk
        >>> torch.equal(torch.cat([first[None], rest]), layer(x)[0])
        True
        >>> stream.restore(saved)
        >>> torch.equal(stream.push(x[1:]), rest)
        True
    """

    def __init__(self, layer: Module) -> None:
        self._begin(model_of(layer))

    def _begin(self, model: Model) -> None:
        self._model, self._one = model, OneAtATime()
        parts = model.sizes.zeros(1)
        self._numbers = np.concatenate([part.ravel() for part in parts])
        places = np.split(self._numbers, np.cumsum([part.size for part in parts])[:-1])
        self._state: State = tuple(place.reshape(part.shape) for place, part in zip(places, parts, strict=True))
        self._prepared = None if model.prepared is None else _core.Step(model.prepared, self._state)
        self._mark(finished=False)

    def _mark(self, *, finished: bool) -> None:
        """Begin or end to take input; only a running stream takes a step in the short way."""
        self.finished = finished
        self._step = None if finished else self._prepared

    @property
    def fingerprint(self) -> str:
        """The sha256 of the layer's settings and weights, to which snapshots are bound."""
        return self._model.fingerprint

    @property
    def state(self) -> Hidden:
        """A copy of the state as `layer(x, state)` takes it: `h`, `[layers hidden]`, or `(h, c)` of an LSTM."""
        return in_torchs_form(self._state)

    def push(self, x: X) -> X:
        """Read a step, or a chunk of them.

        Args:
            x: `[input]`, a step, or `[time input]`, a chunk, which may be empty: a tensor on the CPU or an array, of
                the layer's type of numbers. Any number is taken, NaN too, which the state then does not get rid of.

        Returns:
            The outputs of the last layer, `[hidden]` or `[time hidden]`, a tensor or an array as `x` is one, without
            a gradient.

        Raises:
            DataError: `x` is something else; the state is as it was.
            StreamError: The stream was finished, or another thread is pushing it.
        """
        # A line here takes microseconds beside the step of a large layer, which leaves none of it in the caches.
        self._one.take()
        try:
            output: X | None = None if self._step is None else self._step.push(x)
            return self._push_any(x) if output is None else output
        finally:
            self._one.release()

    def _push_any(self, x: X) -> X:
        """Do the same with a chunk, and with whatever may come."""
        self.require_running()
        inputs, dtype = self._model.sizes.inputs, self._model.sizes.dtype
        expected = f"`[input]`, a step, or `[time input]`, a chunk, with an input of {inputs}"
        array = as_array(x, dtype, ((inputs,), (None, inputs)), expected)
        outputs, after = self._model.run(array.reshape(-1, 1, inputs), self._state)
        self._go_to(after)
        shown = outputs[:, 0] if array.ndim == 2 else outputs[0, 0]
        return from_numpy(shown) if isinstance(x, Tensor) else shown

    def _go_to(self, state: State) -> None:
        # In one call, so that an interruption cannot leave h of one step beside c of another.
        np.concatenate([part.ravel() for part in state], out=self._numbers)

    def finish(self) -> Hidden:
        """End the stream. A layer holds nothing back: what it returns is its last state.

        Returns:
            `h`, `[layers hidden]`, or `(h, c)` of an LSTM, as `layer(x)` returns it of a single sequence.

        Raises:
            StreamError: It was finished before.
        """
        with self._one.held():
            self.require_running()
            self._mark(finished=True)
            return self.state

    def reset(self) -> None:
        """Begin anew, with a state of zeros."""
        with self._one.held():
            self._go_to(self._model.sizes.zeros(1))
            self._mark(finished=False)

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says; a slot of a `StreamBatch` can be restored from it too."""
        return to_snapshot(self._model, self._state, finished=self.finished)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says, of a stream or of a slot of a `StreamBatch`.

        Raises:
            SnapshotError: It is none of this layer with these weights; the state is as it was.
        """
        state, finished = from_snapshot(self._model, snapshot)
        with self._one.held():
            self._go_to(state)
            self._mark(finished=finished)

    def copy(self) -> LayerStream:
        """Make a second stream in the same state, which goes its own way from here."""
        other = LayerStream.__new__(LayerStream)
        other._begin(self._model)
        other._go_to(self._state)
        other._mark(finished=self.finished)
        return other

    def __copy__(self) -> LayerStream:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> LayerStream:
        return self.copy()
