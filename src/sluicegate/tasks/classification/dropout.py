"""Dropout masks by a generator that is given: PyTorch's own dropout draws from the process's only."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def kept(sizes: tuple[int, ...], share: float, generator: torch.Generator | None) -> Float[Tensor, "*sizes"]:
    """A dropout mask: 0 for a share of the places, 1 / (1 - share) for the others.

    Args:
        sizes: of the result.
        share: the dropout rate, from 0 to below 1.
        generator: the random generator; None is PyTorch's own.
    """
    return (torch.rand(sizes, generator=generator) >= share) / (1.0 - share)
