"""A layer as it is exported: its matrices in whole numbers or in floats, and the biases beside them.

The form is that of a layer in int8: the bias of every row is that of the input and of the state together, but for a
GRU's candidate, which has the state's apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import GATES


class Matrix(NamedTuple):
    """Weights of one product."""

    weight: ndarray
    """Whole numbers of 8 bits `[gates depth]`, or 32-bit floats."""
    scale: ndarray | None = None
    """What one unit of a row's sum is worth, `[gates]`; None where the weights are floats."""
    factor: ndarray | None = None
    """What each number is multiplied with before it is rounded, `[depth]` or one for all."""


class Layer(NamedTuple):
    """One layer that reads one way."""

    cell: str
    activation: str
    input: Matrix
    bias: ndarray
    hidden: Matrix | None = None
    """None of a MinGRU, and of a map with an activation."""
    hidden_bias: ndarray | None = None
    """Of a GRU's candidate, else None."""

    @property
    def units(self) -> int:
        """How many there are."""
        return len(self.bias) // GATES[self.cell]

    @property
    def inputs(self) -> int:
        """How many numbers it reads."""
        return int(self.input.weight.shape[1])

    @property
    def multiply_adds(self) -> int:
        """How many a step takes in its products."""
        return int(self.input.weight.size + (0 if self.hidden is None else self.hidden.weight.size))


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
