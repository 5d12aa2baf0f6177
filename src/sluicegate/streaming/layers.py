"""A stream of a layer: the state of one sequence, pushed on step by step."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor, from_numpy
from torch.nn import Module

from sluicegate import _core

from .inputs import as_array
from .models import ByKernels, Call, Model, State, address
from .opening import model_of
from .states import Hidden, from_snapshot, in_torchs_form, to_snapshot
from .stream import Stream

X = TypeVar("X", Tensor, ndarray)

_FLOAT32 = np.dtype(np.float32)


class LayerStream(Stream):
    """A stream of a GRU, an LSTM, an RNN or a MinGRU of `sluicegate.nn`, of any depth, that reads one way.

    It computes what `layer(x)` computes in evaluation, without dropout, whatever mode the layer is in. To the bit, if
    the fused kernels compute the layer; what they do not know, a projection, layer norm, `precision="bf16"` or 64-bit
    floats, is computed step by step by the equations, the same bits however it is pushed, and `layer(x)` up to
    rounding.

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
        self._model = model
        self._mark(finished=False)
        fed = np.zeros((1, 1, model.sizes.inputs), model.sizes.dtype)
        self._fed, self._where = fed[0, 0], (address(fed), 0, 0)
        # The state goes from one side to the other with each step, so that a push that is interrupted, between two
        # layers of a stack, leaves it as it was.
        here, there = model.sizes.zeros(1), model.sizes.zeros(1)
        self._now, self._next = _side(model, fed, there, here), _side(model, fed, here, there)

    def _mark(self, *, finished: bool) -> None:
        """Begin or end to take input; only a running stream of the kernels takes a step in the short way."""
        self.finished = finished
        by_kernels = isinstance(self._model, ByKernels)
        self._step = (self._model.sizes.inputs,) if by_kernels and not finished else None

    @property
    def fingerprint(self) -> str:
        """The sha256 of the layer's settings and weights, to which snapshots are bound."""
        return self._model.fingerprint

    @property
    def state(self) -> Hidden:
        """A copy of the state as `layer(x, state)` takes it: `h`, `[layers hidden]`, or `(h, c)` of an LSTM."""
        return in_torchs_form(self._now.state)

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
            StreamError: The stream was finished.
        """
        # Every line counts: a small layer's step takes a microsecond, and a large one's leaves nothing of this in the
        # caches. So a step of the right kind does nothing but this.
        if type(x) is ndarray and x.dtype is _FLOAT32 and x.shape == self._step:
            self._fed[...] = x
            side = self._step_from(self._where)
            output = side.shown.copy()
            self._now, self._next = side, self._now
            return output
        if type(x) is Tensor and x.dtype is torch.float32 and x.shape == self._step and x.is_cpu:  # noqa: SIM102
            if x.is_contiguous() and not x.is_neg():
                side = self._step_from((x.data_ptr(), 0, 0))
                tensor, array = self._model.room()
                array[...] = side.shown
                self._now, self._next = side, self._now
                return tensor
        return self._push_any(x)

    def _step_from(self, where: tuple[int, int, int]) -> _Side:
        """Compute the other side, with the input at that address."""
        # `run` looks whether the kernels are still the same, which tests alone change: beside the step of a large
        # layer that took 5 us.
        threads = torch.get_num_threads()
        _, _, (shape, sequences, directions), above = side = self._next
        _core.forward(shape, sequences, where, directions, 0, threads)
        for call in above:
            _core.forward(*call, threads)
        return side

    def _push_any(self, x: X) -> X:
        """Do the same with whatever may come."""
        self.require_running()
        inputs, dtype = self._model.sizes.inputs, self._model.sizes.dtype
        expected = f"`[input]`, a step, or `[time input]`, a chunk, with an input of {inputs}"
        array = as_array(x, dtype, ((inputs,), (None, inputs)), expected)
        outputs, after = self._model.run(array.reshape(-1, 1, inputs), self._now.state)
        self._go_to(after)
        shown = outputs[:, 0] if array.ndim == 2 else outputs[0, 0]
        return from_numpy(shown) if isinstance(x, Tensor) else shown

    def _go_to(self, state: State) -> None:
        for part, new in zip(self._next.state, state, strict=True):
            part[...] = new
        self._now, self._next = self._next, self._now

    def finish(self) -> Hidden:
        """End the stream. A layer holds nothing back: what it returns is its last state.

        Returns:
            `h`, `[layers hidden]`, or `(h, c)` of an LSTM, as `layer(x)` returns it of a single sequence.

        Raises:
            StreamError: It was finished before.
        """
        self.require_running()
        self._mark(finished=True)
        return self.state

    def reset(self) -> None:
        """Begin anew, with a state of zeros."""
        self._go_to(self._model.sizes.zeros(1))
        self._mark(finished=False)

    def snapshot(self) -> bytes:
        """Write down the state, as `Stream.snapshot` says; a slot of a `StreamBatch` can be restored from it too."""
        return to_snapshot(self._model, self._now.state, finished=self.finished)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says, of a stream or of a slot of a `StreamBatch`.

        Raises:
            SnapshotError: It is none of this layer with these weights; the state is as it was.
        """
        state, finished = from_snapshot(self._model, snapshot)
        self._go_to(state)
        self._mark(finished=finished)

    def copy(self) -> LayerStream:
        """Make a second stream in the same state, which goes its own way from here."""
        other = LayerStream.__new__(LayerStream)
        other._begin(self._model)
        other._go_to(self._now.state)
        other._mark(finished=self.finished)
        return other

    def __copy__(self) -> LayerStream:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> LayerStream:
        return self.copy()


class _Side(NamedTuple):
    """One of the two places of the state, and the calls that compute it from the other."""

    state: State
    shown: ndarray
    """The outputs of the last layer, `[hidden]`, which are part of the state."""
    first: tuple[Any, ...]
    """The first layer's call, without the input."""
    above: list[Call]


def _side(model: Model, fed: ndarray, before: State, after: State) -> _Side:
    shown = after[0][-1, 0]
    if not isinstance(model, ByKernels):
        return _Side(after, shown, (), [])
    calls = []
    for depth in range(model.sizes.layers):
        x = fed if depth == 0 else after[0][None, depth - 1]
        # A step's output is the new h.
        wanted = [None, *(part[depth] for part in after[1:])]
        calls.append(model.call(depth, x, [part[depth] for part in before], after[0][None, depth], wanted))
    shape, sequences, _, directions, _ = calls[0]
    return _Side(after, shown, (shape, sequences, directions), calls[1:])
