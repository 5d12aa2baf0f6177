"""Masks: which steps of each row a layer reads, whether the steps that it leaves out are at the end or in between."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp


def closed_up(x: Any, mask: Any) -> tuple[Any, Any]:
    """Move the steps that are read to the front of each row.

    Args:
        x: `[batch time input]`.
        mask: `[batch time]`, true where a step is read.

    Returns:
        The same steps in another order, and how many of them are read.
    """
    order = jnp.argsort(~mask, axis=1, stable=True)
    return jnp.take_along_axis(x, order[:, :, None], axis=1), mask.sum(axis=1, dtype=jnp.int32)


def spread_out(output: Any, mask: Any) -> Any:
    """Put the outputs of `closed_up` steps back to where their steps were, and zeros between them.

    Args:
        output: `[batch time hidden]`.
        mask: `[batch time]`.

    Returns:
        `[batch time hidden]`.
    """
    place = jnp.maximum(jnp.cumsum(mask, axis=1) - 1, 0)
    return jnp.where(mask[:, :, None], jnp.take_along_axis(output, place[:, :, None], axis=1), 0)


def held(output: Any, mask: Any) -> Any:
    """Fill the outputs of steps that were left out with that of the last step before them which was read.

    That is what Keras returns; before the first step that was read, the outputs stay what they are.

    Args:
        output: `[batch time hidden]`.
        mask: `[batch time]`, true where a step was read.

    Returns:
        `[batch time hidden]`.
    """
    steps = jnp.arange(mask.shape[1])
    last = jnp.maximum.accumulate(jnp.where(mask, steps, -1), axis=1)
    repeated = jnp.take_along_axis(output, jnp.maximum(last, 0)[:, :, None], axis=1)
    return jnp.where((last >= 0)[:, :, None], repeated, output)
