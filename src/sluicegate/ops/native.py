"""The fused kernels as operators of PyTorch's registry: `torch.ops.sluicegate.layer` and its way back.

One operator computes a layer of a GRU, an LSTM or an RNN, in one direction or both. It has rules for autograd, for
shapes alone (`torch.compile`, `torch.export`) and for autocast, so that whatever treats a model as a graph sees one
node. `sluicegate.nn` is what calls it; the equations are those of `sluicegate.ops.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.types import Isa

from . import calls, reference


def isa() -> Isa:
    """Name the instruction set of the kernels in use.

    Returns:
        `"avx512"`, `"avx2"`, `"neon"` or `"scalar"`: the best that the processor has, or what the environment
        variable `SLUICEGATE_ISA` asks for.

    Raises:
        ConfigError: The variable asks for one that the processor does not have.
    """
    try:
        name: Isa = _core.isa()  # type: ignore[assignment]
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return name


def layer(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    rows: tuple[Tensor | None, Tensor | None, Tensor | None],
    options: tuple[str, str, bool, bool, int],
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute a layer with the fused kernels.

    Args:
        x: `[time batch input]`, `[batch time input]` with `batch_first`, or the data of a PackedSequence.
        h0: The state before, `[directions batch hidden]`; zeros when not given.
        c0: The memory before, of an LSTM.
        weights: `weight_ih, weight_hh` and, if there are biases, `bias_ih, bias_hh`; of both directions in turn.
        rows: How many steps each row has, from the longest to the shortest, and which row of the batch it is; for
            a PackedSequence, the lengths, None, and where the rows of each step begin.
        options: The cell, one of `calls.CELLS`; the activation of its candidate; whether there are biases; whether
            the batch comes first; and `checkpoint_every`, 0 for none.

    Returns:
        The outputs, laid out like `x`, the final state, and the final memory, which is empty but for an LSTM.
    """
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, h0, c0, *weights))
    if not _is_plain(x) or torch.is_autocast_enabled("cpu"):
        output, h_n, c_n, _ = _forward(x, h0, c0, weights, *rows, *options, keep)
    elif keep:
        output, h_n, c_n, _ = _Layer.apply(rows, options, x, h0, c0, *weights)  # type: ignore[no-untyped-call]
    else:
        output, h_n, c_n, _ = calls.forward(x, h0, c0, weights, *rows, *options, keep)  # type: ignore[arg-type]
    return output, h_n, c_n


def _is_plain(x: Tensor) -> bool:
    """Tell whether nobody but the kernels has to see the call: then it need not pass through PyTorch's dispatcher.

    Every passage takes as long as a small layer's step, and training has four of them.
    """
    return not torch.compiler.is_compiling() and type(x) is Tensor and torch._C._len_torch_dispatch_stack() == 0


class _Layer(torch.autograd.Function):
    """The rule for autograd. Made by hand: the one that `torch.library` makes costs more than a small layer.

    What is no matter of gradients comes packed up, `rows` and `options`: every argument takes its time.
    """

    @staticmethod
    def forward(ctx: Any, rows: Any, options: Any, x: Any, h0: Any, c0: Any, *weights: Any) -> Any:
        if _is_plain(x):
            output, h_n, c_n, saved = calls.forward(x, h0, c0, weights, *rows, *options, True)  # type: ignore[call-arg]
        else:
            with torch._C._AutoDispatchBelowAutograd():
                output, h_n, c_n, saved = _forward(x, h0, c0, weights, *rows, *options, True)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(saved)
        ctx.rows, ctx.options = rows, options
        needed = output if options[0] == "lstm" or options[4] else saved  # see `calls.backward`
        ctx.save_for_backward(x, h0, c0, needed, saved, *weights)
        return output, h_n, c_n, saved

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        x, h0, c0, output, saved, *weights = ctx.saved_tensors
        wanted = list(ctx.needs_input_grad[2:])
        if torch.is_grad_enabled() and _is_plain(x):  # a second derivative may be asked for: the equations have one
            found = _by_equations(gradients[:3], wanted, x, h0, c0, weights, ctx.rows, ctx.options)
        else:
            arguments: Any = (*gradients[:3], x, h0, c0, weights, output, saved, *ctx.rows, *ctx.options, wanted)
            if _is_plain(x):
                d_x, d_h0, d_c0, d_weights = calls.backward(*arguments)
            else:
                with torch._C._AutoDispatchBelowAutograd():
                    d_x, d_h0, d_c0, d_weights = _backward(*arguments)
            found = [g if want else None for g, want in zip((d_x, d_h0, d_c0, *d_weights), wanted, strict=True)]
        return None, None, *found


def _by_autograd(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> Any:
    if options[-1]:
        return _Layer.apply((lengths, order, offsets), options[:-1], x, h0, c0, *weights)  # type: ignore[no-untyped-call]
    with torch._C._AutoDispatchBelowAutograd():
        return _forward(x, h0, c0, weights, lengths, order, offsets, *options)


def _by_equations(
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    rows: tuple[Tensor | None, Tensor | None, Tensor | None],
    options: tuple[str, str, bool, bool, int],
) -> list[Tensor | None]:
    """Differentiate the equations themselves, so that the result can be differentiated again."""
    (lengths, order, offsets), (cell, activation, biased, batch_first, _) = rows, options
    inputs = [t for t, want in zip((x, h0, c0, *weights), wanted, strict=True) if want and t is not None]
    if offsets is not None and lengths is not None:
        # A PackedSequence, spread out: rows that have ended read whatever is there, and are left out.
        valid = torch.arange(len(offsets)).unsqueeze(1) < lengths
        time_first = x[(offsets.unsqueeze(1) + torch.arange(len(lengths))).clamp(max=len(x) - 1)]
    else:
        time_first = x.transpose(0, 1) if batch_first else x
        valid = None
        if lengths is not None and order is not None:
            valid = torch.arange(len(time_first)).unsqueeze(1) < torch.empty_like(lengths).scatter(0, order, lengths)
    per = 4 if biased else 2
    empty = time_first.new_zeros(time_first.shape[1], weights[1].shape[1])
    build = {"gru": reference.gru, "lstm": reference.lstm, "rnn": reference.rnn}[cell.removesuffix("_reset_before")]
    form = reference.Form("before" if cell.endswith("before") else "after", activation)  # type: ignore[arg-type]
    outputs, states = [], []
    for d in range(len(weights) // per):
        recurrence = build(reference.Weights(*weights[d * per : (d + 1) * per]), form)
        before = tuple(empty if s is None else s[d] for s in ((h0, c0) if cell == "lstm" else (h0,)))
        output, state = reference.scan(recurrence, time_first, before, valid=valid, reverse=d == 1)
        outputs.append(output)
        states.append(state)
    output = torch.cat(outputs, -1)
    output = output[valid] if offsets is not None else output.transpose(0, 1) if batch_first else output
    results = [output, *(torch.stack(s) for s in zip(*states, strict=True))]
    pairs = [(r, g) for r, g in zip(results, gradients, strict=False) if g is not None]
    found = iter(
        torch.autograd.grad([r for r, _ in pairs], inputs, [g for _, g in pairs], create_graph=True, allow_unused=True)
    )
    return [next(found) if want else None for want in wanted]


def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "torch.ops.sluicegate.layer_backward cannot be differentiated: compute the layer with "
        "`layer.by_reference(input, hx)`, which can be as often as you like"
    )


_library = torch.library.Library("sluicegate", "DEF")  # type: ignore[no-untyped-call]
_library.define(  # type: ignore[no-untyped-call]
    "layer(Tensor x, Tensor? h0, Tensor? c0, Tensor[] weights, Tensor? lengths, Tensor? order, Tensor? offsets, "
    "str cell, str activation, bool biased, bool batch_first, int every, bool keep) -> (Tensor, Tensor, Tensor, Tensor)"
)
_library.define(  # type: ignore[no-untyped-call]
    "layer_backward(Tensor? d_output, Tensor? d_h_n, Tensor? d_c_n, Tensor x, Tensor? h0, Tensor? c0, "
    "Tensor[] weights, Tensor output, Tensor saved, Tensor? lengths, Tensor? order, Tensor? offsets, "
    "str cell, str activation, bool biased, bool batch_first, int every, bool[] wanted) "
    "-> (Tensor, Tensor, Tensor, Tensor[])"
)
_library.impl("layer", calls.forward, "CPU")  # type: ignore[no-untyped-call]
_library.impl("layer", _by_autograd, "Autograd")  # type: ignore[no-untyped-call]
_library.impl("layer_backward", calls.backward, "CPU")  # type: ignore[no-untyped-call]
torch.library.register_fake("sluicegate::layer", calls.forward_shapes, lib=_library)
torch.library.register_fake("sluicegate::layer_backward", calls.backward_shapes, lib=_library)
torch.library.register_autograd(
    "sluicegate::layer_backward", _no_second_derivative, setup_context=lambda *_, **__: None, lib=_library
)
torch.library.register_autocast("sluicegate::layer", "cpu", torch.float32, lib=_library)

_forward = torch.ops.sluicegate.layer.default
_backward = torch.ops.sluicegate.layer_backward.default
