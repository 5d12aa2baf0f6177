"""Masks of Keras': which steps of a row the layer reads, wherever they are.

A layer keeps its state over a step that is masked. So it computes what it would of the other steps alone, and these
are put together: the kernels read them as rows of some length, and what they put out goes back to where it belongs. To
a step that is masked goes what stood at the last one that is not, or zeros.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops


class Rows(NamedTuple):
    """The steps of each row that are not masked."""

    count: Any
    """How many there are up to each step, this one included: `[batch time]`, whole numbers."""
    order: Any
    """The steps that are not masked, in turn, then the others: `[batch time]`; None if they are so as they lie."""

    @property
    def lengths(self) -> Any:
        """How many there are in all: `[batch]`."""
        return self.count[:, -1]


def rows_of(mask: Any, ours: Any) -> Rows:
    """Find the steps that are not masked.

    Args:
        mask: `[batch time]`, true where a step is not masked.
        ours: What is written for the backend: `on_torch` or `on_jax`.

    Returns:
        Where they are.
    """
    mask = ops.cast(mask, "bool")
    count = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    if ours.is_padded(mask):
        return Rows(count, None)
    steps = mask.shape[1]
    places = ops.arange(steps, dtype="int32")
    return Rows(count, ours.sorted_places(ops.where(mask, places, places + steps)))


def gathered(x: Any, rows: Rows, ours: Any) -> Any:
    """Bring the steps that are not masked to the front of their rows.

    Args:
        x: `[batch time features]`.
        rows: Where they are.
        ours: What is written for the backend.

    Returns:
        The same shape.
    """
    return x if rows.order is None else ours.taken(x, rows.order)


def scattered(outputs: Any, rows: Rows, mask: Any, ours: Any, *, zeros: bool, before: Any) -> Any:
    """Bring outputs back to their steps.

    Args:
        outputs: Of the steps that are not masked, at the front of their rows: `[batch time units]`.
        rows: Where they are.
        mask: `[batch time]`, true where a step is not masked.
        ours: What is written for the backend.
        zeros: Whether masked steps get zeros, not what stood at the step before.
        before: What stands before the first step that is not masked: `[batch units]`; None for zeros.

    Returns:
        The same shape.
    """
    if zeros and rows.order is None:
        return outputs  # which are zero past the ends of rows
    found = ours.taken(outputs, ops.maximum(rows.count - 1, 0))
    if zeros:
        return ops.where(ops.expand_dims(ops.cast(mask, "bool"), -1), found, ops.zeros_like(found))
    begun = ops.expand_dims(rows.count > 0, -1)
    first = ops.zeros_like(found) if before is None else ops.expand_dims(before, 1)
    return ops.where(begun, found, first)
