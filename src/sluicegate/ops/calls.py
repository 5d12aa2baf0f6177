"""Calls of the compiled kernels: what a layer's tensors are, told in addresses and strides.

The signatures are those of the operators in `native.py`, which register these functions: `forward` and `backward`
compute, and `forward_shapes` and `backward_shapes` make the same results without computing anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sluicegate import _core

from .panels import Shape, laid_out, lay_out

CELLS = ("gru", "gru_reset_before", "lstm", "rnn")
"""What the kernels compute, in the order of their `Cell`; the second is the GRU with `reset="before"`."""

ACTIVATIONS = ("tanh", "relu")

SAVED = {"gru": 5, "gru_reset_before": 4, "lstm": 5, "rnn": 1}
"""Numbers that training keeps for each unit and step, the last of which is h, or c for an LSTM."""


class Plan(NamedTuple):
    """What a call is about, beside its tensors."""

    shape: Shape
    cell: str
    batch_first: bool
    every: int
    steps: int
    batch: int
    directions: int
    packed: bool

    @property
    def hidden(self) -> int:
        """Count the units of one direction."""
        return self.shape[3]

    def strides(self, x: Tensor) -> tuple[int, int]:
        """Find how many floats lie between two steps and between two rows of the batch."""
        outer, inner, *_ = x.stride()
        return (0, outer) if self.packed else (inner, outer) if self.batch_first else (outer, inner)


def _plan(
    x: Tensor, weights: Sequence[Tensor], lengths: Tensor | None, offsets: Tensor | None, cell: str, activation: str,
    biased: bool, batch_first: bool, every: int,
) -> Plan:  # fmt: skip
    if offsets is not None and lengths is not None:
        steps, batch = offsets.shape[0], lengths.shape[0]
    else:
        steps, batch = (x.shape[1], x.shape[0]) if batch_first else (x.shape[0], x.shape[1])
    shape = CELLS.index(cell), ACTIVATIONS.index(activation), x.shape[-1], weights[1].shape[1]
    directions = len(weights) // (4 if biased else 2)
    return Plan(shape, cell, batch_first, every, steps, batch, directions, offsets is not None)


def _usable(x: Tensor) -> Tensor:
    """Copy where the numbers of a row do not follow each other."""
    return x if x.stride(-1) == 1 or x.shape[-1] == 1 or x.numel() == 0 else x.contiguous()


def _check(plan: Plan, x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]) -> None:
    """Refuse what the kernels, which get bare addresses, would read as what it is not."""
    gates = (4 if plan.cell == "lstm" else 1 if plan.cell == "rnn" else 3) * plan.hidden
    state = (plan.directions, plan.batch, plan.hidden)
    shapes = ((gates, plan.shape[2]), (gates, plan.hidden), (gates,), (gates,))
    per = len(weights) // plan.directions
    for tensor, shape in (
        (x, x.shape),
        (h0, state),
        (c0, state),
        *((w, shapes[i % per]) for i, w in enumerate(weights)),
    ):
        if tensor is None:
            continue
        if tensor.dtype != torch.float32 or not tensor.is_cpu or tensor.shape != shape:
            raise RuntimeError(
                f"the fused kernels take tensors of torch.float32 on the CPU, here of shape {tuple(shape)}, but got "
                f"{tensor.dtype} on {tensor.device} of shape {tuple(tensor.shape)}: convert it, or check its shape"
            )


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()


def _sequences(plan: Plan, lengths: Tensor | None, order: Tensor | None, offsets: Tensor | None) -> list[int]:
    return [plan.steps, plan.batch, _address(lengths), _address(order), _address(offsets)]


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
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Compute a layer: outputs, h, c (empty but for an LSTM), and what training keeps (empty without `keep`)."""
    plan = _plan(x, weights, lengths, offsets, cell, activation, biased, batch_first, every)
    _check(plan, x, h0, c0, weights)
    x = _usable(x)
    h0 = None if h0 is None else h0.contiguous()
    c0 = None if c0 is None else c0.contiguous()
    weights = [w.contiguous() for w in weights]
    output, h_n, c_n, saved = _results(plan, x, ragged=lengths is not None, keep=keep)
    pack = lay_out if keep else laid_out  # in training the weights have changed since the last call
    step, row = plan.strides(output)
    hidden, per = plan.hidden, 4 if biased else 2
    state, kept = plan.batch * hidden * 4, saved.stride(0) * 4 if saved.numel() else 0
    panels, directions = [], []
    for d in range(plan.directions):
        own = weights[d * per : (d + 1) * per]
        panels.append(pack(plan.shape, own))
        memory = keep and cell == "lstm" and every > 0
        directions.append([
            panels[d].data_ptr(),
            0 if h0 is None else h0.data_ptr() + d * state,
            0 if c0 is None else c0.data_ptr() + d * state,
            output.data_ptr() + d * hidden * 4, step, row,
            h_n.data_ptr() + d * state,
            c_n.data_ptr() + d * state if cell == "lstm" else 0,
            saved.data_ptr() + d * kept if keep and kept and not memory else 0,
            saved.data_ptr() + d * kept if memory else 0,
        ])  # fmt: skip
    _core.forward(
        plan.shape,
        _sequences(plan, lengths, order, offsets),
        [x.data_ptr(), *plan.strides(x)],
        directions,
        max(every, 0),
        torch.get_num_threads(),
    )
    return output, h_n, c_n, saved


def _results(plan: Plan, x: Tensor, *, ragged: bool, keep: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Make room for what the operator returns: outputs, h, c, and what the backward pass needs."""
    wide = plan.directions * plan.hidden
    # Outputs of steps that are not part of their row are zero, and nobody computes them.
    new = x.new_zeros if ragged and not plan.packed else x.new_empty
    output = new((*x.shape[:-1], wide))
    states = (plan.directions, plan.batch, plan.hidden)
    h_n = x.new_empty(states)
    c_n = x.new_empty(states if plan.cell == "lstm" else (0,))
    rows, kinds = x.shape[0] if plan.packed else plan.steps * plan.batch, SAVED[plan.cell] if keep else 0
    if plan.every and kinds:
        rows, kinds = (-(-plan.steps // plan.every) * plan.batch, 1) if plan.cell == "lstm" else (0, 0)
    saved = x.new_empty((plan.directions, rows, kinds * plan.hidden) if kinds else (0,))
    return output, h_n, c_n, saved


def forward_shapes(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Tensor | None, order: Any, offsets: Tensor | None,
    cell: str, activation: str, biased: bool, batch_first: bool, every: int, keep: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Make what `forward` returns, with nothing in it."""
    plan = _plan(x, weights, lengths, offsets, cell, activation, biased, batch_first, every)
    return _results(plan, x, ragged=lengths is not None, keep=keep)


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
    wanted: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """Compute the gradients of the input, the states and the weights; those not `wanted` are empty."""
    plan = _plan(x, weights, lengths, offsets, cell, activation, biased, batch_first, every)
    _check(plan, x, h0, c0, weights)
    x = _usable(x)
    h0, c0, d_h_n, d_c_n = (None if s is None else s.contiguous() for s in (h0, c0, d_h_n, d_c_n))
    d_output = None if d_output is None else _usable(d_output)
    weights = [w.contiguous() for w in weights]
    ragged = lengths is not None
    d_x, d_h0, d_c0, d_weights = _gradients(plan, x, weights, wanted, ragged=ragged)
    # Two directions at once cannot add to one array: the second has its own.
    d_xs = [d_x, torch.zeros_like(d_x) if ragged else torch.empty_like(d_x)] if plan.directions == 2 else [d_x]
    hidden, per = plan.hidden, 4 if biased else 2
    state, kept = plan.batch * hidden * 4, saved.stride(0) * 4 if saved.numel() else 0
    memory = cell == "lstm" and every > 0
    panels, directions = [], []
    for d in range(plan.directions):
        own = weights[d * per : (d + 1) * per]
        again, back = lay_out(plan.shape, own) if every else None, lay_out(plan.shape, own, backward=True)
        panels += [again, back]
        gradients = [_address(g) if g.numel() else 0 for g in d_weights[d * per : (d + 1) * per]]
        offset = d * hidden * 4
        if cell == "lstm" or every:
            states = [output.data_ptr() + offset, *plan.strides(output)]
        else:  # h is kept apart from the outputs, into which a program may write, as it may with PyTorch's
            width = SAVED[cell] * hidden
            states = [saved.data_ptr() + d * kept + (width - hidden) * 4, plan.batch * width, width]
        directions.append([
            _address(again),
            0 if h0 is None else h0.data_ptr() + d * state,
            0 if c0 is None else c0.data_ptr() + d * state,
            *states, 0, 0,
            0 if every else saved.data_ptr() + d * kept,
            saved.data_ptr() + d * kept if memory else 0,
            back.data_ptr(),
            *([0, 0, 0] if d_output is None else [d_output.data_ptr() + offset, *plan.strides(d_output)]),
            0 if d_h_n is None else d_h_n.data_ptr() + d * state,
            0 if d_c_n is None else d_c_n.data_ptr() + d * state,
            *([d_xs[d].data_ptr(), *plan.strides(d_xs[d])] if wanted[0] and d_x.numel() else [0, 0, 0]),
            d_h0.data_ptr() + d * state if wanted[1] else 0,
            d_c0.data_ptr() + d * state if wanted[2] else 0,
            *gradients, *[0] * (4 - per),
        ])  # fmt: skip
    _core.backward(
        plan.shape,
        _sequences(plan, lengths, order, offsets),
        [x.data_ptr(), *plan.strides(x)],
        directions,
        max(every, 0),
        torch.get_num_threads(),
    )
    if plan.directions == 2 and wanted[0]:
        d_x += d_xs[1]
    return d_x, d_h0, d_c0, d_weights


def _gradients(
    plan: Plan, x: Tensor, weights: Sequence[Tensor], wanted: Sequence[bool], *, ragged: bool
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """Make room for the gradients of the input, the states and the weights; those not wanted are empty."""
    nothing = (0,)
    new = x.new_zeros if ragged and not plan.packed else x.new_empty
    states = (plan.directions, plan.batch, plan.hidden)
    return (
        new(x.shape if wanted[0] else nothing),
        x.new_empty(states if wanted[1] else nothing),
        x.new_empty(states if wanted[2] else nothing),
        [w.new_empty(w.shape if want else nothing) for w, want in zip(weights, wanted[3:], strict=True)],
    )


def backward_shapes(
    d_output: Any, d_h_n: Any, d_c_n: Any, x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], output: Any,
    saved: Any, lengths: Tensor | None, order: Any, offsets: Tensor | None, cell: str, activation: str, biased: bool,
    batch_first: bool, every: int, wanted: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Make what `backward` returns, with nothing in it."""
    plan = _plan(x, weights, lengths, offsets, cell, activation, biased, batch_first, every)
    return _gradients(plan, x, weights, wanted, ragged=lengths is not None)
