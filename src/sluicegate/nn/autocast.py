"""What autocast makes of a layer on the CPU: the type of its results, and where PyTorch is the faster one.

Under autocast to bfloat16 the kernels round what they multiply (`Options.product_precision`), to float16 they compute
in 32 bits. Their results are rounded to the type that those of PyTorch's layer have: it multiplies in that of autocast
and goes on in the wider one of that and its state, but for the RNN, whose every number comes out of a product, and for
oneDNN's LSTM, which has one type for all.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.ops import native
from sluicegate.types import Cell

_PYTORCHS: frozenset[Cell] = frozenset(("gru", "lstm", "rnn"))
"""The cells that PyTorch has."""

_HALVES = {torch.bfloat16: "_is_mkldnn_bf16_supported", torch.float16: "_is_mkldnn_fp16_supported"}


def as_pytorchs(results: Any, kind: Cell, x: Tensor | PackedSequence, hx: Any, *, whole: bool = False) -> Any:
    """Round what the kernels have computed under autocast to the type that PyTorch's layer would have given it.

    Args:
        results: Of a layer or a cell, in any of their forms.
        kind: Its cell. The results of one that PyTorch has not stay as they are, as do those of what becomes ONNX.
        x: What it read.
        hx: The state that it was given.
        whole: Whether it is a layer that read whole sequences, not packed rows or rows of given lengths.

    Returns:
        The same with tensors of that type.
    """
    if kind not in _PYTORCHS or not torch.is_autocast_enabled("cpu") or native.becomes_onnx():
        return results
    return _cast(results, _type(kind, x, hx, whole=whole))


def _type(kind: Cell, x: Tensor | PackedSequence, hx: Any, *, whole: bool) -> torch.dtype:
    low = torch.get_autocast_dtype("cpu")
    data = x.data if isinstance(x, PackedSequence) else x
    if kind == "rnn" or (kind == "lstm" and whole and _is_onednns(data)):
        return low
    state = data if hx is None else hx[1] if isinstance(hx, tuple) else hx  # no state is zeros of the input's type
    return torch.promote_types(state.dtype, low)


def _is_onednns(x: Tensor) -> bool:
    """Tell whether PyTorch hands an LSTM that reads this to oneDNN."""
    if not torch.backends.mkldnn.enabled or x.numel() == 0:
        return False
    if x.dtype not in _HALVES:
        return x.dtype == torch.float32
    return _has(x.dtype) and not (x.dtype == torch.float16 and torch.is_grad_enabled())


def _has(half: torch.dtype) -> bool:
    supported: bool = getattr(torch.ops.mkldnn, _HALVES[half])()
    return supported


vars(_has).update(_dynamo_marked_constant=True)  # as `torch.compiler.assume_constant_result`, which loads the compiler


def _cast(results: Any, dtype: torch.dtype) -> Any:
    if isinstance(results, PackedSequence):
        data, *rows = results
        return PackedSequence(data.to(dtype), *rows)
    return tuple(_cast(part, dtype) for part in results) if isinstance(results, tuple) else results.to(dtype)


def is_faster_by_pytorch(x: Tensor) -> bool:
    """Tell whether PyTorch's LSTM reads whole sequences faster than the kernels: in bfloat16 that the processor has.

    oneDNN has instructions for it there, and takes neither packed rows nor lengths. How fast the kernels are that have
    such instructions too has not been measured beside it.
    """
    if not multiplies_bfloat16() or not torch.is_autocast_enabled("cpu"):
        return False
    return torch.get_autocast_dtype("cpu") == torch.bfloat16 and _is_onednns(x)


@cache
def multiplies_bfloat16() -> bool:
    """Tell whether the processor has products of bfloat16: where it has not, oneDNN refuses or emulates them."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
