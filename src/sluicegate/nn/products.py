"""Products of which a row's bits do not hang on the rows beside it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from sluicegate.ops import writing


def product(
    x: Float[Tensor, "*rows in"], weight: Float[Tensor, "out in"], bias: Float[Tensor, " out"] | None = None
) -> Float[Tensor, "*rows out"]:
    """`torch.nn.functional.linear`, of which each row has the same bits alone and among any others.

    A library sums in another order where rows are fewer than it takes together, and which are fewer hangs on the
    library, the processor and the threads: so the kernels compute it, of 32-bit floats. Where a gradient is wanted the
    rows of a batch hang together anyway, and PyTorch does.

    Args:
        x: the rows.
        weight: as of `torch.nn.Linear`.
        bias: added to each row; None for none.

    >>> x, weight = torch.randn(40, 64), torch.randn(300, 64)
    >>> with torch.no_grad():
    ...     bool((product(x[:1], weight) == product(x, weight)[:1]).all())
    True
    """
    if torch.is_grad_enabled() or not writing.computed(x, weight, bias):
        return F.linear(x, weight, bias)
    found = writing.Product(weight, bias)(x.reshape(-1, x.shape[-1]))
    return found.view(*x.shape[:-1], len(weight))


class Linear(nn.Linear):
    """`torch.nn.Linear` by `product`."""

    def forward(self, input: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:  # noqa: A002 - as PyTorch's
        """`[*rows in]` to `[*rows out]`."""
        return product(input, self.weight, self.bias)
