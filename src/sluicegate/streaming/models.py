"""A layer as its streams share it: its weights as they were when the first was opened, laid out once.

A stream's step must not look through all weights for changes, as a call of the layer does: that takes longer than many
a step. So a model here has a copy of them, and weights that change later make another model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.arguments import AT, FORWARD, OUTPUT, Grid, Sequences, Shape
from sluicegate.ops.cells import ACTIVATIONS, CELLS, PRECISIONS
from sluicegate.ops.packing import lay_out
from sluicegate.ops.reference import EQUATIONS, Form, Weights, scan
from sluicegate.types import Cell

State: TypeAlias = tuple[Float[ndarray, "layers rows _"], ...]
"""`(h,)`, or `(h, c)` of an LSTM."""


Call: TypeAlias = tuple[Any, Any, Any, Any, int]
"""What `_core.forward` takes, but for the number of threads: the shape, the sequences, the input, the direction, 0."""


_AT_ONCE = 16


class Sizes(NamedTuple):
    """What a stream knows of its model."""

    cell: Cell
    inputs: int
    layers: int
    states: tuple[int, ...]
    """How wide each part of the state is; h comes first, and the outputs are as wide."""
    dtype: np.dtype[Any]

    def zeros(self, rows: int) -> State:
        """Make the state before the first step."""
        return tuple(np.zeros((self.layers, rows, width), self.dtype) for width in self.states)


class Model(ABC):
    """What the streams of a layer share. It never changes, and several threads may use it at once."""

    def __init__(self, sizes: Sizes, fingerprint: str) -> None:
        self.sizes = sizes
        self.fingerprint = fingerprint
        """Of the settings and the weights: snapshots are bound to it."""
        self.prepared: _core.Layers | None = None
        """What takes a step in one call; None where there is no shorter way than `run`."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("the streams of a layer cannot be pickled: send a `snapshot`, and `restore` it")

    @abstractmethod
    def run(self, x: Float[ndarray, "time rows input"], state: State) -> tuple[Float[ndarray, "time rows out"], State]:
        """Read a chunk.

        Returns:
            The outputs and the state after it, in memory of their own.
        """


class ByKernels(Model):
    """Computed by the fused kernels, which give a row the same bits in any company and in chunks of any length."""

    def __init__(self, sizes: Sizes, fingerprint: str, form: Form, weights: Sequence[Sequence[Tensor]]) -> None:
        super().__init__(sizes, fingerprint)
        cell = "gru_reset_before" if sizes.cell == "gru" and form.reset == "before" else sizes.cell
        kind, activation = CELLS[cell].number, ACTIVATIONS.index(form.activation)
        precision = PRECISIONS.index(form.precision)
        self._isa = _core.isa()
        self._layers = []
        for own in weights:
            shape = Shape(kind, activation, own[0].shape[1], sizes.states[0], precision)
            self._layers.append((shape, lay_out(shape, own)))
        panels = [(shape, panels.numpy()) for shape, panels in self._layers]
        kinds = [(kind, partial(make, sizes.states[0])) for kind, make in KINDS]
        self.prepared = _core.Layers(panels, torch.get_num_threads, kinds)

    def run(self, x: Float[ndarray, "time rows input"], state: State) -> tuple[Float[ndarray, "time rows out"], State]:
        """Read a chunk, as `Model.run` says."""
        if _core.isa() != self._isa:
            raise ConfigError(
                f"the stream was opened with the kernels for {self._isa!r}, and those for {_core.isa()!r} are now in "
                "use: open it anew"
            )
        (steps, rows, _), units = x.shape, self.sizes.states[0]
        after = tuple(np.empty_like(part) for part in state)
        for depth in range(self.sizes.layers):
            x, output = np.ascontiguousarray(x), np.empty((steps, rows, units), np.float32)
            call = self.call(depth, x, [part[depth] for part in state], output, [part[depth] for part in after])
            _core.forward(*call, torch.get_num_threads())
            x = output
        return x, after

    def call(
        self,
        depth: int,
        x: Float[ndarray, "time rows input"],
        before: Sequence[Float[ndarray, "rows units"]],
        output: Float[ndarray, "time rows units"],
        after: Sequence[Float[ndarray, "rows units"] | None],
    ) -> Call:
        """Put a layer's computation as `_core.forward` takes it, but for the number of threads.

        Args:
            depth: Of the layer.
            x: What it reads.
            before: The state before.
            output: Where the outputs go.
            after: Where the state goes after the last step; None where it is not wanted.

        Returns:
            Addresses in these arrays, which must live and be contiguous.
        """
        shape, panels = self._layers[depth]
        (steps, rows, inputs), units = x.shape, shape.hidden
        direction = FORWARD.copy()
        direction[AT.panels] = panels.data_ptr()
        direction[AT.h0], direction[AT.c0] = _addresses(before)
        direction[AT.h_n], direction[AT.c_n] = _addresses(after)
        direction[OUTPUT] = _address(output), rows * units, units
        return shape, Sequences(steps, rows), Grid(_address(x), rows * inputs, inputs), (direction,), 0


def _arrays(width: int) -> list[ndarray]:
    """Make room for the outputs of several steps."""
    return [np.empty(width, np.float32) for _ in range(_AT_ONCE)]


@torch.inference_mode(mode=False)  # they may be handed out when the caller is no more in it
def _tensors(width: int) -> list[Tensor]:
    # An array's tensor is made sooner, but beside the step of 1,024 units takes 4 us more to let go.
    first = torch.empty(width, dtype=torch.float32, device="cpu")
    return [first, *(torch.empty_like(first) for _ in range(_AT_ONCE - 1))]  # which takes half as long


KINDS = ((ndarray, _arrays), (Tensor, _tensors))
"""The types of what is pushed, with what makes outputs of each."""


def _addresses(state: Sequence[ndarray | None]) -> tuple[int, int]:
    """Tell where h and c are; 0 for a c that there is not."""
    return _address(state[0]), _address(state[1]) if len(state) == 2 else 0


def _address(array: ndarray | None) -> int:
    """Tell where an array's numbers are; 0 where there is none."""
    # `array.ctypes.data` takes five times as long.
    where: int = 0 if array is None else array.__array_interface__["data"][0]
    return where


class ByEquations(Model):
    """Computed by `ops.reference`, a row and a step at a time: PyTorch's products give a row other bits in a batch."""

    def __init__(self, sizes: Sizes, fingerprint: str, form: Form, weights: Sequence[Mapping[str, Tensor]]) -> None:
        super().__init__(sizes, fingerprint)
        with torch.no_grad():
            self._cells = [EQUATIONS[sizes.cell](Weights(**own), form, None) for own in weights]

    def run(self, x: Float[ndarray, "time rows input"], state: State) -> tuple[Float[ndarray, "time rows out"], State]:
        """Read a chunk, as `Model.run` says."""
        steps, rows, _ = x.shape
        output = np.empty((steps, rows, self.sizes.states[0]), self.sizes.dtype)
        after = tuple(part.copy() for part in state)
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            for row in range(rows):
                for step in range(steps):
                    output[step, row] = self._step(x[step, row], [part[:, row] for part in after])
        return output, after

    def _step(self, x: Float[ndarray, " input"], state: Sequence[Float[ndarray, "layers _"]]) -> Float[ndarray, " out"]:
        """Take a step of one row, of which the state is written anew."""
        shown = torch.from_numpy(x.copy())[None, None]  # of memory that begins at a line, as PyTorch's products see it
        for depth, cell in enumerate(self._cells):
            before = tuple(torch.from_numpy(part[depth].copy())[None] for part in state)
            shown, found = scan(cell, shown, before)
            for part, new in zip(state, found, strict=True):
                part[depth] = new[0].numpy()
        array: ndarray = shown[0, 0].numpy()
        return array
