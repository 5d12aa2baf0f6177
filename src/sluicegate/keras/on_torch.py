"""Keras' recurrent cells on its torch backend: the kernels of PyTorch's layers, with weights as Keras has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from sluicegate.nn.rows import longest_first
from sluicegate.ops import kernel_calls, native
from sluicegate.ops.cells import BY_OUTPUT
from sluicegate.ops.derivatives import by_equations
from sluicegate.ops.packing import fingerprint

from . import dropping
from .cells import Form
from .weights import Weights, in_keras_order, in_our_order

_EVERY, _PRECISION, _BATCH_FIRST = 0, "fp32", True


def obstacle(x: Any, *others: Any) -> str | None:
    """Tell why Keras must compute a call, of what it is given; empty for what is no news, as when a layer is built."""
    for tensor in (x, *others):
        if tensor is None:
            continue
        if not tensor.is_cpu:
            return "" if tensor.is_meta else f"on {tensor.device}"
        if tensor.dtype is not torch.float32:
            return str(tensor.dtype).removeprefix("torch.")
    if native.becomes_onnx():
        return None
    if not native.is_plain(x, *others) or torch._C._is_tracing() or torch.is_autocast_enabled("cpu"):
        return ""  # a graph, a transform of torch.func, a type of tensor that looks at what is done to it
    return None


def as_inputs(x: Any) -> Any:
    """Whole numbers become floats, as in Keras' own loop."""
    return x if x.is_floating_point() else x.float()


def is_padded(mask: Any) -> bool:
    """Tell whether only the steps at the ends of rows are masked; False where nobody can know yet."""
    return not native.becomes_onnx() and bool((mask[:, 1:] <= mask[:, :-1]).all())


def sorted_places(keys: Any) -> Any:
    """The places of the keys of each row, no two of which are the same, from the smallest on."""
    return keys.sort(dim=1)[1]


def taken(x: Any, steps: Any) -> Any:
    """Take a step of each row for each step; Keras' operation for this writes down the sizes that it meets."""
    return x.gather(1, steps.long().unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def apart(x: Any) -> Any:
    """A copy of a state, which stateful layers write over before the backward pass has read it."""
    return x.clone()


DROPS_BY_GATE = True
"""Whether there is something of ours for dropout of each gate on its own."""

run_dropping = dropping.run

BEFORE_FIRST = False
"""Whether a step before the first one that is not masked puts out the initial state, or zeros."""


def run(form: Form, x: Tensor, states: Sequence[Tensor], weights: Weights, lengths: Tensor | None) -> Sequence[Tensor]:
    """Compute a cell over sequences.

    Args:
        form: What it computes.
        x: `[batch time features]`.
        states: The initial state, `[batch units]` each: h, and c of an LSTM.
        weights: Keras' own.
        lengths: How many steps of each row there are; None if all.

    Returns:
        The outputs, `[batch time units]`, zero past the lengths, and the final states.
    """
    rows = (None, None, None) if lengths is None else (*longest_first(lengths.long()), None)
    options: Any = (form.cell, form.activation, form.biased, _BATCH_FIRST, _EVERY, _PRECISION)
    h0, c0 = states[0].unsqueeze(0), states[1].unsqueeze(0) if form.states == 2 else None
    if native.becomes_onnx():
        found: Any = native.layer(x, h0, c0, in_our_order(form.cell, weights), rows, options)
    elif torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, *states, *weights)):
        found = _apply(rows, options, x, h0, c0, *weights)
    else:
        ours = _kept_in_our_order(form.cell, weights)
        found = kernel_calls.forward(x, h0, c0, ours, *rows, *options, False)  # type: ignore[call-arg]
    return found[0], *(s.squeeze(0) for s in found[1 : 1 + form.states])


# By Keras' kernel, as long as it lives: the fingerprint of its weights, and these in our order.
_kept: Any = WeakTensorKeyDictionary()


def _kept_in_our_order(cell: str, weights: Weights) -> list[Tensor]:
    """Find the weights in our order as the last call left them, as long as they are the same numbers."""
    given = [w.detach().contiguous() for w in weights if w is not None]
    now = fingerprint(given)
    known = _kept.get(weights[0])
    if known is None or known[0] != now:
        known = _kept[weights[0]] = now, in_our_order(cell, [w if w is None else w.detach() for w in weights])
    found: list[Tensor] = known[1]
    return found


class _Layer(torch.autograd.Function):
    """The rule for autograd with weights in Keras' order: to have it turn them costs more than a small layer."""

    @staticmethod
    def forward(ctx: Any, rows: Any, options: Any, x: Any, h0: Any, c0: Any, *weights: Any) -> Any:
        ours = in_our_order(options[0], weights)
        output, h_n, c_n, saved = kernel_calls.forward(x, h0, c0, ours, *rows, *options, True)  # type: ignore[call-arg]
        ctx.set_materialize_grads(False)
        ctx.call = rows, options, weights[2] is not None and weights[2].dim() == 1
        ctx.ours = ours  # turned twice they would take as long again
        needed = output if options[0] in BY_OUTPUT else saved
        ctx.save_for_backward(needed, needed if saved is None else saved, x, h0, c0, *weights)
        return output, h_n, c_n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        (output, saved, x, h0, c0, *weights), (rows, options, single) = ctx.saved_tensors, ctx.call
        asked = ctx.needs_input_grad[2:]
        wanted = [*asked, asked[-1] and not single][: 3 + len(ctx.ours)]
        again = torch.is_grad_enabled()  # a second derivative may be asked for: the equations have one
        if again or not native.is_plain(*gradients, output, saved, x, h0, c0, *weights):
            with torch.enable_grad():
                ours = in_our_order(options[0], weights)
                found = by_equations(gradients, wanted, (x, h0, c0, *ours), rows, options, again=again)
        else:
            arguments: Any = (*gradients, x, h0, c0, ctx.ours, output, saved, *rows, *options, wanted)
            found = kernel_calls.backward(*arguments)
        return None, None, *found[:3], *in_keras_order(options[0], found[3:], single=single)


# Besides this, `_Layer.apply` looks for transforms of torch.func, which are none of what comes here.
_apply: Any = super(torch.autograd.Function, _Layer).apply
