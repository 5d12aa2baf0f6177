"""Calls of the compiled kernels from programs of JAX: a layer, what training keeps of it, and its gradients."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from sluicegate import _core
from sluicegate.ops.cells import CELLS


class Layer(NamedTuple):
    """What a call is about, beside its arrays."""

    cell: str
    activation: int
    precision: int
    directions: int
    reverse: bool
    """Of one direction, whether it goes from the last step to the first."""
    batch_first: bool
    biased: bool

    @property
    def states(self) -> int:
        """Whether h alone, or h and c."""
        return len(CELLS[self.cell].state)

    def numbers(self, **given: bool) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Tell the kernels of it, and which of the arrays that may be missing are there."""
        told = {**self._asdict(), **given, "cell": CELLS[self.cell].number, "threads": threads()}
        return np.array([told.get(name, 0) for name in _core.xla_numbers()], np.int64)

    def sizes(self, x: Any, weights: Sequence[Any]) -> tuple[int, int, int]:
        """Find how many steps, rows and units there are."""
        steps, batch = (x.shape[1], x.shape[0]) if self.batch_first else x.shape[:2]
        return steps, batch, weights[0].shape[0] // len(CELLS[self.cell].gates)


class Inputs(NamedTuple):
    """The arrays of a call."""

    x: Any
    """`[time batch input]`, or `[batch time input]`."""
    states: tuple[Any, ...]
    """None for zeros, or h and c as far as there are: `[directions batch hidden]`."""
    weights: tuple[Any, ...]
    """Of both directions in turn."""
    lengths: Any
    """Of int32, `[batch]`, or None."""


def threads() -> int:
    """Count the threads that work: as many as the process has processors, as XLA has it, or `OMP_NUM_THREADS`."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _register() -> None:
    for name, handler in _core.xla_handlers().items():
        jax.ffi.register_ffi_target(f"sluicegate_{name}", handler, platform="cpu")


_Shape: Any = jax.ShapeDtypeStruct


def _floats(*shape: int) -> Any:
    return _Shape(shape, jnp.float32)


def _there(*arrays: Any) -> list[Any]:
    return [array for array in arrays if array is not None]


def forward(layer: Layer, inputs: Inputs, *, keep: bool) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """Compute a layer: its outputs, its final states, and with `keep` what the backward pass needs."""
    _register()
    steps, batch, hidden = layer.sizes(inputs.x, inputs.weights)
    saved, state = len(CELLS[layer.cell].saved), _floats(layer.directions, batch, hidden)
    results = [_floats(*inputs.x.shape[:2], layer.directions * hidden), *[state] * layer.states]
    if keep and saved:
        results.append(_floats(layer.directions, steps * batch, saved * hidden))
    numbers = layer.numbers(states=bool(inputs.states), lengths=inputs.lengths is not None, keep=keep)
    arrays = _there(inputs.x, *inputs.weights, *inputs.states, inputs.lengths)
    output, *rest = jax.ffi.ffi_call("sluicegate_forward", results, vmap_method="sequential")(*arrays, numbers=numbers)
    return output, tuple(rest[: layer.states]), tuple(rest[layer.states :])


def backward(
    layer: Layer, inputs: Inputs, output: Any, kept: tuple[Any, ...], d_output: Any, d_states: Sequence[Any],
    *, d_x: bool,
) -> Inputs:  # fmt: skip
    """Compute the gradients of the inputs, from those of the outputs and of the final states: None for zeros."""
    _register()
    given = dict(zip(("d_h_n", "d_c_n"), (d is not None for d in d_states), strict=False))
    numbers = layer.numbers(
        states=bool(inputs.states), lengths=inputs.lengths is not None, d_output=d_output is not None, d_x=d_x, **given
    )
    sought = [*([inputs.x] if d_x else []), *inputs.weights, *inputs.states]
    call = jax.ffi.ffi_call("sluicegate_backward", [_floats(*a.shape) for a in sought], vmap_method="sequential")
    arrays = _there(inputs.x, *inputs.weights, *inputs.states, inputs.lengths)
    by_output = [output] if CELLS[layer.cell].by_output else []
    found = call(*arrays, *by_output, *kept, *_there(d_output, *d_states), numbers=numbers)
    own, found = (found[0], found[1:]) if d_x else (None, found)
    count = len(inputs.weights)
    return Inputs(own, tuple(found[count:]), tuple(found[:count]), None)
