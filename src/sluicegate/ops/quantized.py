"""Layers in int8: their numbers made from floats, named as they are saved, and laid out for the kernels.

NumPy and the compiled module are all that this needs. What the numbers mean is said in `quantized_reference`.

Of each layer and direction these arrays are saved, the names ending in `_l0`, `_l0_reverse`, `_l1`, and so on:

    weight_ih   int8 [gates*hidden input], or float32 where the input is left as it is
    scale_ih    float32 [gates*hidden]      what one unit of a row's sum is worth; with int8 weights alone
    factor_ih   float32 [input]             what each feature is multiplied with before it is rounded; likewise
    bias        float32 [gates*hidden]      `b_i + b_h`, but for the candidate of a GRU with the reset after: `b_i`
    weight_hh   int8 [gates*hidden hidden]  not of a MinGRU
    scale_hh    float32 [gates*hidden]      likewise
    factor_hh   float32 [1]                 likewise: 127 where |h| is at most 1
    bias_hh     float32 [hidden]            `b_h` of that candidate; of no other cell
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from sluicegate import _core

from .cells import WHOLE
from .quantized_reference import GATES, LARGEST, Layer, Matrix

VERSION = WHOLE
"""The version of this form."""

KEPT = 8
"""Features up to which a first input is left in floats: to round so few saves nothing."""


_RANGE = 64
"""A feature that was nearly always 0 may yet come: its factor is that of no less than this share of the largest."""

_LEAST = 1e-6  # that a feature or a state is taken to reach


def matrix(weight: Float[ndarray, "gates depth"], largest: Float[ndarray, " _"]) -> Matrix:
    """Round the weights of one product.

    Args:
        weight: As floats.
        largest: The largest value of each number that they multiply, above 0; or one for all.

    Returns:
        Whole numbers, the scales of their rows, and the factors of what they multiply.

    Example:
        >>> found = matrix(np.array([[0.5, -1.0]]), np.array([1.0]))
        >>> found.weight, found.factor
        (array([[  64, -127]], dtype=int8), array([127.], dtype=float32))
    """
    factor = (LARGEST / np.asarray(largest, np.float64)).astype(np.float32)
    folded = weight.astype(np.float64) / factor.astype(np.float64)
    scale = (np.abs(folded).max(axis=1, initial=0.0) / LARGEST).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    rounded = np.rint(folded / scale[:, None].astype(np.float64))
    return Matrix(np.clip(rounded, -LARGEST, LARGEST).astype(np.int8), scale, factor)


def layer(
    cell: str,
    activation: str,
    weights: Mapping[str, Float32[ndarray, ...]],
    largest_input: Float32[ndarray, " input"] | None,
    largest_state: float = 1.0,
) -> Layer:
    """Make one layer in one direction of its floats.

    Args:
        cell: One of `ops.cells.CELLS`.
        activation: `"tanh"` or `"relu"`.
        weights: `weight_ih` and what there is of `weight_hh`, `bias_ih`, `bias_hh`, of the shapes of `torch.nn`.
        largest_input: The largest absolute value of each feature; None leaves the input in floats.
        largest_state: The largest absolute value of the state.

    Returns:
        The layer, whose arrays are of its own.
    """
    weight, gates = weights["weight_ih"], GATES[cell]
    hidden = len(weight) // gates
    nothing = np.zeros(len(weight), np.float32)
    bias, other = weights.get("bias_ih", nothing), weights.get("bias_hh", nothing)
    apart = cell == "gru"
    together = bias + (np.concatenate([other[: 2 * hidden], nothing[:hidden]]) if apart else other)
    recurrent = weights.get("weight_hh")
    return Layer(
        cell,
        activation,
        Matrix(weight.copy()) if largest_input is None else matrix(weight, largest_input),
        together,
        None if recurrent is None else matrix(recurrent, np.array([largest_state])),
        other[2 * hidden :].copy() if apart else None,
    )


def is_bounded(cell: str, activation: str) -> bool:
    """Tell whether |h| is at most 1, whatever is read."""
    return cell != "mingru" and activation == "tanh"


def input_in_floats(cell: str, activation: str, inputs: int, *, first: bool, seen: bool) -> bool:
    """Tell whether the input of a layer is left in floats.

    Args:
        cell: One of `ops.cells.CELLS`.
        activation: `"tanh"` or `"relu"`.
        inputs: Features of the input.
        first: Whether it is the first layer; others read the state of the one below.
        seen: Whether the largest value of each feature is known.
    """
    return inputs <= KEPT or not seen if first else not seen and not is_bounded(cell, activation)


def by_ranges(
    cell: str,
    activation: str,
    weights: Mapping[str, Float32[ndarray, ...]],
    seen: Float32[ndarray, " input"] | None,
    state: float,
    *,
    first: bool,
) -> Layer:
    """Make one layer of its floats and of what was seen of its ranges: what of it is whole is settled here alone.

    Args:
        cell: One of `ops.cells.CELLS`.
        activation: `"tanh"` or `"relu"`.
        weights: As `layer` takes them.
        seen: The largest absolute value of each feature; None where nothing was read.
        state: The largest of the state; 0 where nothing was read.
        first: Whether it is the first layer.
    """
    inputs, bounded = weights["weight_ih"].shape[1], is_bounded(cell, activation)
    largest = None
    if not input_in_floats(cell, activation, inputs, first=first, seen=seen is not None):
        largest = np.ones(inputs, np.float32) if seen is None else seen
        largest = np.maximum(largest, max(float(largest.max()) / _RANGE, _LEAST))
    return layer(cell, activation, weights, largest, max(state, 1.0 if bounded else _LEAST))


def floats(of: Layer) -> list[Float32[ndarray, ...]]:
    """Give the floats that a layer's numbers stand for: weights and biases in the order of `torch.nn`."""

    def exact(product: Matrix) -> ndarray:
        if product.scale is None or product.factor is None:
            return product.weight
        found: ndarray = product.weight.astype(np.float32) * product.scale[:, None] * product.factor
        return found

    if of.hidden is None:
        return [exact(of.input), of.bias]
    other = np.zeros_like(of.bias)
    if of.hidden_bias is not None:
        other[-len(of.hidden_bias) :] = of.hidden_bias
    return [exact(of.input), exact(of.hidden), of.bias, other]


def arrays(of: Layer, suffix: str) -> dict[str, ndarray]:
    """Name the arrays of a layer as they are saved."""
    named = {"weight_ih": of.input.weight, "scale_ih": of.input.scale, "factor_ih": of.input.factor, "bias": of.bias}
    if of.hidden is not None:
        named |= {"weight_hh": of.hidden.weight, "scale_hh": of.hidden.scale, "factor_hh": of.hidden.factor}
    named["bias_hh"] = of.hidden_bias
    return {f"{name}{suffix}": array for name, array in named.items() if array is not None}


def from_arrays(cell: str, activation: str, saved: Mapping[str, ndarray], suffix: str) -> Layer:
    """Make a layer of its arrays again.

    Args:
        cell: One of `ops.cells.CELLS`.
        activation: `"tanh"` or `"relu"`.
        saved: By name, among others; they are not copied.
        suffix: Of the layer's names.

    Raises:
        KeyError: One is missing.
    """
    of = {name.removesuffix(suffix): array for name, array in saved.items() if name.endswith(suffix)}
    recurrent = cell != "mingru"
    return Layer(
        cell,
        activation,
        Matrix(of["weight_ih"], of.get("scale_ih"), of.get("factor_ih")),
        of["bias"],
        Matrix(of["weight_hh"], of["scale_hh"], of["factor_hh"]) if recurrent else None,
        of["bias_hh"] if cell == "gru" else None,
    )


def shapes(cell: str, inputs: int, hidden: int, suffix: str, *, floats: bool) -> dict[str, tuple[tuple[int, ...], str]]:
    """Tell the shape and the type of each array that is saved of a layer.

    Args:
        cell: One of `ops.cells.CELLS`.
        inputs: Features of the input.
        hidden: Units.
        suffix: Of the names.
        floats: Whether the input is left in floats.
    """
    rows = GATES[cell] * hidden
    named: dict[str, tuple[tuple[int, ...], str]] = {
        "weight_ih": ((rows, inputs), "float32" if floats else "int8"),
        "bias": ((rows,), "float32"),
    }
    if not floats:
        named |= {"scale_ih": ((rows,), "float32"), "factor_ih": ((inputs,), "float32")}
    if cell != "mingru":
        named |= {"weight_hh": ((rows, hidden), "int8"), "scale_hh": ((rows,), "float32")}
        named["factor_hh"] = ((1,), "float32")
    if cell == "gru":
        named["bias_hh"] = ((hidden,), "float32")
    return {f"{name}{suffix}": of for name, of in named.items()}


def lay_out(of: Layer, isa: str = "") -> _core.QuantizedLayer:
    """Lay out a layer for the kernels.

    Args:
        of: The layer, whose arrays are copied.
        isa: One of `_core.quantized_isas()`; empty goes with the kernels that are in use for floats.
    """
    units, inputs = len(of.bias) // GATES[of.cell], of.input.weight.shape[1]
    whole = of.input.scale is not None
    weight = np.ascontiguousarray(of.input.weight)
    hidden = of.hidden
    return _core.QuantizedLayer(
        of.cell,
        of.activation,
        inputs,
        units,
        input_weight=weight if whole else None,
        input_floats=None if whole else weight,
        input_scale=of.input.scale,
        input_factor=of.input.factor,
        bias=of.bias,
        hidden_weight=None if hidden is None else np.ascontiguousarray(hidden.weight),
        hidden_scale=None if hidden is None else hidden.scale,
        hidden_factor=0.0 if hidden is None or hidden.factor is None else float(hidden.factor[0]),
        hidden_bias=of.hidden_bias,
        isa=isa,
    )
