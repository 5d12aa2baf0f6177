"""What a recurrent layer of Keras' does with its sequences, its `inner_loop`, by the kernels.

Keras has prepared the initial state and the dropout masks before, and does with the outputs and the state what it does
ever after: only the loop over the steps is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import keras
from keras import ops

from . import cells
from .masks import Rows, gathered, rows_of, scattered


@cache
def backend() -> Any:
    """The module that calls the kernels for the backend that Keras has; None if there is none."""
    name = {"jax": "on_jax", "torch": "on_torch"}.get(keras.backend.backend())
    return None if name is None else import_module(f".{name}", __package__)


def no_backend() -> str:
    """Tell why Keras must compute everything."""
    return f"Keras' backend is {keras.backend.backend()}, whose arrays the kernels do not take"


def obstacle(layer: Any, x: Any, state: Any, mask: Any, *, training: bool) -> str | None:
    """Tell why Keras must compute a call of a layer; None if ours can, empty if that is no news.

    Args:
        layer: A `keras.layers.RNN`, or of a subclass.
        x: The sequences.
        state: The initial state.
        mask: The mask, or None.
        training: Whether it is in training.

    Returns:
        The reason, in a few words.
    """
    ours = backend()
    if ours is None:
        return no_backend()
    if reason := cells.obstacle(layer, training=training):
        return reason
    if training and not ours.DROPS_BY_GATE and any(map(cells.drops_by_gate, cells.cells_of(layer))):
        return "recurrent_dropout in training"
    if len(x.shape) != 3:
        return f"an input of {len(x.shape)} axes"
    if mask is not None and (layer.unroll or len(mask.shape) != 2):
        return "a mask of an unrolled layer" if layer.unroll else f"a mask of {len(mask.shape)} axes"
    obstacle: str | None = ours.obstacle(ours.as_inputs(x), *(s for own in _states(layer, state) for s in own))
    return obstacle


def run(layer: Any, x: Any, state: Any, mask: Any, *, training: bool) -> tuple[Any, Any, Any]:
    """Compute what `inner_loop` does.

    Args:
        layer: A layer that has no obstacle.
        x: `[batch time features]`.
        state: The initial state of each cell.
        mask: `[batch time]`, true where a step counts; None if all do.
        training: Whether dropout is in force.

    Returns:
        The outputs of the last step, those of all steps (or of the last one, without `return_sequences`), and the
        states.
    """
    ours = backend()
    x, states = ours.as_inputs(x), _states(layer, state)
    if layer.stateful:
        states = [[ours.apart(s) for s in own] for own in states]
    if layer.go_backwards:
        x, mask = ops.flip(x, axis=1), None if mask is None else ops.flip(mask, axis=1)
    rows: Rows | None = None
    if mask is not None:
        rows = rows_of(mask, ours)
        x = gathered(x, rows, ours)
    first, after = states[-1][0], []
    for cell, own in zip(cells.cells_of(layer), states, strict=True):
        lengths = None if rows is None else rows.lengths
        x, *own = _run_cell(cell, x, own, lengths, training=training)
        after.append(own)
    before = first if ours.BEFORE_FIRST else None
    new = after[0] if len(after) == 1 else [a if _is_nested(s) else a[0] for a, s in zip(after, state, strict=True)]
    return *_outputs(layer, x, after, rows, mask, before), new


def _run_cell(cell: Any, x: Any, states: Any, lengths: Any, *, training: bool) -> Any:
    """Compute one cell over sequences: its outputs, and its states in turn."""
    ours, form = backend(), cells.form_of(cell)
    if training and cells.drops_by_gate(cell):
        masks = cell.get_dropout_mask(x[:, 0, :]), cell.get_recurrent_dropout_mask(states[0])
        return ours.run_dropping(form, x, states, _weights(cell), masks, lengths)
    if training and cell.dropout:
        x = x * ops.expand_dims(cell.get_dropout_mask(x[:, 0, :]), 1)
    return ours.run(form, x, states, _weights(cell), lengths)


def _states(layer: Any, state: Any) -> list[list[Any]]:
    """The state of each cell, as a list. Keras' functions for such nests take as long as a small layer."""
    if not isinstance(layer.cell, keras.layers.StackedRNNCells):
        return [list(state) if _is_nested(state) else [state]]
    return [list(own) if _is_nested(own) else [own] for own in state]


def _is_nested(state: Any) -> bool:
    return isinstance(state, list | tuple)


def _weights(cell: Any) -> tuple[Any, Any, Any]:
    return cell.kernel.value, cell.recurrent_kernel.value, cell.bias.value if cell.use_bias else None


def _outputs(
    layer: Any, outputs: Any, after: Sequence[Sequence[Any]], rows: Rows | None, mask: Any, before: Any
) -> tuple[Any, Any]:
    """Give the last output and all outputs."""
    if rows is None:
        last = after[-1][0]
        return last, outputs if layer.return_sequences else ops.expand_dims(last, 1)
    if layer.return_sequences:
        outputs = scattered(outputs, rows, mask, backend(), zeros=layer.zero_output_for_mask, before=before)
        return outputs[:, -1], outputs
    last = after[-1][0]  # a row without steps has put out nothing: its state is still the initial one
    if layer.zero_output_for_mask:
        last = ops.where(ops.cast(mask[:, -1:], "bool"), last, ops.zeros_like(last))
    elif before is None:
        last = ops.where(ops.expand_dims(rows.lengths > 0, -1), last, ops.zeros_like(last))
    return last, ops.expand_dims(last, 1)
