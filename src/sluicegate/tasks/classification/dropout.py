"""Units left out in training, by a generator that is given: PyTorch's own dropout draws from the process's only."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def kept(sizes: tuple[int, ...], share: float, generator: torch.Generator | None) -> Float[Tensor, "*sizes"]:
    """Factors: 0 for a share of the places, and for the others what makes up for these.

    Args:
        sizes: of the result.
        share: left out, from 0 to below 1.
        generator: the source of chance; None is PyTorch's own.
    """
    return (torch.rand(sizes, generator=generator) >= share) / (1.0 - share)
