"""The calls of the kernels as PyTorch's registry has them: of whoever calls them, and with a tensor for every result.

`forward` and `backward` compute; `forward_shapes` and `backward_shapes` make the same results with nothing in them.
Where there is nothing to return, the tensor is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from . import kernel_calls
from .cells import CELLS


def forward(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> tuple[Tensor, ...]:
    """Compute a layer, as `kernel_calls.forward`."""
    _check((x, *weights), (lengths, offsets), weights, options[0])
    return _whole(x, kernel_calls.forward(x, h0, c0, weights, lengths, order, offsets, *options))


def forward_shapes(
    x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], lengths: Any, order: Any, offsets: Any, *options: Any
) -> tuple[Tensor, ...]:
    """Make what `forward` returns, with nothing in it."""
    _check((x, *weights), (lengths, offsets), weights, options[0])
    plan = kernel_calls.plan_for(x, weights, lengths, offsets, options[:-1], symbolic=True)
    return _whole(x, kernel_calls.results(plan, x, ragged=lengths is not None, keep=options[-1]))


def backward(
    d_output: Any, d_h_n: Any, d_c_n: Any, x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], output: Tensor,
    saved: Tensor, lengths: Any, order: Any, offsets: Any, *options: Any,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Compute the gradients of a layer, as `kernel_calls.backward`."""
    _check((x, *weights, output, saved), (lengths, offsets), weights, options[0], options[-1])
    rows: Any = (lengths, order, offsets, *options)
    found = kernel_calls.backward(d_output, d_h_n, d_c_n, x, h0, c0, weights, output, saved, *rows)
    d_x, d_h0, d_c0, *d_weights = _whole(x, found)
    return d_x, d_h0, d_c0, d_weights


def backward_shapes(
    d_output: Any, d_h_n: Any, d_c_n: Any, x: Tensor, h0: Any, c0: Any, weights: Sequence[Tensor], output: Any,
    saved: Any, lengths: Any, order: Any, offsets: Any, *options: Any,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:  # fmt: skip
    """Make what `backward` returns, with nothing in it."""
    _check((x, *weights, output, saved), (lengths, offsets), weights, options[0], options[-1])
    plan = kernel_calls.plan_for(x, weights, lengths, offsets, options[:-1], symbolic=True)
    found = kernel_calls.gradients(plan, x, [w.contiguous() for w in weights], options[-1], ragged=lengths is not None)
    d_x, d_h0, d_c0, *d_weights = _whole(x, found)
    return d_x, d_h0, d_c0, d_weights


def _check(
    needed: Sequence[Tensor | None],
    rows: Sequence[Tensor | None],
    weights: Sequence[Tensor],
    cell: str,
    wanted: Sequence[bool] | None = None,
) -> None:
    """Refuse what the registry lets pass and no shape tells: None for a tensor, other words, another number of them."""
    if cell not in CELLS:
        raise kernel_calls.Unfit(f"`cell` (={cell!r}) must be one of {', '.join(CELLS)}")
    if not weights or any(x is None for x in needed):
        raise kernel_calls.Unfit("`x` and what goes with it must be tensors, and `weights` one at least: give them all")
    if any(x is not None and x.dim() == 0 for x in (*needed, *rows)):
        raise kernel_calls.Unfit("a single number stands in the place of a tensor with axes: give rows of them")
    if wanted is not None and len(wanted) != 3 + len(weights):
        raise kernel_calls.Unfit(
            f"`wanted` has {len(wanted)} flags, and must have one for `x`, `h0`, `c0` and each of the {len(weights)} "
            "weights"
        )


def _whole(x: Tensor, results: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    return tuple(x.new_empty(0) if result is None else result for result in results)
