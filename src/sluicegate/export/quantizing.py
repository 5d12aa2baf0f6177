"""A network in int8, in the form of `sluicegate.ops.quantized_reference`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.ops.quantized_reference import LARGEST, Layer, Matrix

from .layers import inputs_of
from .network import Network

_ONE = np.array([LARGEST], np.float32)


def in_int8(network: Network, rows: Any = None) -> Network:
    """The same network with the weights of its recurrent layers in whole numbers of 8 bits.

    State, gates, biases, maps and head stay 32-bit floats, and so does a layer whose state is not held to 1: a MinGRU,
    or one with relu.

    Args:
        network: in 32-bit floats.
        rows: `[steps inputs]`, such as the network will read: with them the input of the first layer is rounded too, at
            127 for the largest value seen of each. None leaves the input of the first layer, and its weights, floats.

    Raises:
        ConfigError: there are rows for a network whose first layer does not read them, or of another width.
    """
    seen = None if rows is None else _largest(network, np.asarray(rows, np.float64))
    return network.with_layers(
        [[_in_int8(layer, depth, seen) for depth, layer in enumerate(member.layers)] for member in network.members]
    )


def _in_int8(layer: Layer, depth: int, seen: ndarray | None) -> Layer:
    if layer.hidden is None or layer.activation != "tanh" or layer.cell == "mingru":
        return layer
    given = layer.input
    if depth:  # what it reads is the state of the layer before, which is held to 1
        given = _matrix(given.weight, _ONE)
    elif seen is not None:
        given = _matrix(given.weight, (LARGEST / seen).astype(np.float32))
    return layer._replace(input=given, hidden=_matrix(layer.hidden.weight, _ONE))


def _matrix(weight: ndarray, factor: ndarray) -> Matrix:
    """Whole numbers with a scale a row, of what is multiplied by `factor` before it is rounded."""
    exact = weight.astype(np.float64) / factor.astype(np.float64)
    largest = np.abs(exact).max(axis=1)
    scale = np.where(largest > 0, largest / LARGEST, 1.0).astype(np.float32)
    whole = np.clip(np.rint(exact / scale[:, None].astype(np.float64)), -LARGEST, LARGEST).astype(np.int8)
    return Matrix(whole, scale, factor)


def _largest(network: Network, rows: ndarray) -> ndarray:
    """The largest size of each input, on the scale on which the first layer reads it; 1 where there is but 0."""
    inputs = inputs_of(network.members[0].layers[0])
    if network.shape is not None or rows.ndim != 2 or rows.shape[1] != inputs or not len(rows):
        raise ConfigError(
            f"`rows` (of shape {rows.shape}) must be rows of the {inputs} inputs of a first layer that reads them as "
            "they come: leave them out for a classifier of recordings"
        )
    if network.mean is not None and network.unit is not None:
        rows = (rows - network.mean) / network.unit
    largest: ndarray = np.abs(rows).max(axis=0)
    return np.where(largest > 0, largest, 1.0)
