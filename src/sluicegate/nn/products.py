"""Products of which a row's bits do not hang on the rows beside it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

TILE = 8
"""Rows that a library of products takes together: MKL takes 4, others up to as many as this."""
_ALIGNED = 4  # numbers of a row, of which a multiple begins where vectors are loaded, whatever the row


def product(
    x: Float[Tensor, "*rows in"], weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None = None
) -> Float[Tensor, "*rows out"]:
    """`torch.nn.functional.linear`, of which each row has the same bits alone and among any others.

    A library sums in another order where rows are fewer than it takes together, or are left over: in a product of 256
    by 6,000, MKL gives other bits to 1, 2 or 3 rows than to 4 or more, and in one of 1,024 by 1 to what is left over of
    4; in one of 33 by 8 the bits hang on where in memory a row begins. So rows are filled up by zeros, to whole tiles
    and to whole vectors. Where a gradient is wanted the rows of a batch hang together anyway, and nothing is filled up.

    Args:
        x: the rows.
        weight: as of `torch.nn.Linear`.
        bias: added to each row; None for none.

    >>> x, weight = torch.randn(40, 64), torch.randn(300, 64)
    >>> with torch.no_grad():
    ...     bool((product(x[:1], weight) == product(x, weight)[:1]).all())
    True
    """
    if torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    rows = x.reshape(-1, x.shape[-1])
    if odd := -x.shape[-1] % _ALIGNED:
        weight, filled = F.pad(weight, (0, odd)), F.pad(rows, (0, odd))
    else:
        filled = rows
    return F.linear(_filled(filled), weight, bias)[: len(rows)].view(*x.shape[:-1], len(weight))


def weighed(
    weights: Float[Tensor, "batch queries steps"], memory: Float[Tensor, "batch steps memory"]
) -> Float[Tensor, "batch queries memory"]:
    """`weights @ memory`, of which each of the batch has the same bits alone and among any others.

    With two threads, MKL sums 5 queries of a batch of one in another order than those of a batch of many.

    Args:
        weights: of the steps, for each query.
        memory: whose steps are summed up.
    """
    if torch.is_grad_enabled():
        return weights @ memory
    return (_filled(weights) @ memory)[:, : weights.shape[1]]


def _filled(rows: Tensor) -> Tensor:
    """Rows up to a multiple of a tile's."""
    over = rows.shape[-2] % TILE
    return F.pad(rows, (0, 0, 0, TILE - over)) if over else rows


class Linear(nn.Linear):
    """`torch.nn.Linear` by `product`."""

    def forward(self, input: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:  # noqa: A002 - as PyTorch's
        """`[*rows in]` to `[*rows out]`."""
        return product(input, self.weight, self.bias)
