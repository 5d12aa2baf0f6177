"""One layer over sequences: what came is looked at, given its axes, computed, and handed out as it came."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import ACTIVATIONS, CELLS, PRECISIONS

from . import arrays
from .calls import Inputs, Layer
from .masks import closed_up, spread_out
from .primitive import layer as computed
from .weights import directions_of, flat


class Sequences(NamedTuple):
    """How a layer goes through its input."""

    lengths: Any
    mask: Any
    time_major: bool
    reverse: bool


def run(
    cell: str, x: Any, state: Any, weights: Any, sequences: Sequences, activation: str, precision: str
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    """Compute a layer of a cell: its outputs, and its states after the last step.

    Raises:
        ConfigError: An argument is not what it must be.
    """
    for name, value, allowed in (("activation", activation, ACTIVATIONS), ("precision", precision, PRECISIONS)):
        if value not in allowed:
            raise ConfigError(f"`{name}` (={value!r}) must be {' or '.join(map(repr, allowed))}")
    x, both = arrays.floats("x", x, 2, 3), directions_of(weights)
    if sequences.reverse and len(both) == 2:
        raise ConfigError("`reverse` is for the weights of one direction, and there are two: leave one of them out")
    single, rows_axis = x.ndim == 2, 1 if sequences.time_major else 0
    x = jnp.expand_dims(x, rows_axis) if single else x
    parameters = flat(cell, both, x.shape[2])
    layer = Layer(
        cell=cell,
        activation=ACTIVATIONS.index(activation),
        precision=PRECISIONS.index(precision),
        directions=len(both),
        reverse=sequences.reverse,
        batch_first=not sequences.time_major,
        biased=both[0].input_bias is not None,
    )
    states = _states(layer, state, x, parameters, single)
    output, finals = _by_rows(layer, Inputs(x, states, parameters, None), sequences, single)
    places = tuple(i for i, gone in enumerate((layer.directions == 1, single)) if gone)
    return output.squeeze(rows_axis) if single else output, tuple(h.squeeze(places) for h in finals)


def _states(layer: Layer, state: Any, x: Any, parameters: Any, single: bool) -> tuple[Any, ...]:
    """Give the states before the first step their axes, those of directions and rows."""
    _, batch, hidden = layer.sizes(x, parameters)
    letters = CELLS[layer.cell].state
    if state is None:
        return ()
    given = (state,) if len(letters) == 1 else state
    if not isinstance(given, tuple | list) or len(given) != len(letters):
        raise ConfigError(f"the state of an {layer.cell} is a pair, `(h, c)`, or None for zeros: give both")
    outside = (*([layer.directions] if layer.directions == 2 else []), *([] if single else [batch]), hidden)
    found = []
    for name, value in zip(letters, given, strict=True):
        array = arrays.floats(name, value, 1, 2, 3)
        if array.shape != outside:
            raise ConfigError(f"`{name}` is of shape {array.shape}, and must be {outside}, or None for zeros")
        found.append(array.reshape(layer.directions, batch, hidden))
    return tuple(found)


def _by_rows(layer: Layer, inputs: Inputs, sequences: Sequences, single: bool) -> tuple[Any, tuple[Any, ...]]:
    """Compute the steps that are part of each row."""
    steps, batch, _ = layer.sizes(inputs.x, inputs.weights)
    lengths, mask, time_major = sequences.lengths, sequences.mask, sequences.time_major
    if lengths is not None and mask is not None:
        raise ConfigError("`lengths` and `mask` say the same in two ways: leave one of them out")
    if lengths is not None:
        lengths = arrays.rows("lengths", lengths, () if single else (batch,), jnp.integer).reshape(batch)
        return computed(layer, inputs._replace(lengths=arrays.within(lengths, steps)))
    if mask is None:
        return computed(layer, inputs)
    axes = (steps,) if single else (steps, batch) if time_major else (batch, steps)
    mask = arrays.rows("mask", mask, axes, jnp.bool).reshape((steps, batch) if time_major else (batch, steps))
    mask, x = (mask.T, inputs.x.swapaxes(0, 1)) if time_major else (mask, inputs.x)
    x, lengths = closed_up(x, mask)
    output, states = computed(layer._replace(batch_first=True), inputs._replace(x=x, lengths=lengths))
    output = spread_out(output, mask)
    return output.swapaxes(0, 1) if time_major else output, states
