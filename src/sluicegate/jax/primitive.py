"""A layer as an operation of JAX: what `vmap` maps over becomes rows of one batch, before anything is differentiated.

By the rules of `jax.custom_vjp` alone a mapped layer would be one call for every example, of a single row each, and its
backward pass would give every example gradients of the weights of its own, only for them to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from . import calls
from .calls import Inputs, Layer
from .differentiation import differentiable

_layer: Any = Primitive("sluicegate_layer")
_layer.multiple_results = True


def layer(about: Layer, inputs: Inputs) -> tuple[Any, tuple[Any, ...]]:
    """Compute a layer: its outputs and its final states."""
    leaves, tree = jax.tree.flatten(inputs)
    output, *states = _layer.bind(*leaves, about=about, tree=tree)
    return output, tuple(states)


def _compute(*leaves: Any, about: Layer, tree: Any) -> list[Any]:
    output, states, _ = calls.forward(about, jax.tree.unflatten(tree, leaves), keep=False)
    return [output, *states]


@cache
def _compiled(about: Layer, tree: Any) -> Any:
    return jax.jit(partial(_compute, about=about, tree=tree))


def _shapes(*leaves: Any, about: Layer, tree: Any) -> list[Any]:
    x, _, weights, _ = jax.tree.unflatten(tree, leaves)
    _, batch, hidden = about.sizes(x, weights)
    output = x.update(shape=(*x.shape[:2], about.directions * hidden))
    return [output, *[x.update(shape=(about.directions, batch, hidden))] * about.states]


def _differentiate(primals: Sequence[Any], tangents: Sequence[Any], *, about: Layer, tree: Any) -> Any:
    """Leave it to the rule of the layer, which is told by what stays out of it that nobody asks for its gradient."""
    moving = [i for i, tangent in enumerate(tangents) if type(tangent) is not ad.Zero]

    def of_those(*values: Any) -> list[Any]:
        leaves = list(primals)
        for i, value in zip(moving, values, strict=True):
            leaves[i] = value
        output, states = differentiable(about, jax.tree.unflatten(tree, leaves))
        return [output, *states]

    return jax.jvp(of_those, [primals[i] for i in moving], [tangents[i] for i in moving])


def _map(leaves: Sequence[Any], axes: Sequence[Any], *, about: Layer, tree: Any) -> Any:
    """Compute all examples at once, as rows of one batch; of weights that differ, one after the other."""
    examples = next(leaf.shape[axis] for leaf, axis in zip(leaves, axes, strict=True) if axis is not None)
    leaves = [
        jnp.broadcast_to(leaf, (examples, *leaf.shape)) if axis is None else jnp.moveaxis(leaf, axis, 0)
        for leaf, axis in zip(leaves, axes, strict=True)
    ]
    mapped: Inputs = jax.tree.unflatten(tree, [axis is not None for axis in axes])
    inputs: Inputs = jax.tree.unflatten(tree, leaves)
    if any(mapped.weights):
        results = jax.lax.map(lambda own: jax.tree.leaves(layer(about, own)), inputs)
        return results, [0] * len(results)
    rows = 0 if about.batch_first else 1
    together = Inputs(
        x=_together(inputs.x, rows),
        states=tuple(_together(state, 1) for state in inputs.states),
        weights=tuple(weight[0] for weight in inputs.weights),
        lengths=None if inputs.lengths is None else _together(inputs.lengths, 0),
    )
    output, states = layer(about, together)
    return [_apart(output, rows, examples), *[_apart(state, 1, examples) for state in states]], [0] * (1 + len(states))


def _together(array: Any, rows: int) -> Any:
    """Make rows of examples: `[examples ... rows ...]` to `[... examples*rows ...]`."""
    array = jnp.moveaxis(array, 0, rows)
    return array.reshape(*array.shape[:rows], -1, *array.shape[rows + 2 :])


def _apart(array: Any, rows: int, examples: int) -> Any:
    array = array.reshape(*array.shape[:rows], examples, -1, *array.shape[rows + 1 :])
    return jnp.moveaxis(array, rows, 0)


_layer.def_impl(lambda *leaves, about, tree: _compiled(about, tree)(*leaves))
_layer.def_abstract_eval(_shapes)
mlir.register_lowering(_layer, mlir.lower_fun(_compute, multiple_results=True), platform="cpu")
ad.primitive_jvps[_layer] = _differentiate
batching.primitive_batchers[_layer] = _map
