"""The kernels beside the recurrent layers: affine maps of rows, and additive attention, of single precision on the CPU.

A row has the same bits alone and among any others, and on any number of threads. No library of products promises that:
MKL sums few rows in another order than many, how few hangs on the processor, and cuts long sums in two for two threads.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sluicegate import _core


class LaidOut(NamedTuple):
    """A weight and a bias as the kernel reads them, as they were when they were laid out."""

    panels: Tensor
    outputs: int


def fits(*tensors: Tensor) -> bool:
    """Tell whether the kernels take these: no gradient is wanted, and they are of single precision on the CPU."""
    if torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
        return False
    return all(x.dtype == torch.float32 and x.device.type == "cpu" for x in tensors)


def lay_out(weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None = None) -> LaidOut:
    """Lay out a weight and a bias for `affine`, which then does not do so at each call."""
    weight, bias = weight.detach().contiguous(), None if bias is None else bias.detach().contiguous()
    outputs, inputs = weight.shape
    panels = weight.new_empty(_core.affine_panels(inputs, outputs))
    _core.pack_affine(inputs, outputs, weight.data_ptr(), _address(bias), panels.data_ptr())
    return LaidOut(panels, outputs)


def affine(
    x: Float[Tensor, "*rows in"],
    weight: Float[Tensor, "out in"] | LaidOut,
    bias: Float[Tensor, " out"] | None = None,
) -> Float[Tensor, "*rows out"]:
    """`x Wᵀ + b`.

    Args:
        x: the rows.
        weight: `W`; or what `lay_out` made of it and of its bias.
        bias: `b`; None for none.
    """
    rows = x.reshape(-1, x.shape[-1]).contiguous()
    count, inputs = rows.shape
    if isinstance(weight, LaidOut):
        outputs, addresses = weight.outputs, (0, 0, weight.panels.data_ptr())
    else:
        weight, bias = weight.contiguous(), None if bias is None else bias.contiguous()
        outputs, addresses = len(weight), (weight.data_ptr(), _address(bias), 0)
    y = rows.new_empty(count, outputs)
    _core.affine(
        count, inputs, outputs, *addresses, rows.data_ptr(), inputs, y.data_ptr(), outputs, torch.get_num_threads()
    )
    return y.view(*x.shape[:-1], outputs)


def attend(
    query: Float[Tensor, "batch queries hidden"],
    keys: Float[Tensor, "batch steps hidden"],
    score: Float[Tensor, " hidden"],
    memory: Float[Tensor, "batch steps memory"],
    lengths: Int64[Tensor, " batch"] | None = None,
) -> tuple[Float[Tensor, "batch queries memory"], Float[Tensor, "batch queries steps"]]:
    """`softmax(score · tanh(query + keys))` over the steps, and the means of the memory by these weights.

    Args:
        query: as it is added to keys.
        keys: of the steps of the memory.
        score: `v` of the paper.
        memory: what is averaged.
        lengths: of the memories, from 1 up; None where all are whole.
    """
    weights = query.new_empty(*query.shape[:2], keys.shape[1])
    return _attend(query.contiguous(), keys.contiguous(), score.contiguous(), memory, lengths, weights), weights


def weighed(
    weights: Float[Tensor, "batch queries steps"],
    memory: Float[Tensor, "batch steps memory"],
    lengths: Int64[Tensor, " batch"] | None = None,
) -> Float[Tensor, "batch queries memory"]:
    """`weights @ memory`.

    Args:
        weights: of the steps, for each query.
        memory: whose steps are summed up.
        lengths: of the memories, from 1 up; None where all are whole.
    """
    return _attend(None, None, None, memory, lengths, weights.contiguous())


def _attend(
    query: Tensor | None,
    keys: Tensor | None,
    score: Tensor | None,
    memory: Tensor,
    lengths: Tensor | None,
    weights: Tensor,
) -> Tensor:
    memory = memory.contiguous()
    (batch, queries, steps), size = weights.shape, memory.shape[2]
    if lengths is not None:
        lengths = lengths.contiguous()
    context = memory.new_empty(batch, queries, size)
    _core.attend(
        batch,
        queries,
        steps,
        0 if keys is None else keys.shape[2],
        size,
        _address(query),
        _address(keys),
        _address(score),
        memory.data_ptr(),
        _address(lengths),
        weights.data_ptr(),
        context.data_ptr(),
        torch.get_num_threads(),
    )
    return context


def _address(x: Tensor | None) -> int:
    return 0 if x is None else x.data_ptr()
