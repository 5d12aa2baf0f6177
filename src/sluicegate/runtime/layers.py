"""Recurrent layers and maps, computed by the kernels from arrays of NumPy's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.arguments import AT, FORWARD, OUTPUT, Grid, Sequences, Shape
from sluicegate.ops.cells import ACTIVATIONS, CELLS, GATES
from sluicegate.ops.compiled import require_same

State: TypeAlias = tuple[ndarray, ...]
"""`(h,)`, or `(h, c)` of an LSTM, each of 32-bit floats `[layers rows hidden]`."""

_LINE = 64  # bytes
_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_NORMS = ("gain_ih", "running_mean", "running_var")
_EPSILON = 1e-5  # of the normalisation


class Stack:
    """Recurrent layers of one cell, each of which reads what the one before it puts out.

    A row has the same bits in any company and in chunks of any length, as in `sluicegate.nn`.

    Args:
        cell: `gru`, `gru_reset_before`, `lstm`, `rnn`, `mingru` or `ligru`.
        weights: of each layer, 32-bit floats under the names that PyTorch gives them: `weight_ih`, `[gates input]`,
            `weight_hh`, `[gates hidden]`, and perhaps `bias_ih` and `bias_hh`; of a MinGRU those in `ih`.
        activation: `tanh` or `relu`; None is relu for a LiGRU and tanh for the others.
        threads: that compute it; no bit hangs on how many.

    Raises:
        ConfigError: the weights are not those of such layers.
    """

    def __init__(
        self, cell: str, weights: Sequence[Mapping[str, ndarray]], *, activation: str | None = None, threads: int = 1
    ) -> None:
        self.cell, self.threads, self._isa = cell, threads, _core.isa()
        activation = activation or ("relu" if cell == "ligru" else "tanh")
        self.inputs, self.hidden = _sizes(cell, weights)
        self._parts = len(CELLS[cell].state)
        self._layers: list[tuple[Shape, ndarray]] = []
        for depth, own in enumerate(weights):
            inputs = self.hidden if depth else self.inputs
            shape = Shape(CELLS[cell].number, ACTIVATIONS.index(activation), inputs, self.hidden)
            self._layers.append((shape, _lay_out(shape, own)))

    def laid_out(self, depth: int = 0) -> tuple[Shape, ndarray]:
        """The shape of a layer and its weights as the kernels read them.

        Raises:
            ConfigError: the kernels of another instruction set are in use now.
        """
        require_same(self._isa)
        return self._layers[depth]

    def begin(self, rows: int) -> State:
        """Make the state before the first step: zeros."""
        sizes = (len(self._layers), rows, self.hidden)
        return tuple(np.zeros(sizes, np.float32) for _ in range(self._parts))

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Read a chunk.

        Args:
            x: 32-bit floats `[time rows input]`.
            state: before it.

        Returns:
            The outputs of the last layer, `[time rows hidden]`, and the state after it, in memory of their own.

        Raises:
            ConfigError: the kernels of another instruction set are in use now.
        """
        (steps, rows, _), after = x.shape, tuple(np.empty_like(part) for part in state)
        for depth in range(len(self._layers)):
            shape, panels = self.laid_out(depth)
            x, output = np.ascontiguousarray(x), np.empty((steps, rows, self.hidden), np.float32)
            numbers = FORWARD.copy()
            numbers[AT.panels] = address(panels)
            for name, before, new in zip(("h", "c"), state, after, strict=False):
                numbers[getattr(AT, f"{name}0")] = address(before[depth])
                numbers[getattr(AT, f"{name}_n")] = address(new[depth])
            numbers[OUTPUT] = address(output), rows * self.hidden, self.hidden
            grid = Grid(address(x), rows * shape.input, shape.input)
            _core.forward(shape, Sequences(steps, rows), grid, (numbers,), 0, self.threads)
            x = output
        return x, after


class Product:
    """A linear map, a row of whose results has the same bits in any company.

    Args:
        weight: 32-bit floats `[out in]`.
        bias: `[out]`, added to each row; None for none.
        threads: that compute it.
    """

    def __init__(self, weight: ndarray, bias: ndarray | None = None, *, threads: int = 1) -> None:
        weight, self.threads, self._isa = plain(weight), threads, _core.isa()
        self.outputs, self.inputs = weight.shape
        held = None if bias is None else plain(bias)
        self._panels = room(_core.product_floats(self.inputs, self.outputs))
        places = address(weight), 0 if held is None else address(held)
        _core.pack_product(*places, self.inputs, self.outputs, address(self._panels))

    def __call__(self, x: ndarray) -> ndarray:
        """Map each row of `[... in]`.

        Raises:
            ConfigError: the kernels of another instruction set are in use now.
        """
        require_same(self._isa)
        rows = plain(x.reshape(-1, self.inputs))
        found = np.empty((len(rows), self.outputs), np.float32)
        sizes, given = (len(rows), self.inputs, self.outputs), (address(rows), self.inputs)
        _core.product(sizes, given, address(self._panels), (address(found), self.outputs), self.threads)
        return found.reshape(*x.shape[:-1], self.outputs)


def rectified(weight: ndarray, bias: ndarray, *, threads: int = 1) -> Stack:
    """Make `relu(W x + b)` a layer: to the kernels an RNN whose recurrent weights are zero."""
    hidden = len(weight)
    zeros = np.zeros((hidden, hidden), np.float32)
    own = {"weight_ih": weight, "weight_hh": zeros, "bias_ih": bias, "bias_hh": zeros[0]}
    return Stack("rnn", [own], activation="relu", threads=threads)


def weights_of(arrays: Mapping[str, ndarray], prefix: str, layers: int, way: str = "") -> list[dict[str, ndarray]]:
    """Find the weights of each layer of a stack among those of a network.

    Args:
        arrays: of the network, by name.
        prefix: what the names of the stack begin with, such as `cell.`.
        layers: how many there are.
        way: what the names end with: `_reverse` for those that read from the end.

    Returns:
        Those of a LiGRU with its normalisation in them, as `sluicegate.ops.normalization` has it.
    """
    found = []
    for depth in range(layers):
        own = {name: arrays[key] for name in (*_WEIGHTS, *_NORMS) if (key := f"{prefix}{name}_l{depth}{way}") in arrays}
        found.append(_folded(own) if "gain_ih" in own else own)
    return found


def plain(x: Any) -> ndarray:
    """Make 32-bit floats one after the other of numbers."""
    return np.ascontiguousarray(x, np.float32)


def address(array: ndarray) -> int:
    """Tell where an array's numbers are."""
    where: int = array.__array_interface__["data"][0]
    return where


def room(floats: int) -> ndarray:
    """Make room for 32-bit floats that begins at a line of the caches."""
    whole = np.empty(floats + _LINE // 4, np.float32)
    skipped = -address(whole) % _LINE // 4
    return whole[skipped : skipped + floats]


def _lay_out(shape: Shape, own: Mapping[str, ndarray]) -> ndarray:
    held = {name: plain(array) for name, array in own.items()}
    panels = room(_core.panel_floats(False, shape))
    _core.pack(False, shape, [address(held[name]) if name in held else 0 for name in _WEIGHTS], address(panels))
    return panels


def _folded(own: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Put the normalisation of a LiGRU into its weights, in double precision."""
    scale = own["gain_ih"].astype(np.float64) / np.sqrt(own["running_var"].astype(np.float64) + _EPSILON)
    shift = -scale * own["running_mean"].astype(np.float64)
    if "bias_ih" in own:
        shift = shift + own["bias_ih"].astype(np.float64)
    weight = own["weight_ih"].astype(np.float64) * scale[:, None]
    zeros = np.zeros(len(shift), np.float32)
    return {
        "weight_ih": weight.astype(np.float32),
        "weight_hh": own["weight_hh"],
        "bias_ih": shift.astype(np.float32),
        "bias_hh": own.get("bias_hh", zeros),
    }


def _sizes(cell: str, weights: Sequence[Mapping[str, ndarray]]) -> tuple[int, int]:
    """Hold the weights to one another: the kernels, which get bare addresses, would read on behind them."""
    if cell not in CELLS or not weights or any("weight_ih" not in own for own in weights):
        raise ConfigError(f"there are no weights of a cell {cell!r}, which must be one of {', '.join(CELLS)}")
    gates, inputs = weights[0]["weight_ih"].shape
    hidden = gates // GATES[cell]
    recurrent, biased = CELLS[cell].recurrent, "bias_ih" in weights[0]
    for depth, own in enumerate(weights):
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (GATES[cell] * hidden, hidden if depth else inputs)}
        shapes |= {"weight_hh": (gates, hidden)} if recurrent else {}
        shapes |= {"bias_ih": (gates,)} if biased else {}
        shapes |= {"bias_hh": (gates,)} if biased and recurrent else {}
        found = {name: array.shape for name, array in own.items()}
        if found != shapes or any(array.dtype != np.float32 for array in own.values()):
            raise ConfigError(f"the weights of layer {depth} are of the shapes {found}, and should be {shapes}")
    return inputs, hidden
