"""Keras' recurrent cells on its JAX backend: the kernels as functions of JAX, with weights as Keras has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sluicegate.jax import Weights, gru, lstm, rnn

from .cells import Form

DROPS_BY_GATE = False
"""Whether there is something of ours for dropout of each gate on its own: Keras' loop is compiled as a whole."""

BEFORE_FIRST = True
"""Whether a step before the first one that is not masked puts out the initial state, or zeros."""


def obstacle(x: Any, *others: Any) -> str | None:
    """Tell why Keras must compute a call, of what it is given."""
    for array in (x, *others):
        if array.dtype != jnp.float32:
            return str(array.dtype)
    if (platform := _platform(x)) != "cpu":
        return f"on {platform}"
    return None


def _platform(x: Any) -> str:
    """Where an array is, or where what is being compiled will run."""
    if isinstance(x, jax.core.Tracer):
        return str(jax.default_backend())
    return str(next(iter(x.devices())).platform)


def as_inputs(x: Any) -> Any:
    """Whole numbers become floats, as in Keras' own loop."""
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def is_padded(mask: Any) -> bool:  # noqa: ARG001 - what it is cannot be known while a program is being compiled
    """Tell whether only the steps at the ends of rows are masked; False where nobody can know yet."""
    return False


def sorted_places(keys: Any) -> Any:
    """The places of the keys of each row, no two of which are the same, from the smallest on."""
    return jnp.argsort(keys, axis=1)


def taken(x: Any, steps: Any) -> Any:
    """Take a step of each row for each step."""
    return jnp.take_along_axis(x, steps[:, :, None], axis=1)


def apart(x: Any) -> Any:
    """A copy of a state, which nobody here can write over."""
    return x


def run(form: Form, x: Any, states: Sequence[Any], weights: Sequence[Any], lengths: Any) -> Sequence[Any]:
    """Compute a cell over sequences.

    Args:
        form: What it computes.
        x: `[batch time features]`.
        states: The initial state, `[batch units]` each: h, and c of an LSTM.
        weights: Keras' own.
        lengths: How many steps of each row there are; None if all.

    Returns:
        The outputs, `[batch time units]`, zero past the lengths, and the final states.
    """
    ours = in_our_order(form.cell, weights)
    if form.cell == "lstm":
        outputs, after = lstm(x, tuple(states), ours, lengths=lengths, activation=form.activation)
        return outputs, *after
    if form.cell == "rnn":
        return rnn(x, states[0], ours, lengths=lengths, activation=form.activation)
    reset: Any = "before" if form.cell.endswith("before") else "after"
    return gru(x, states[0], ours, lengths=lengths, reset=reset, activation=form.activation)


def in_our_order(cell: str, weights: Sequence[Any]) -> Weights:
    """Give the weights of one cell of Keras' as those of ours: `weights.py` tells the order.

    Args:
        cell: One of `ops.cells.CELLS`.
        weights: The kernel, the recurrent kernel, and the bias or None.

    Returns:
        The same of ours.
    """
    kernel, recurrent, bias = (None if w is None else jnp.asarray(w) for w in weights)
    turned = _turned(cell, kernel), _turned(cell, recurrent)
    if bias is None:
        return Weights(*turned)
    if bias.ndim == 2:
        return Weights(*turned, _turned(cell, bias[0]), _turned(cell, bias[1]))
    return Weights(*turned, _turned(cell, bias), jnp.zeros_like(bias))


def _turned(cell: str, weight: Any) -> Any:
    """Bring the gates, along the last axis, from Keras' order into ours, and to the front.

    In one step, by places: to cut and to join takes XLA half as long again to compile.
    """
    if cell.startswith("gru"):
        units = weight.shape[-1] // 3
        places = np.r_[units : 2 * units, :units, 2 * units : 3 * units]
        weight = jnp.take(weight, places, axis=-1, mode="clip", unique_indices=True)
    return weight.T
