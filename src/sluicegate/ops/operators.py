"""The calls of the kernels as PyTorch's registry has them: of whoever calls them, and with a tensor for every result.

`forward` and `backward` compute, and refuse rows that would lead the kernels out of their arrays, as those that `nn`
makes do not; `forward_shapes` and `backward_shapes` make the same results without computing anything. Where there is
nothing to return, the tensor is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import calls


def forward(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> tuple[Tensor, ...]:
    """Compute a layer, as `calls.forward`."""
    rows: Any = _checked(x, lengths, order, offsets, batch_first=options[3])
    return _whole(x, calls.forward(x, h0, c0, weights, *rows, *options))


def forward_shapes(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> tuple[Tensor, ...]:
    """Make what `forward` returns, with nothing in it."""
    plan = calls.plan_for(x, weights, lengths, offsets, options[:-1], symbolic=True)
    return _whole(x, calls.results(plan, x, ragged=lengths is not None, keep=options[-1]))


def backward(
    d_output: Any, d_h_n: Any, d_c_n: Any, x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], output: Tensor,
    saved: Tensor, lengths: Any, order: Any, offsets: Any, *options: Any,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Compute the gradients of a layer, as `calls.backward`."""
    rows: Any = _checked(x, lengths, order, offsets, batch_first=options[3])
    found = calls.backward(d_output, d_h_n, d_c_n, x, h0, c0, weights, output, saved, *rows, *options)
    d_x, d_h0, d_c0, *d_weights = _whole(x, found)
    return d_x, d_h0, d_c0, d_weights


def backward_shapes(
    d_output: Any, d_h_n: Any, d_c_n: Any, x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], output: Any,
    saved: Any, lengths: Any, order: Any, offsets: Any, *options: Any,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Make what `backward` returns, with nothing in it."""
    plan = calls.plan_for(x, weights, lengths, offsets, options[:-1], symbolic=True)
    found = calls.gradients(plan, x, [w.contiguous() for w in weights], options[-1], ragged=lengths is not None)
    d_x, d_h0, d_c0, *d_weights = _whole(x, found)
    return d_x, d_h0, d_c0, d_weights


def _whole(x: Tensor, results: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    return tuple(x.new_empty(0) if result is None else result for result in results)


def _checked(
    x: Tensor, lengths: Tensor | None, order: Tensor | None, offsets: Tensor | None, *, batch_first: bool
) -> tuple[Tensor | None, ...]:
    """Refuse rows that are not, and lay out their numbers in line."""
    if lengths is None:
        good = order is None and offsets is None
    elif offsets is None and x.dim() == 2:
        good = False  # a single step, of which every row is a part
    else:
        steps = x.shape[1 if batch_first else 0] if offsets is None else len(offsets)
        good = bool((F.pad(lengths, (1, 0), value=steps).diff(append=lengths.new_zeros(1)) <= 0).all())
        if order is not None:
            good = good and torch.equal(order.sort().values, torch.arange(len(lengths), device="cpu"))
        if offsets is not None:
            counts = (lengths > torch.arange(steps, device="cpu").unsqueeze(1)).sum(1)
            good = good and torch.equal(offsets, counts.cumsum(0) - counts) and len(x) == int(counts.sum())
    if not good:
        raise RuntimeError(
            "the fused kernels take `lengths` that fall from at most the number of steps to at least 0, an `order` "
            "that is a permutation of the rows, and `offsets` at which the rows of each step begin: sort the rows"
        )
    return tuple(None if t is None else t.contiguous() for t in (lengths, order, offsets))
