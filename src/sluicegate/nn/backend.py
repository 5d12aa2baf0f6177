"""Who computes a layer: the fused kernels wherever they can, else PyTorch's own, else the equations in plain torch.

The kernels take 32-bit floats on the CPU. What they do not have, a projection or another type of number, goes to
PyTorch's kernels, and CUDA tensors to cuDNN. Layer norm, recurrent dropout in training, and `precision="bf16"` of what
the kernels do not take, are computed by `sluicegate.ops.reference`. Neither is ever silent: each kind of layer says
once, for each reason, on the logger `sluicegate`, who computes it and why.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch._C import _functorch, _is_any_autocast_enabled
from torch.autograd import forward_ad
from torch.nn.modules.rnn import RNNBase
from torch.nn.utils.rnn import PackedSequence

from sluicegate.ops import native
from sluicegate.types import Backend

from .autocast import is_faster_by_pytorch
from .options import Options

_logger = logging.getLogger("sluicegate")


def backend_of(module: Options, x: Float[Tensor, ...] | PackedSequence) -> Backend:
    """Tell who computes `module(x)`.

    Args:
        module: A layer or a cell of `sluicegate.nn`.
        x: An input of it, in any of the layouts that it takes.

    Returns:
        The instruction set of the fused kernels, `"avx512_bf16"`, `"avx512"`, `"avx2"`, `"neon"` or `"scalar"`; or
        `"torch"`; or `"reference"`.

    Example:
        >>> import torch, sluicegate.nn
        >>> x = torch.zeros(7, 2, 3)
        >>> backend_of(sluicegate.nn.GRU(3, 5), x) in ("avx512_bf16", "avx512", "avx2", "neon", "scalar")
        True
        >>> backend_of(sluicegate.nn.LSTM(3, 5, proj_size=2), x)
        'torch'
        >>> backend_of(sluicegate.nn.GRU(3, 5, layer_norm=True), x)
        'reference'
    """
    whole = isinstance(module, RNNBase) and not isinstance(x, PackedSequence)
    return _decide(module, x, module.weights(), whole=whole)[0]


def choose(
    module: Options,
    x: Float[Tensor, ...] | PackedSequence,
    weights: Sequence[Any],
    obstacle: str | None = None,
    *,
    whole: bool = False,
) -> Backend:
    """Decide who computes `module(x)`, and log it when it is news.

    An obstacle is what else rules all kernels out; `whole` is a layer's call with whole sequences, neither packed nor
    with lengths.
    """
    backend, reason = _decide(module, x, weights, obstacle, whole=whole)
    _announce(type(module).__name__, backend, reason)
    return backend


def choose_within(
    module: Options, x: Float[Tensor, ...] | PackedSequence, weights: Sequence[Any], obstacle: str | None = None
) -> Backend:
    """Decide the same for a graph, of what the compiler can know then; nothing is logged."""
    beyond = obstacle or module.beyond_kernels()
    if beyond is None and _can_be_a_node(x, weights):
        return "scalar"  # or another instruction set: the kernels choose it when they run
    beyond = obstacle or module.beyond_torch()
    return "torch" if beyond is None and module.in_torch else "reference"


def _can_be_a_node(x: Tensor | PackedSequence, weights: Sequence[Any]) -> bool:
    if isinstance(x, PackedSequence) or torch._C._are_functorch_transforms_active():
        return False
    given = [weight for weight in weights if weight is not None]
    if not torch.is_autocast_enabled("cpu"):
        given.append(x)
    return x.device.type == "cpu" and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in given)


def _decide(
    module: Options, x: Tensor | PackedSequence, weights: Sequence[Any], obstacle: str | None = None, *, whole: bool
) -> tuple[Backend, str]:
    data: Any = x.data if not whole and isinstance(x, PackedSequence) else x
    beyond_kernels = obstacle or module.beyond_kernels() or _beyond_kernels(data, weights)
    if (
        beyond_kernels is None
        and whole
        and module.kind == "lstm"
        and _is_any_autocast_enabled()
        and is_faster_by_pytorch(data)
        and not module.beyond_torch()
    ):
        beyond_kernels = "an LSTM in the bfloat16 of autocast, which this processor multiplies faster,"
    if beyond_kernels is None:
        return native.isa(), "the fused kernels compute it"
    if not module.in_torch:
        return "reference", f"{beyond_kernels} is beyond the fused kernels, and PyTorch has no {type(module).__name__}"
    beyond_torch = obstacle or module.beyond_torch()
    if beyond_torch is None:
        where = "PyTorch takes CUDA tensors to cuDNN" if data.is_cuda else "PyTorch's kernels compute it"
        return "torch", f"{beyond_kernels} is beyond the fused kernels, and {where}"
    return "reference", f"{beyond_torch} is beyond all kernels"


def _beyond_kernels(x: Tensor, weights: Sequence[Any]) -> str | None:
    if not native.PLAIN.issuperset(map(type, weights)):
        if unknown := native.unknown(weights):
            return unknown
        if native.is_drafted(x):
            return (
                "torch.export.draft_export, which refuses operators of others to which an optional tensor is not given,"
            )
    weight = weights[0]
    if not (x.is_cpu and weight.is_cpu):
        return f"a tensor on the device {(weight if x.is_cpu else x).device.type!r}"
    if weight.dtype != torch.float32:
        return f"a layer of {weight.dtype}"
    if x.dtype != torch.float32 and not torch.is_autocast_enabled("cpu"):
        return f"an input of {x.dtype}"
    if _functorch.peek_interpreter_stack() is not None:
        return "a transform of torch.func"
    if forward_ad._current_level >= 0:
        return "forward-mode differentiation"
    if torch._C._is_tracing():
        return "torch.jit.trace"
    return None


@cache  # remembers what was said, so that each is said once
def _announce(kind: str, backend: Backend, reason: str) -> None:
    level = logging.INFO if backend in ("torch", "reference") else logging.DEBUG
    _logger.log(level, "%s runs on the %s backend: %s", kind, backend, reason)
