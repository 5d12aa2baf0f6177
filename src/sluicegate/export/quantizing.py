"""A network in int8, in the form of `sluicegate.ops.quantized_reference`, by the rules of `sluicegate.nn.quantize`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError
from sluicegate.ops.quantized import by_ranges, is_bounded
from sluicegate.ops.quantized_reference import Layer

from .layers import by_name, inputs_of, is_whole, stack_of
from .network import Network


def in_int8(network: Network, rows: Any = None) -> Network:
    """The same network with the weights of its recurrent layers in whole numbers of 8 bits.

    State, gates, biases, maps and head stay 32-bit floats. What is rounded how is settled as `sluicegate.nn.quantize`
    does: of layers of one kind the same numbers come out. Without rows the first layer's input stays in floats, and so
    does a layer whose state nothing bounds: a MinGRU, or one with relu.

    Args:
        network: in 32-bit floats.
        rows: `[steps inputs]`, such as the network will read, one after the other: what a layer reads is rounded by the
            largest value seen of each feature. None is none.

    Raises:
        ConfigError: there are rows for a network whose first layer does not read them, or of another width.
    """
    seen = None if rows is None else _standardised(network, np.asarray(rows, np.float64))
    return network.with_layers([_in_int8(member.layers, seen) for member in network.members])


def _in_int8(layers: Sequence[Layer], x: ndarray | None) -> list[Layer]:
    """Layers of one member, of which the first reads `x`, `[steps inputs]`."""
    found = []
    for depth, layer in enumerate(layers):
        if is_whole(layer) or (x is None and not is_bounded(layer.cell, layer.activation)):
            found.append(layer)
            continue
        largest, state = None, 0.0
        if x is not None:
            largest, stack = np.abs(x).max(axis=0), stack_of(layer)
            x = stack.run(x[:, None], stack.begin(1))[0][:, 0]
            state = float(np.abs(x).max())
        found.append(by_ranges(layer.cell, layer.activation, by_name(layer), largest, state, first=depth == 0))
    return found


def _standardised(network: Network, rows: ndarray) -> ndarray:
    """Rows on the scale on which the first layer reads them, 32-bit floats."""
    inputs, framed = inputs_of(network.members[0].layers[0]), network.members[0].front is not None
    if framed or rows.ndim != 2 or rows.shape[1] != inputs or not len(rows):
        raise ConfigError(
            f"`rows` (of shape {rows.shape}) must be rows of the {inputs} inputs of a first layer that reads them as "
            "they come: leave them out for a saved model"
        )
    if network.mean is not None and network.unit is not None:
        rows = (rows - network.mean) / network.unit
    return rows.astype(np.float32)
