"""Which of Keras' cells ours are, and what must be left to Keras."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from sluicegate.types import Activation

_ACTIVATIONS: dict[Any, Activation] = {
    keras.activations.tanh: "tanh",
    keras.ops.tanh: "tanh",
    keras.activations.relu: "relu",
    keras.ops.relu: "relu",
}
_SIGMOIDS = (keras.activations.sigmoid, keras.ops.sigmoid)


class Form(NamedTuple):
    """What a cell computes, in the words of the kernels."""

    cell: str
    """One of `ops.cells.CELLS`."""
    activation: Activation
    biased: bool

    @property
    def states(self) -> int:
        """How many tensors its state is."""
        return 2 if self.cell == "lstm" else 1


KINDS: dict[type, str] = {
    keras.layers.GRUCell: "gru",
    keras.layers.LSTMCell: "lstm",
    keras.layers.SimpleRNNCell: "rnn",
}
"""Keras' cells that ours can compute."""

# What `RNN` asks of a cell: whoever overrides one of these means another computation.
_STEPS = ("call", "get_dropout_mask", "get_recurrent_dropout_mask", "__call__")


def cells_of(layer: Any) -> list[Any]:
    """The cells of a layer, from the one that reads the input on."""
    cell = layer.cell
    return list(cell.cells) if type(cell) is keras.layers.StackedRNNCells else [cell]


def form_of(cell: Any) -> Form:
    """Tell what a cell computes that has no obstacle."""
    kind = KINDS[_base_of(cell)]  # type: ignore[index]
    if kind == "gru" and not cell.reset_after:
        kind = "gru_reset_before"
    return Form(kind, _ACTIVATIONS[cell.activation], bool(cell.use_bias))


def obstacle(layer: Any, *, training: bool) -> str | None:
    """Tell why Keras must compute a layer; None if ours can.

    Args:
        layer: A `keras.layers.RNN`, or of a subclass.
        training: Whether it is called in training.

    Returns:
        The reason, in a few words.
    """
    if getattr(layer, "use_cudnn", None) is True:
        return "use_cudnn=True"
    cells = cells_of(layer)
    if len(cells) == 0 or (len(cells) == 1 and cells[0] is not layer.cell):
        return f"{len(cells)} stacked cells"
    return next((reason for cell in cells if (reason := _obstacle(cell, training))), None)


def _base_of(cell: Any) -> type | None:
    return next((cls for cls in type(cell).__mro__ if cls in KINDS), None)


def _obstacle(cell: Any, training: bool) -> str | None:
    base = _base_of(cell)
    if base is None or any(getattr(type(cell), name) is not getattr(base, name) for name in _STEPS):
        return f"a cell of its own ({type(cell).__name__})"
    if cell.activation not in _ACTIVATIONS:
        return f"activation={_named(cell.activation)}"
    if base is not keras.layers.SimpleRNNCell and cell.recurrent_activation not in _SIGMOIDS:
        return f"recurrent_activation={_named(cell.recurrent_activation)}"
    if cell.compute_dtype != "float32" or cell.variable_dtype != "float32":
        return str(cell.dtype_policy.name)
    if training and max(cell.dropout, cell.recurrent_dropout) == 1:
        return "dropout=1 in training"
    return None


def drops_by_gate(cell: Any) -> bool:
    """Tell whether a cell drops something else for each gate, or of its state, in training."""
    return bool(cell.recurrent_dropout or (cell.dropout and getattr(cell, "dropout_mask_count", None) is not None))


def _named(activation: Any) -> str:
    return str(getattr(activation, "__name__", type(activation).__name__))
