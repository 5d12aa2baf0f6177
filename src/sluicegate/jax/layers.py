"""The layers as functions: a sequence, the state before it and the weights, to the outputs and the state after it.

What they have in common: `x` is `[batch time input]`, `[time batch input]` with `time_major`, or a single sequence
`[time input]`. States are `[batch hidden]`, and `[2 batch hidden]` with the weights of both directions; of a single
sequence without the axis of the batch. None stands for zeros.
"""

from __future__ import annotations

from typing import Any

import jax

from sluicegate.errors import ConfigError
from sluicegate.types import Activation, Precision, Reset

from .sequences import Sequences, run
from .weights import Weights


def gru(
    x: Any, h: Any, weights: Weights | tuple[Weights, Weights], *, lengths: Any = None, mask: Any = None,
    time_major: bool = False, reverse: bool = False, reset: Reset = "after", activation: Activation = "tanh",
    precision: Precision = "fp32",
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Compute a layer of a GRU, `sluicegate.nn.GRU` with its equations and its bits.

    Args:
        x: `[batch time input]`, or as the module says, of float32.
        h: The state before the first step, `[batch hidden]`, or None for zeros.
        weights: Of one direction, or a pair of them for both: outputs are then twice as wide.
        lengths: `[batch]`, how many steps of each row are part of it; outputs beyond are zero, and the state is that
            after the last step.
        mask: `[batch time]` (as `x` has these axes), true where a step is read, wherever that is: at the others the
            state stays as it is, and the output is zero (`held` repeats the last one).
        time_major: Whether `x` and the outputs are `[time batch ...]`.
        reverse: Whether a single direction goes from the last step to the first.
        reset: `"after"` or `"before"` the recurrent product.
        activation: Of the candidate, `"tanh"` or `"relu"`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.

    Returns:
        The outputs, `[batch time hidden]`, laid out like `x`, and the state after the last step, of the shape of `h`.

    Raises:
        ConfigError: An argument is not what it must be.

    Example:
        >>> from jax.numpy import ones, zeros
        >>> x, weights = ones((4, 7, 3)), Weights(ones((15, 3)), zeros((15, 5)))
        >>> output, h = gru(x, None, weights, lengths=[7, 2, 5, 1])
        >>> output.shape, h.shape
        ((4, 7, 5), (4, 5))
    """
    if reset not in ("after", "before"):
        raise ConfigError(f"`reset` (={reset!r}) must be 'after' or 'before'")
    cell = "gru" if reset == "after" else "gru_reset_before"
    output, (h,) = run(cell, x, h, weights, Sequences(lengths, mask, time_major, reverse), activation, precision)
    return output, h


def lstm(
    x: Any, state: Any, weights: Weights | tuple[Weights, Weights], *, lengths: Any = None, mask: Any = None,
    time_major: bool = False, reverse: bool = False, activation: Activation = "tanh", precision: Precision = "fp32",
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:  # fmt: skip
    """Compute a layer of an LSTM, `sluicegate.nn.LSTM` with its equations and its bits.

    Args:
        x: As `gru` takes it.
        state: `(h, c)` before the first step, each as `gru` takes h, or None for zeros.
        weights: Likewise, as all that follows.
        lengths: How many steps each row has.
        mask: Which steps are read.
        time_major: Whether the steps come first.
        reverse: Whether a single direction goes backwards.
        activation: Of the candidate and of the cell state on its way out.
        precision: What operands of products are rounded to.

    Returns:
        The outputs, and `(h, c)` after the last step.

    Raises:
        ConfigError: An argument is not what it must be.
    """
    sequences = Sequences(lengths, mask, time_major, reverse)
    output, (h, c) = run("lstm", x, state, weights, sequences, activation, precision)
    return output, (h, c)


def rnn(
    x: Any, h: Any, weights: Weights | tuple[Weights, Weights], *, lengths: Any = None, mask: Any = None,
    time_major: bool = False, reverse: bool = False, activation: Activation = "tanh", precision: Precision = "fp32",
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Compute a layer of an RNN, `sluicegate.nn.RNN`: arguments and results are those of `gru`.

    Raises:
        ConfigError: An argument is not what it must be.
    """
    sequences = Sequences(lengths, mask, time_major, reverse)
    output, (h,) = run("rnn", x, h, weights, sequences, activation, precision)
    return output, h


def ligru(
    x: Any, h: Any, weights: Weights | tuple[Weights, Weights], *, lengths: Any = None, mask: Any = None,
    time_major: bool = False, reverse: bool = False, activation: Activation = "relu", precision: Precision = "fp32",
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Compute a layer of a LiGRU, `sluicegate.nn.LiGRU`: arguments and results are those of `gru`.

    Raises:
        ConfigError: An argument is not what it must be.
    """
    sequences = Sequences(lengths, mask, time_major, reverse)
    output, (h,) = run("ligru", x, h, weights, sequences, activation, precision)
    return output, h


def mingru(
    x: Any, h: Any, weights: Weights | tuple[Weights, Weights], *, lengths: Any = None, mask: Any = None,
    time_major: bool = False, reverse: bool = False, precision: Precision = "fp32",
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Compute a layer of a MinGRU, `sluicegate.nn.MinGRU`: arguments and results are those of `gru`.

    Raises:
        ConfigError: An argument is not what it must be.
    """
    output, (h,) = run("mingru", x, h, weights, Sequences(lengths, mask, time_major, reverse), "tanh", precision)
    return output, h
