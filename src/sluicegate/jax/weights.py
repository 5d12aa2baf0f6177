"""The weights of a layer as arrays of JAX, laid out as PyTorch has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import CELLS

from . import arrays


class Weights(NamedTuple):
    """The weights of one direction of a layer, a tree of arrays: `jax.grad` gives their gradients as another one.

    The rows are those of the gates: r, z, n of a GRU, i, f, g, o of an LSTM, n of an RNN, z, n of a LiGRU and a MinGRU.
    """

    input: Any
    """`[gates*hidden input]`: `weight_ih_l0` of `torch.nn`."""
    hidden: Any = None
    """`[gates*hidden hidden]`: `weight_hh_l0`. A MinGRU has none."""
    input_bias: Any = None
    """`[gates*hidden]`, `bias_ih_l0`, or None."""
    hidden_bias: Any = None
    """`[gates*hidden]`, `bias_hh_l0`, or None."""


def directions_of(weights: Any) -> tuple[Weights, ...]:
    """Tell the weights of one direction from those of both.

    Raises:
        ConfigError: They are neither.
    """
    given = tuple(weights)
    if given and all(w is None or hasattr(w, "ndim") for w in given) and len(given) <= len(Weights._fields):
        return (Weights(*given),)
    if len(given) == 2 and all(isinstance(w, Sequence) and 1 <= len(w) <= len(Weights._fields) for w in given):
        return tuple(Weights(*own) for own in given)
    raise ConfigError(
        "`weights` must be the arrays of one direction, `Weights(input, hidden, input_bias, hidden_bias)`, or a pair "
        f"of these for both, not {type(weights).__name__} of {len(given)}"
    )


def flat(cell: str, directions: Sequence[Weights], features: int) -> tuple[Any, ...]:
    """Put the weights in a row as the kernels take them.

    Raises:
        ConfigError: They are not of the shapes of such a layer.
    """
    gates, recurrent = CELLS[cell].gates, CELLS[cell].recurrent
    first = directions[0].input
    hidden = first.shape[0] // len(gates) if first is not None and first.ndim == 2 else 0
    rows = len(gates) * hidden
    shapes = {"input": (rows, features), "hidden": (rows, hidden), "input_bias": (rows,), "hidden_bias": (rows,)}
    names = [name for name in Weights._fields if recurrent or not name.startswith("hidden")]
    if directions[0].input_bias is None:
        names = [name for name in names if not name.endswith("bias")]
    for weights in directions:
        for name in Weights._fields:
            value = getattr(weights, name)
            found = None if value is None else value.shape
            if found != (shapes[name] if name in names else None):
                expected = shapes[name] if name in names else "none"
                raise ConfigError(
                    f"`weights.{name}` is {'missing' if found is None else f'of shape {found}'}, and must be "
                    f"{expected} in a {cell} of {hidden} units whose input has {features} features: the {len(gates)} "
                    f"gates ({', '.join(gates)}) follow each other along the first axis"
                )
    return tuple(
        arrays.floats(f"weights.{name}", getattr(weights, name), 1, 2) for weights in directions for name in names
    )
