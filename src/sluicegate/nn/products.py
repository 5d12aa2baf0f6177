"""Products of which a row's bits do not hang on the rows beside it."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.ops import products


def product(
    x: Float[Tensor, "*rows in"],
    weight: Float[Tensor, "out in"] | products.LaidOut,
    bias: Float[Tensor, " out"] | None = None,
) -> Float[Tensor, "*rows out"]:
    """`torch.nn.functional.linear`, of which each row has the same bits alone and among any others.

    Where a gradient is wanted the rows of a batch hang together anyway, and it is PyTorch's own; so it is of other than
    single precision, and on other devices.

    Args:
        x: the rows.
        weight: as of `torch.nn.Linear`; or what `sluicegate.ops.products.lay_out` made of it and the bias, for many
            calls without gradients.
        bias: added to each row; None for none.

    >>> x, weight = torch.randn(40, 64), torch.randn(300, 64)
    >>> with torch.no_grad():
    ...     bool((product(x[:1], weight) == product(x, weight)[:1]).all())
    True
    """
    if isinstance(weight, products.LaidOut) or products.fits(x, weight):
        return products.affine(x, weight, bias)
    return F.linear(x, weight, bias)


def weighed(
    weights: Float[Tensor, "batch queries steps"],
    memory: Float[Tensor, "batch steps memory"],
    lengths: Int64[Tensor, " batch"] | None = None,
) -> Float[Tensor, "batch queries memory"]:
    """`weights @ memory`, of which each of the batch has the same bits alone and among any others.

    Args:
        weights: of the steps, for each query; 0 beyond the length.
        memory: whose steps are summed up.
        lengths: of the memories, from 1 up; None where all are whole.
    """
    if products.fits(weights, memory):
        return products.weighed(weights, memory, lengths)
    return weights @ memory


class Linear(nn.Linear):
    """`torch.nn.Linear` by `product`."""

    def forward(self, input: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:  # noqa: A002 - as PyTorch's
        """`[*rows in]` to `[*rows out]`."""
        return product(input, self.weight, self.bias)
