"""The gradients of a layer by its equations, step by step: slower than the kernels, but to be differentiated again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sluicegate.types import Reset

from . import kernel_calls, reference
from .cells import CELLS, GATES

Rows = tuple[Tensor | None, Tensor | None, Tensor | None]


def by_equations(
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
    inputs: Sequence[Tensor | None],
    rows: Rows,
    options: kernel_calls.Options,
    *,
    again: bool = True,
) -> list[Tensor | None]:
    """Differentiate the equations of a layer.

    Args:
        gradients: Of the outputs, h and c; None where there is none.
        wanted: Of which inputs the gradient is asked for.
        inputs: x, h0, c0 and the weights, as `native.layer` takes them.
        rows: As `native.layer` takes them.
        options: As `native.layer` takes them.
        again: Whether the gradients are to be differentiated again, and so part of the graph.

    Returns:
        The gradients of the inputs, None of those not wanted.
    """
    # Under names of their own: of a weight that also made the state, or that is tied to another one, the gradient is
    # the sum of all ways to it, but here only of the one that leads through this call and this place.
    inputs = [None if t is None else t.view_as(t) for t in inputs]
    with torch.autocast("cpu", enabled=False):
        results = _compute(inputs, rows, options)
        pairs = [(r, g) for r, g in zip(results, gradients, strict=False) if g is not None and r.requires_grad]
        asked = [t for t, want in zip(inputs, wanted, strict=True) if want and t is not None]
        found: Sequence[Tensor] = [torch.zeros_like(t) for t in asked]
        if pairs:  # else nothing depends on anything: there are no steps, and no state
            outputs, incoming = zip(*pairs, strict=True)
            found = torch.autograd.grad(outputs, asked, incoming, create_graph=again, materialize_grads=True)
    one = iter(found)
    return [next(one) if want else None for want in wanted]


def _compute(inputs: Sequence[Tensor | None], rows: Rows, options: kernel_calls.Options) -> list[Tensor]:
    """Compute a layer in plain PyTorch: its outputs, laid out like x, and the state."""
    (x, h0, c0, *weights), (_, _, offsets), (cell, activation, biased, batch_first, _, precision) = (
        inputs,
        rows,
        options,
    )
    assert x is not None
    if x.dim() == 2 and offsets is None:  # the step of a cell is a sequence of one
        one = [None if t is None else t.unsqueeze(0) for t in (x, h0, c0)]
        return [t[0] for t in _compute([*one, *weights], rows, (cell, activation, biased, False, 0, precision))]
    time_first, valid = _unpacked(x, rows, batch_first)
    if valid is not None:  # whatever stands in the padding
        time_first = time_first.masked_fill(~valid.unsqueeze(-1), 0)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[:: 1 if CELLS[cell].recurrent else 2]
    per, build = kernel_calls.per_direction(cell, biased=biased), reference.EQUATIONS[cell]
    empty = time_first.new_zeros(time_first.shape[1], len(weights[0]) // GATES[cell])  # type: ignore[arg-type]
    reset: Reset = "before" if cell.endswith("before") else "after"
    form = reference.Form(reset, activation, precision)  # type: ignore[arg-type]
    outputs, states = [], []
    for d in range(len(weights) // per):
        own: Any = dict(zip(names, weights[d * per : (d + 1) * per], strict=False))
        recurrence = build(reference.Weights(**own), form)
        before = tuple(empty if s is None else s[d] for s in (h0, c0)[: len(CELLS[cell].state)])
        output, state = reference.scan(recurrence, time_first, before, valid=valid, reverse=d == 1)
        outputs.append(output)
        states.append(state)
    output = torch.cat(outputs, -1)
    if offsets is not None and valid is not None:
        output = output[valid]
    elif batch_first:
        output = output.transpose(0, 1)
    return [output, *(torch.stack(s) for s in zip(*states, strict=True))]


def _unpacked(x: Tensor, rows: Rows, batch_first: bool) -> tuple[Tensor, Tensor | None]:
    """Bring the input to `[time batch input]`, and tell which steps are part of their row, if not all are."""
    lengths, order, offsets = rows
    if lengths is not None and offsets is not None:  # rows that have ended read whatever is there
        steps = offsets.unsqueeze(1) + torch.arange(len(lengths), device=x.device)
        time_first = x[steps.clamp(max=len(x) - 1)]
    else:
        time_first = x.transpose(0, 1) if batch_first else x
    if lengths is None:
        return time_first, None
    if order is not None:
        lengths = torch.empty_like(lengths).scatter(0, order, lengths)
    return time_first, torch.arange(len(time_first), device=x.device).unsqueeze(1) < lengths
