"""A layer as JAX differentiates it: the forward pass keeps what the backward pass of the kernels needs."""

from __future__ import annotations

from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero

from . import calls
from .calls import Inputs, Layer


def _compute(layer: Layer, inputs: Inputs) -> tuple[Any, tuple[Any, ...]]:
    output, states, _ = calls.forward(layer, inputs, keep=False)
    return output, states


def _forward(layer: Layer, inputs: Any) -> Any:
    """Keep what training needs, and whether the gradient of the input is asked for: of a first layer it is not."""
    wanted = () if inputs.x.perturbed else None
    values = jax.tree.map(lambda leaf: leaf.value, inputs, is_leaf=lambda leaf: hasattr(leaf, "perturbed"))
    output, states, kept = calls.forward(layer, values, keep=True)
    return (output, states), (values, output, kept, wanted)


def _backward(layer: Layer, residuals: Any, gradients: Any) -> tuple[Any]:
    inputs, output, kept, wanted = residuals
    d_output, d_states = jax.tree.map(_or_none, gradients, is_leaf=lambda leaf: isinstance(leaf, SymbolicZero))
    return (calls.backward(layer, inputs, output, kept, d_output, d_states, d_x=wanted is not None),)


def _or_none(gradient: Any) -> Any:
    return None if isinstance(gradient, SymbolicZero) else gradient


differentiable: Any = jax.custom_vjp(_compute, nondiff_argnums=(0,))
"""Computes a layer, of a `Layer` and its `Inputs`: its outputs and its final states."""
differentiable.defvjp(_forward, _backward, symbolic_zeros=True)
