"""A layer as it is exported, in the form of one in int8: its matrices hold whole numbers, or floats as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import GATES
from sluicegate.ops.quantized import from_arrays
from sluicegate.ops.quantized_reference import Layer, Matrix, step
from sluicegate.runtime.layers import Stack, State, weights_of
from sluicegate.runtime.whole import is_whole as is_saved_whole


def units_of(layer: Layer) -> int:
    """How many units a layer has."""
    return len(layer.bias) // GATES[layer.cell]


def inputs_of(layer: Layer) -> int:
    """How many numbers it reads."""
    return int(layer.input.weight.shape[1])


def multiply_adds_of(layer: Layer) -> int:
    """How many a step takes in its products."""
    return int(layer.input.weight.size + (0 if layer.hidden is None else layer.hidden.weight.size))


def is_whole(layer: Layer) -> bool:
    """Whether a matrix of it holds whole numbers."""
    return layer.input.scale is not None or (layer.hidden is not None and layer.hidden.scale is not None)


class Layers:
    """Layers as they are exported, one behind the other.

    In whole numbers to the bit as `ops.quantized_reference` says it, in floats as the kernels compute it.

    Args:
        layers: of one network.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = [layer if is_whole(layer) else stack_of(layer) for layer in layers]
        self._units = [units_of(layer) for layer in layers]
        self._parts = 2 if layers[0].cell == "lstm" else 1

    def begin(self, rows: int) -> State:
        """Make the state before the first step."""
        return tuple(np.zeros((len(self._layers), rows, self._units[0]), np.float32) for _ in range(self._parts))

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Read `[time rows input]`: the outputs of the last layer, and the state after them."""
        after = tuple(part.copy() for part in state)
        for depth, layer in enumerate(self._layers):
            own = tuple(part[depth : depth + 1] for part in after)
            x, found = layer.run(x, own) if isinstance(layer, Stack) else _stepped(layer, x, own)
            for part, new in zip(after, found, strict=True):
                part[depth] = new[0]
        return x, after


class Front:
    """A map with relu, summed up as the C does it, to the bit: what follows it may round to whole numbers.

    Args:
        layer: the map.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def begin(self, rows: int) -> State:
        """Make the state, of which it has none."""
        del rows
        return ()

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Map `[time rows input]`."""
        weight, lanes = self._layer.input.weight, [np.zeros((*x.shape[:2], units_of(self._layer)), np.float32)] * 4
        for k in range(x.shape[2]):
            lanes[k % 4] = lanes[k % 4] + x[:, :, k : k + 1] * weight[:, k]
        total = self._layer.bias + ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
        return np.maximum(total, np.float32(0)), state


def _stepped(layer: Layer, x: ndarray, state: State) -> tuple[ndarray, State]:
    own: State = tuple(part[0] for part in state)
    found = np.empty((*x.shape[:2], units_of(layer)), np.float32)
    for place, given in enumerate(x):
        own = step(layer, given, own)
        found[place] = own[0]
    return found, tuple(part[None] for part in own)


def stack_of(layer: Layer) -> Stack:
    """Lay a layer of floats out for the kernels."""
    return Stack(layer.cell, [by_name(layer)], activation=layer.activation)


def by_name(layer: Layer) -> dict[str, ndarray]:
    """The weights by the names that PyTorch gives them."""
    own: dict[str, ndarray] = {"weight_ih": layer.input.weight, "bias_ih": layer.bias}
    if layer.hidden is not None:
        own |= {"weight_hh": layer.hidden.weight, "bias_hh": np.zeros_like(layer.bias)}
    if layer.hidden_bias is not None:
        own["bias_hh"][-units_of(layer) :] = layer.hidden_bias
    return own


def saved_layers(cell: str, arrays: Mapping[str, ndarray], prefix: str, layers: int) -> tuple[Layer, ...]:
    """The layers of a saved network, in the precision in which it was saved; the arguments are those of `weights_of`.

    Raises:
        ConfigError: the cell is none that is exported.
    """
    if not is_saved_whole(arrays, prefix):
        return layers_of(cell, weights_of(arrays, prefix, layers))
    activation = "relu" if cell == "ligru" else "tanh"
    own = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
    return tuple(from_arrays(cell, activation, own, f"_l{depth}") for depth in range(layers))


def layers_of(cell: str, weights: Sequence[Mapping[str, ndarray]], activation: str | None = None) -> tuple[Layer, ...]:
    """Put the weights of a stack, by the names that PyTorch gives them, in this form, in 32-bit floats.

    Raises:
        ConfigError: the cell is none that is exported.
    """
    if cell not in ("gru", "lstm", "rnn", "mingru", "ligru"):
        raise ConfigError(f"the cell {cell!r} cannot be exported: those that can are gru, lstm, rnn, mingru and ligru")
    activation = activation or ("relu" if cell == "ligru" else "tanh")
    return tuple(_layer(cell, own, activation) for own in weights)


def _layer(cell: str, own: Mapping[str, ndarray], activation: str) -> Layer:
    weight = np.asarray(own["weight_ih"], np.float32)
    zeros, units = np.zeros(len(weight), np.float32), len(weight) // GATES[cell]
    bias, hidden_bias = (np.array(own.get(name, zeros), np.float32) for name in ("bias_ih", "bias_hh"))
    apart = None
    if cell == "gru":
        apart, hidden_bias[2 * units :] = hidden_bias[2 * units :].copy(), 0
    recurrent = Matrix(np.asarray(own["weight_hh"], np.float32)) if "weight_hh" in own else None
    return Layer(cell, activation, Matrix(weight), bias + hidden_bias, recurrent, apart)
