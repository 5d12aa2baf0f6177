"""The fused kernels as operators of PyTorch's registry: `torch.ops.sluicegate.layer` and its backward pass.

One operator computes a layer of a GRU, LSTM, RNN, MinGRU or LiGRU, in one direction or both. It has rules for
autograd, for shapes alone (`torch.compile`, `torch.export`), for autocast and for counting, so that whatever treats a
model as a graph sees one node. `sluicegate.nn` is what calls it; the equations are those of `sluicegate.ops.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch._C import _is_any_autocast_enabled
from torch._C._functorch import is_legacy_batchedtensor, unwrap_if_dead
from torch._guards import detect_fake_mode
from torch._subclasses.fake_tensor import FakeTensor
from torch._subclasses.functional_tensor import FunctionalTensor
from torch.nn import Parameter
from torch.utils.flop_counter import register_flop_formula

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.types import Isa

from . import flops, kernel_calls, onnx, operators, steps
from .cells import BY_OUTPUT, CELLS
from .cells import GATES as GATES
from .derivatives import by_equations
from .kernel_calls import Options
from .kernel_calls import Unfit as Unfit
from .kernel_calls import per_direction as per_direction


def isa() -> Isa:
    """Name the instruction set of the kernels in use.

    Returns:
        `"avx512_bf16"`, `"avx512"`, `"avx2"`, `"neon"` or `"scalar"`: the best that the processor has, or what the
        environment variable `SLUICEGATE_ISA` asks for.

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
    options: Options,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Compute a layer with the fused kernels.

    Args:
        x: `[time batch input]`, `[batch time input]` with `batch_first`, or the data of a PackedSequence; for a cell,
            `[batch input]`.
        h0: The initial state, `[directions batch hidden]`, or `[batch hidden]` of a cell; zeros when not given.
        c0: The initial cell state, of an LSTM.
        weights: `weight_ih, weight_hh` and, if there are biases, `bias_ih, bias_hh`, of a MinGRU what it has of them;
            of both directions in turn.
        rows: How many steps each row has, from the longest to the shortest, and which row of the batch it is; for
            a PackedSequence, the lengths, None, and where the rows of each step begin; on the way to ONNX, the
            lengths alone, in the order of the batch.
        options: The cell, one of `cells.CELLS`; the activation of its candidate; whether there are biases;
            whether the batch comes first; `checkpoint_every`, 0 for none; and the precision of the products.

    Returns:
        The outputs, laid out like `x`, the final state, and the final cell state of an LSTM, else of no account.
    """
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (*weights, x, h0, c0))
    plain = is_plain(x, h0, c0, *weights)
    if plain and not (_is_any_autocast_enabled() and torch.is_autocast_enabled("cpu")):
        x = unwrap_if_dead(x)  # a tensor that has got out of a transform of torch.func
        h0 = h0 if h0 is None else unwrap_if_dead(h0)
        c0 = c0 if c0 is None else unwrap_if_dead(c0)
        if keep:
            output, h_n, c_n = _apply(rows, options, x, h0, c0, *weights)
        else:
            arguments: Any = (*rows, *options, keep)
            output, h_n, c_n, _ = kernel_calls.forward(x, h0, c0, weights, *arguments)
    elif not plain and becomes_onnx():
        output, h_n, c_n, _ = _in_onnx(x, h0, c0, weights, rows, options)
    else:
        output, h_n, c_n, _ = _forward(x, h0, c0, weights, *rows, *options, keep)
    return output, h_n, c_n


_CAN_TAKE = {cell: steps.can_take(cell) for cell in CELLS}


def step(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    options: Options,
) -> tuple[Tensor, Tensor | None]:
    """Compute a step of a cell with the fused kernels.

    Args:
        x: `[batch input]`.
        h0: The state, `[batch hidden]`; zeros when not given.
        c0: The cell state, of an LSTM.
        weights: As `layer` takes them.
        options: Likewise.

    Returns:
        The state after the step, and the cell state of an LSTM, else of no account.
    """
    plain = options[5] == "fp32" and is_plain(x, h0, c0, *weights)
    if _CAN_TAKE[options[0]] and plain and not torch.is_autocast_enabled("cpu"):
        x = unwrap_if_dead(x).contiguous()
        h0 = h0 if h0 is None else unwrap_if_dead(h0).contiguous()
        c0 = c0 if c0 is None else unwrap_if_dead(c0).contiguous()
        if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (*weights, x, h0, c0)):
            found = _take_step(options, x, h0, c0, *weights)
        else:
            found = steps.take(x, h0, c0, weights, options[0], options[1], False)
        if found is not None:
            return found[0], found[1]
    _, h, c = layer(x, h0, c0, weights, (None, None, None), options)
    return h, c


def becomes_onnx() -> bool:
    """Tell whether the layers that run are being written down by `torch.onnx.export`."""
    return torch.compiler.is_exporting() and torch.onnx.is_in_onnx_export()


def _in_onnx(
    x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor], rows: Any, options: Any
) -> tuple[Tensor, ...]:
    """ONNX has no cells: their step is a sequence of one."""
    if x.dim() == 3:
        return onnx.layer(x, h0, c0, weights, rows, options)
    x, h0, c0 = (None if t is None else t.unsqueeze(0) for t in (x, h0, c0))  # type: ignore[assignment]
    return tuple(t[0] if t.dim() == 3 else t for t in onnx.layer(x, h0, c0, weights, rows, options))


def is_plain(*tensors: Tensor | None) -> bool:
    """Tell whether nobody but the kernels has to see the call: then it need not pass through PyTorch's dispatcher.

    Every passage takes as long as a small layer's step, and training has four of them.
    """
    return (
        not torch.compiler.is_compiling()
        and PLAIN.issuperset(map(type, tensors))
        and torch._C._len_torch_dispatch_stack() == 0
        and not torch._C._are_functorch_transforms_active()
    )


PLAIN = {Tensor, Parameter, type(None)}

_USUAL: Any = (vars(Tensor)["__torch_function__"].__func__, Parameter.__torch_function__)

# They stand for a plain tensor while a program is written down.
_TRACED = {FakeTensor, FunctionalTensor}


def unknown(weights: Sequence[Any]) -> str | None:
    """Name what is no weight that the kernels, or their operator, can take; None if all are.

    A class of tensors that says itself what is done to it (per-sample gradients, DTensor, lazy parameters) knows
    PyTorch's operators, and not ours.
    """
    for weight in weights:
        if weight is None:  # no bias
            continue
        if not isinstance(weight, Tensor):
            return f"a {type(weight).__name__} in the place of a weight"
        cls: Any = type(weight)
        function = getattr(cls.__torch_function__, "__func__", cls.__torch_function__)
        usual = function in _USUAL and cls.__torch_dispatch__ is Tensor.__torch_dispatch__
        if not usual and cls not in _TRACED:
            return f"a weight of the class {cls.__name__}"
    return None


def is_drafted(x: Tensor) -> bool:
    """Tell whether the tensors of a program that is being written down come with their numbers."""
    mode = detect_fake_mode(x)
    return mode is not None and bool(mode.propagate_real_tensors)


class _Layer(torch.autograd.Function):
    """The rule for autograd. Made by hand: the one that `torch.library` makes costs more than a small layer.

    What is no matter of gradients comes packed up, `rows` and `options`: every argument takes its time.
    """

    @staticmethod
    def forward(ctx: Any, rows: Any, options: Any, x: Any, h0: Any, c0: Any, *weights: Any) -> Any:
        output, h_n, c_n, saved = kernel_calls.forward(x, h0, c0, weights, *rows, *options, True)  # type: ignore[call-arg]
        _keep(ctx, rows, options, output, saved, x, h0, c0, *weights)
        return output, h_n, c_n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        tensors, (rows, options), wanted = ctx.saved_tensors, ctx.call, ctx.needs_input_grad[2:]
        output, saved, *inputs = tensors
        return None, None, *_differentiate(gradients[:3], inputs, output, saved, rows, options, wanted)


def _differentiate(
    gradients: Any, inputs: Any, output: Tensor, saved: Tensor, rows: Any, options: Any, wanted: Sequence[bool]
) -> Sequence[Tensor | None]:
    """Find the gradients of the inputs of a layer by who can: the equations, the kernels, or these as an operator."""
    if torch.is_grad_enabled():  # a second derivative may be asked for: the equations have one
        return by_equations(gradients, wanted, inputs, rows, options)
    if torch._C._are_functorch_transforms_active() or any(map(_is_batched, gradients)):
        # Many gradients at once, of which the kernels know nothing.
        with torch.enable_grad():
            return by_equations(gradients, wanted, inputs, rows, options, again=False)
    x, h0, c0, *weights = inputs
    arguments: Any = (*gradients, x, h0, c0, weights, output, saved, *rows, *options, wanted)
    if is_plain(*gradients, output, saved, *inputs):
        return kernel_calls.backward(*arguments)
    with torch._C._AutoDispatchBelowAutograd():
        d_x, d_h0, d_c0, d_weights = _backward(*arguments)
    found = zip((d_x, d_h0, d_c0, *d_weights), wanted, strict=True)
    return [g if want else None for g, want in found]


class _Step(torch.autograd.Function):
    """The rule for a step of a cell."""

    @staticmethod
    def forward(ctx: Any, options: Any, x: Any, h0: Any, c0: Any, *weights: Any) -> Any:
        found = steps.take(x, h0, c0, weights, options[0], options[1], True)
        if found is None:
            return None
        h, c, saved = found
        ctx.set_materialize_grads(False)
        ctx.options = options
        ctx.save_for_backward(saved, x, h0, c0, *weights)
        return h, c

    @staticmethod
    def backward(ctx: Any, d_h: Tensor | None, d_c: Tensor | None) -> Any:
        (saved, *inputs), options, wanted = ctx.saved_tensors, ctx.options, ctx.needs_input_grad[1:]
        x, h0, c0, *weights = inputs
        if not torch.is_grad_enabled() and is_plain(d_h, d_c, saved, *inputs):
            found = steps.take_back(d_h, d_c, x, h0, c0, weights, saved, options[0], options[1], wanted)
            if found is not None:
                return None, *found
        # Of a single step nobody reads the outputs, which are h.
        outputs = saved[:, : saved.shape[1] // steps.SAVED[options[0]]]
        return None, *_differentiate(
            (None, d_h, d_c), inputs, outputs, saved[None], (None, None, None), options, wanted
        )


def _is_batched(gradient: Tensor | None) -> bool:
    """Tell whether a gradient stands for many, as `torch.autograd.grad(is_grads_batched=True)` has them."""
    return gradient is not None and is_legacy_batchedtensor(gradient)


class _SeenLayer(_Layer):
    """The rule for a call that others than the kernels have to see: what training keeps is a result of it as well."""

    @staticmethod
    def forward(ctx: Any, rows: Any, options: Any, x: Any, h0: Any, c0: Any, *weights: Any) -> Any:
        with torch._C._AutoDispatchBelowAutograd():
            output, h_n, c_n, saved = _forward(x, h0, c0, weights, *rows, *options, True)
        ctx.mark_non_differentiable(saved)
        _keep(ctx, rows, options, output, saved, x, h0, c0, *weights)
        return output, h_n, c_n, saved


def _keep(ctx: Any, rows: Any, options: Any, output: Tensor, saved: Tensor | None, *inputs: Tensor | None) -> None:
    """Keep what `kernel_calls.backward` takes; what it does not need has something else in its place."""
    needed = output if options[0] in BY_OUTPUT or options[4] else saved
    ctx.set_materialize_grads(False)
    ctx.call = rows, options
    ctx.save_for_backward(needed, needed if saved is None else saved, *inputs)


# Besides this, `_Layer.apply` looks for transforms of torch.func and what has got out of them, for 3 us: `layer` has.
_apply: Any = super(torch.autograd.Function, _Layer).apply
_take_step: Any = super(torch.autograd.Function, _Step).apply


def _by_autograd(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> Any:
    if not is_plain(x) and torch.onnx.is_in_onnx_export():  # a program that `torch.export` made before
        return _in_onnx(x, h0, c0, weights, (lengths, order, offsets), options[:-1])
    if options[-1]:
        return _SeenLayer.apply((lengths, order, offsets), options[:-1], x, h0, c0, *weights)  # type: ignore[no-untyped-call]
    with torch._C._AutoDispatchBelowAutograd():
        return _forward(x, h0, c0, weights, lengths, order, offsets, *options)


def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "torch.ops.sluicegate.layer_backward cannot be differentiated: compute the layer with "
        "`layer.by_reference(input, hx)`, which can be as often as you like"
    )


_library = torch.library.Library("sluicegate", "DEF")  # type: ignore[no-untyped-call]
_library.define(  # type: ignore[no-untyped-call]
    "layer(Tensor x, Tensor? h0, Tensor? c0, Tensor[] weights, Tensor? lengths, Tensor? order, Tensor? offsets, "
    "str cell, str activation, bool biased, bool batch_first, int every, str precision, bool keep) "
    "-> (Tensor, Tensor, Tensor, Tensor)"
)
_library.define(  # type: ignore[no-untyped-call]
    "layer_backward(Tensor? d_output, Tensor? d_h_n, Tensor? d_c_n, Tensor x, Tensor? h0, Tensor? c0, "
    "Tensor[] weights, Tensor output, Tensor saved, Tensor? lengths, Tensor? order, Tensor? offsets, "
    "str cell, str activation, bool biased, bool batch_first, int every, str precision, bool[] wanted) "
    "-> (Tensor, Tensor, Tensor, Tensor[])"
)
_library.impl("layer", operators.forward, "CPU")  # type: ignore[no-untyped-call]
_library.impl("layer", _by_autograd, "Autograd")  # type: ignore[no-untyped-call]
_library.impl("layer_backward", operators.backward, "CPU")  # type: ignore[no-untyped-call]
torch.library.register_fake("sluicegate::layer", operators.forward_shapes, lib=_library)
torch.library.register_fake("sluicegate::layer_backward", operators.backward_shapes, lib=_library)
torch.library.register_autograd(
    "sluicegate::layer_backward", _no_second_derivative, setup_context=lambda *_, **__: None, lib=_library
)
torch.library.register_autocast("sluicegate::layer", "cpu", torch.float32, lib=_library)

_forward = torch.ops.sluicegate.layer.default
_backward = torch.ops.sluicegate.layer_backward.default

register_flop_formula(torch.ops.sluicegate.layer, get_raw=True)(flops.of_forward)
register_flop_formula(torch.ops.sluicegate.layer_backward, get_raw=True)(flops.of_backward)
