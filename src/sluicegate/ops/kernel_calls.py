"""Calls of the compiled kernels: what a layer's tensors are, told in addresses and strides.

The arguments are those of the operators, which `operators.py` makes of these functions. A small layer computes for a
microsecond or two, so that every line here counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
import torch
from torch import Tensor

from sluicegate import _core

from .arguments import (
    AT,
    BACKWARD,
    FORWARD,
    INPUT_GRADIENT,
    OUTPUT,
    OUTPUT_GRADIENT,
    WEIGHT_GRADIENTS,
    WEIGHTS,
    Grid,
    Sequences,
    Shape,
)
from .cells import ACTIVATIONS, CELLS, GATES, PRECISIONS
from .packing import in_large_pages, in_places, laid_out, lay_out

FLOAT32, INT64 = torch.float32, torch.int64

TOGETHER = 64
"""Rows up to which the forward pass of a single step reads the weights as they lie, which takes up to a fifth less time
than to find out whether those that are laid out are still the same. The next group of rows would turn them again."""

FEW = 16
"""The same for the backward pass, which loads and stores its sums for every four numbers that it adds to them."""

BRIEF = (8, 32)
"""Steps, and rows of all of them, up to which every step reads the weights as they lie: to lay them out takes as long
as eight steps of a few rows that read them so."""

Sizes: TypeAlias = tuple[int, ...]

Options: TypeAlias = tuple[str, str, bool, bool, int, str]
"""The cell; the activation of its candidate; whether there are biases; whether the batch comes first; how many steps
the backward pass recomputes at a time, 0 for none; and what the operands of products are rounded to."""


class Unfit(RuntimeError):  # noqa: N818 - reads as what it is
    """What a call was given is nothing that the kernels compute; they have written nothing yet."""


class Plan(NamedTuple):
    """What a call is about, beside its tensors, and of what shapes these must be."""

    shape: Shape
    dense: Sequences
    """The rows of a call, where all have all steps."""
    recurrent: bool
    cell_state: bool
    every: int
    precision: str
    steps: int
    batch: int
    directions: int
    axes: tuple[int, int]
    """Those of the steps and of the rows in `x`; one and the same when it is packed, or a single step."""
    outputs: Sizes
    states: Sizes
    kept: Sizes
    """What training keeps; empty for nothing."""
    by_output: bool
    """Whether the backward pass finds h in the outputs, not in what is kept."""
    weights: tuple[Sizes, ...]

    def as_they_lie(self, most: int) -> bool:
        """Tell whether the weights are read as they lie: for a single step of at most so many rows, or `BRIEF`."""
        few = self.batch <= most if self.steps == 1 else self.steps <= BRIEF[0] and self.steps * self.batch <= BRIEF[1]
        return few and self.recurrent and not self.every and self.precision == "fp32"

    def strides(self, x: Tensor) -> tuple[int, int]:
        """Find how many floats lie between two steps and between two rows of the batch."""
        strides, (time, row) = x.stride(), self.axes
        return 0 if time == row else strides[time], strides[row]


def plan_for(
    x: Tensor, weights: Sequence[Tensor], lengths: Tensor | None, offsets: Tensor | None,
    options: Options, *, symbolic: bool = False,
) -> Plan:  # fmt: skip
    """Plan a call; where sizes may be symbols, it is not remembered."""
    packed = None if lengths is None or offsets is None else (offsets.shape[0], lengths.shape[0])
    hidden = weights[0].shape[0] // GATES[options[0]]
    return (_plan if symbolic else _remembered)(x.shape, packed, hidden, len(weights), *options)


def per_direction(cell: str, *, biased: bool) -> int:
    """Count the weights and biases that a direction has."""
    return (2 if CELLS[cell].recurrent else 1) * (2 if biased else 1)


def _plan(
    sizes: tuple[Any, ...], packed: tuple[Any, Any] | None, hidden: int, count: int,
    cell: str, activation: str, biased: bool, batch_first: bool, every: int, precision: str,
) -> Plan:  # fmt: skip
    per = per_direction(cell, biased=biased)
    single = len(sizes) == 2 and not packed and count == per
    if not (single or len(sizes) == (2 if packed else 3)) or count not in (per, 2 * per) or every < 0:
        raise Unfit(
            f"the fused kernels take an input of 3 axes, or of 2 with `offsets` or for a single step, {per} or "
            f"{2 * per} weights and `every` from 0 up, but got {len(sizes)} axes, {count} weights and every={every}"
        )
    if activation not in ACTIVATIONS:
        raise Unfit(f"`activation` (={activation!r}) is none that the fused kernels have: {' and '.join(ACTIVATIONS)}")
    if precision not in PRECISIONS:
        raise Unfit(f"`precision` (={precision!r}) is none that the fused kernels have: {' and '.join(PRECISIONS)}")
    directions, features = count // per, sizes[-1]
    axes = (0, 0) if single or packed else (1, 0) if batch_first else (0, 1)
    steps, batch = packed or (1 if single else sizes[axes[0]], sizes[axes[1]])
    traits, gates = CELLS[cell], GATES[cell] * hidden
    both = ((gates, features), (gates, hidden), (gates,), (gates,))
    rows, numbers = sizes[0] if packed else steps * batch, len(traits.saved)
    if every:
        rows, numbers = -(-steps // every) * batch, len(traits.state) - 1
    return Plan(
        shape=Shape(traits.number, ACTIVATIONS.index(activation), features, hidden, PRECISIONS.index(precision)),
        dense=Sequences(steps, batch),
        recurrent=traits.recurrent,
        cell_state="c" in traits.state,
        every=every,
        precision=precision,
        steps=steps,
        batch=batch,
        directions=directions,
        axes=axes,
        outputs=(*sizes[:-1], directions * hidden),
        states=(batch, hidden) if single else (directions, batch, hidden),
        kept=(directions, rows, numbers * hidden) if numbers else (),
        by_output=traits.by_output or every > 0,
        weights=(both if traits.recurrent else both[::2])[:per] * directions,
    )


_remembered = lru_cache(1024)(_plan)


def _floats(x: Tensor, shape: Sizes, *, apart: bool = False) -> Tensor:
    """Refuse what the kernels, which get bare addresses, would read as what it is not, and copy what is not in line.

    With `apart`, only the numbers of a row need to follow each other.
    """
    if x.shape != shape or x.dtype is not FLOAT32 or not x.is_cpu or not (x.data_ptr() or x.numel() == 0):
        _refuse(x, shape, FLOAT32)
    if x.data_ptr() % 4:  # of a view into other bytes, which no kernel may read as floats
        x = x.clone()
    if x.is_neg() or not (x.is_contiguous() or (apart and (x.stride(-1) == 1 or x.shape[-1] == 1))):
        return x.resolve_neg().contiguous()
    return x


def _refuse(x: Tensor, shape: Sizes, dtype: torch.dtype) -> NoReturn:
    raise Unfit(
        f"the fused kernels take tensors of {dtype} in memory on the CPU, here of shape {tuple(shape)}, but got a "
        f"{type(x).__name__} of {x.dtype} on {x.device} of shape {tuple(x.shape)}: convert it, or check its shape"
    )


def _sequences(
    plan: Plan, x: Tensor, lengths: Tensor | None, order: Tensor | None, offsets: Tensor | None
) -> tuple[Sequences, list[Tensor | None]]:
    """Tell the kernels the sequences, by addresses in tensors that must be kept, and refuse rows that are not."""
    rows: list[Tensor | None] = [lengths, order, offsets]
    for i, count in enumerate((plan.batch, plan.batch, plan.steps)):
        row = rows[i]
        if row is None:
            continue
        if row.shape != (count,) or row.dtype is not INT64 or not row.is_cpu or not (row.data_ptr() or count == 0):
            _refuse(row, (count,), INT64)
        rows[i] = row.clone() if row.data_ptr() % 8 else row.contiguous()  # as `_floats` does
    if lengths is None and order is None and offsets is None:
        return plan.dense, rows
    if not _are_rows(plan, x, rows):
        raise Unfit(
            "the fused kernels take `lengths` that fall from at most the number of steps to at least 0, an `order` "
            "that is a permutation of the rows, and `offsets` at which the rows of each step begin: sort the rows"
        )
    return Sequences(plan.steps, plan.batch, *map(_at, rows)), rows


def _are_rows(plan: Plan, x: Tensor, rows: Sequence[Tensor | None]) -> bool:
    """Tell whether the numbers stay within the arrays. In NumPy, which takes a third of the time for so few."""
    lengths, order, offsets = (None if row is None else row.numpy() for row in rows)
    if lengths is None or (offsets is None and x.dim() == 2):  # a single step, of which every row is a part
        return False
    if len(lengths) and (lengths[0] > plan.steps or lengths[-1] < 0 or (lengths[1:] > lengths[:-1]).any()):
        return False
    if order is not None and not np.array_equal(np.sort(order), np.arange(len(order))):
        return False
    if offsets is None:
        return True
    counts = np.searchsorted(-lengths, -np.arange(plan.steps))  # of the rows that are longer
    return len(x) == counts.sum() and np.array_equal(offsets, counts.cumsum() - counts)


def _at(x: Tensor | None, numbers: int = 0) -> int:
    """Find the address of a tensor, or that of so many numbers further on; 0 where there is none."""
    return 0 if x is None else x.data_ptr() + 4 * numbers


def forward(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    order: Tensor | None,
    offsets: Tensor | None,
    cell: str,
    activation: str,
    biased: bool,
    batch_first: bool,
    every: int,
    precision: str,
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Compute a layer: outputs, h, c (of an LSTM), and what training keeps (with `keep`)."""
    plan = plan_for(x, weights, lengths, offsets, (cell, activation, biased, batch_first, every, precision))
    x = _floats(x, x.shape, apart=True)
    h0 = h0 if h0 is None else _floats(h0, plan.states)
    c0 = c0 if c0 is None else _floats(c0, plan.states)
    weights = [_floats(w, shape) for w, shape in zip(weights, plan.weights, strict=True)]
    sequences, _held = _sequences(plan, x, lengths, order, offsets)
    output, h_n, c_n, saved = results(plan, x, ragged=lengths is not None, keep=keep)
    in_large_pages(output, saved)
    pack = lay_out if keep else laid_out  # in training the weights have changed since the last call
    as_they_lie = plan.as_they_lie(TOGETHER)
    step, row = plan.strides(output)
    hidden, per = plan.shape.hidden, len(weights) // plan.directions
    state, kept = plan.batch * hidden, 0 if saved is None else saved.stride(0)
    panels: list[Tensor] = []
    directions = []
    for d in range(plan.directions):
        own, numbers = weights[d * per : (d + 1) * per], FORWARD.copy()
        if as_they_lie:
            numbers[WEIGHTS] = in_places(plan.shape, [w.data_ptr() for w in own])
        else:
            panels.append(pack(plan.shape, own))
            numbers[AT.panels] = panels[d].data_ptr()
        numbers[OUTPUT] = _at(output, d * hidden), step, row
        _put_state(numbers, d * state, h0, c0)
        numbers[AT.h_n] = _at(h_n, d * state)
        if c_n is not None:
            numbers[AT.c_n] = _at(c_n, d * state)
        if saved is not None:
            numbers[AT.cell_states if every else AT.saved] = _at(saved, d * kept)
        directions.append(numbers)
    _core.forward(plan.shape, sequences, _grid(plan, x), directions, every, torch.get_num_threads())
    return output, h_n, c_n, saved


def results(plan: Plan, x: Tensor, *, ragged: bool, keep: bool) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """Make room for outputs, h, c, and what the backward pass needs."""
    # Outputs of steps that are not part of their row are zero, and nobody computes them.
    new = x.new_zeros if ragged and x.dim() == 3 else x.new_empty
    output, h_n = new(*plan.outputs), x.new_empty(*plan.states)
    c_n = x.new_empty(*plan.states) if plan.cell_state else None
    saved = x.new_empty(*plan.kept) if keep and plan.kept else None
    return output, h_n, c_n, saved


def backward(
    d_output: Tensor | None,
    d_h_n: Tensor | None,
    d_c_n: Tensor | None,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    output: Tensor,
    saved: Tensor,
    lengths: Tensor | None,
    order: Tensor | None,
    offsets: Tensor | None,
    cell: str,
    activation: str,
    biased: bool,
    batch_first: bool,
    every: int,
    precision: str,
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Compute the gradients of the input, the states and the weights, in this order; None for those not `wanted`.

    The outputs are needed of an LSTM, a MinGRU or with `every`: else h is kept apart from them, so that a program may
    write into them, as it may with PyTorch's. What is kept is not needed with `every`, but of an LSTM.
    """
    plan = plan_for(x, weights, lengths, offsets, (cell, activation, biased, batch_first, every, precision))
    x = _floats(x, x.shape, apart=True)
    d_output = None if d_output is None else _floats(d_output, plan.outputs, apart=True)
    h0 = h0 if h0 is None else _floats(h0, plan.states)
    c0 = c0 if c0 is None else _floats(c0, plan.states)
    d_h_n = d_h_n if d_h_n is None else _floats(d_h_n, plan.states)
    d_c_n = None if d_c_n is None or not plan.cell_state else _floats(d_c_n, plan.states)
    weights = [_floats(w, shape) for w, shape in zip(weights, plan.weights, strict=True)]
    output = _floats(output, plan.outputs, apart=True) if plan.by_output else output
    saved = _floats(saved, plan.kept) if plan.kept else saved
    sequences, _held = _sequences(plan, x, lengths, order, offsets)
    found = gradients(plan, x, weights, wanted, ragged=lengths is not None)
    d_x, d_h0, d_c0, *d_weights = found
    in_large_pages(d_x, *d_weights)
    # Two directions at once cannot add to one array: the second has its own.
    d_xs = [d_x]
    if plan.directions == 2:
        d_xs.append(None if d_x is None else (torch.empty_like if lengths is None else torch.zeros_like)(d_x))
    hidden, per = plan.shape.hidden, len(weights) // plan.directions
    state = plan.batch * hidden
    panels: list[Tensor] = []
    directions = []
    as_they_lie = plan.as_they_lie(FEW)
    for d in range(plan.directions):
        own, numbers = slice(d * per, (d + 1) * per), BACKWARD.copy()
        if every or not plan.recurrent:
            panels.append(lay_out(plan.shape, weights[own]))
            numbers[AT.panels] = panels[-1].data_ptr()
        if as_they_lie:
            numbers[WEIGHTS] = in_places(plan.shape, [w.data_ptr() for w in weights[own]])
        else:
            panels.append(lay_out(plan.shape, weights[own], backward=True))
            numbers[AT.backward_panels] = panels[-1].data_ptr()
        _put_state(numbers, d * state, h0, c0)
        _put_kept(numbers, plan, output, saved, d)
        _put_gradients(numbers, plan, d, d_output, d_h_n, d_c_n, d_xs[d], d_h0, d_c0)
        numbers[WEIGHT_GRADIENTS] = in_places(plan.shape, [*map(_at, d_weights[own])])
        directions.append(numbers)
    _core.backward(plan.shape, sequences, _grid(plan, x), directions, every, torch.get_num_threads())
    if plan.directions == 2 and d_x is not None and d_xs[1] is not None:
        d_x += d_xs[1]
    return found


def _put_state(numbers: list[int], place: int, h0: Tensor | None, c0: Tensor | None) -> None:
    """Tell a direction where its state before the first step is."""
    if h0 is not None:
        numbers[AT.h0] = _at(h0, place)
    if c0 is not None:
        numbers[AT.c0] = _at(c0, place)


def _put_kept(numbers: list[int], plan: Plan, output: Tensor, saved: Tensor, d: int) -> None:
    """Tell a direction where h of every step is, and what was kept, or the cell states."""
    keeping = _at(saved, d * saved.stride(0)) if plan.kept else 0
    if plan.by_output:
        h = _grid(plan, output, d * plan.shape.hidden)
    else:
        width = plan.kept[2]
        h = Grid(keeping + 4 * (width - plan.shape.hidden), plan.batch * width, width)
    numbers[OUTPUT] = h
    numbers[AT.cell_states if plan.every else AT.saved] = keeping


def _put_gradients(
    numbers: list[int], plan: Plan, d: int,
    d_output: Tensor | None, d_h_n: Tensor | None, d_c_n: Tensor | None,
    d_x: Tensor | None, d_h0: Tensor | None, d_c0: Tensor | None,
) -> None:  # fmt: skip
    """Tell a direction the gradients of what it has put out, and where those of what it was given go."""
    units = d * plan.shape.hidden
    state = plan.batch * units
    if d_output is not None:
        numbers[OUTPUT_GRADIENT] = _grid(plan, d_output, units)
    if d_h_n is not None:
        numbers[AT.h_n_gradient] = _at(d_h_n, state)
    if d_c_n is not None:
        numbers[AT.c_n_gradient] = _at(d_c_n, state)
    if d_x is not None:
        numbers[INPUT_GRADIENT] = _grid(plan, d_x)
    if d_h0 is not None:
        numbers[AT.h0_gradient] = _at(d_h0, state)
    if d_c0 is not None:
        numbers[AT.c0_gradient] = _at(d_c0, state)


def _grid(plan: Plan, x: Tensor, numbers: int = 0) -> Grid:
    return Grid(_at(x, numbers), *plan.strides(x))


def gradients(
    plan: Plan, x: Tensor, weights: Sequence[Tensor], wanted: Sequence[bool], *, ragged: bool
) -> list[Tensor | None]:
    """Make room for the gradients of the input, the states and the weights; None for those not wanted."""
    new = x.new_zeros if ragged and x.dim() == 3 else x.new_empty
    return [
        new(*x.shape) if wanted[0] else None,
        x.new_empty(*plan.states) if wanted[1] else None,
        x.new_empty(*plan.states) if wanted[2] and plan.cell_state else None,
        *[torch.empty_like(w) if want else None for w, want in zip(weights, wanted[3:], strict=True)],
    ]
