"""What the networks of classifiers are made of: an ensemble, pooling by attention and maximum, and dropout.

Several networks of one shape, each with weights of its own, are trained together and averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn


class Ensemble(nn.Module):
    """All networks; each takes a batch, and in training a generator that its dropout is drawn by."""

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, batch: Any) -> Float[Tensor, "rows classes"]:
        """The mean of the networks' logits."""
        return torch.stack([member(batch) for member in self.members]).mean(0)


def padding(lengths: Int64[Tensor, " rows"], steps: int) -> Bool[Tensor, "rows steps"]:
    """Which steps lie beyond the end of their row."""
    return torch.arange(steps)[None] >= lengths[:, None]


def pooled(
    states: Float[Tensor, "rows steps units"], scores: Float[Tensor, "rows steps 1"], beyond: Bool[Tensor, "rows steps"]
) -> tuple[Float[Tensor, "rows units"], Float[Tensor, "rows units"]]:
    """The mean of the states by attention, and the largest of each unit.

    Args:
        states: of the recurrent layer.
        scores: of the attention.
        beyond: which steps are padding.
    """
    weights = scores.squeeze(-1).masked_fill(beyond, -torch.inf).softmax(1)
    mean = torch.einsum("bt,bth->bh", weights, states)
    return mean, states.masked_fill(beyond[..., None], -torch.inf).amax(1)


def kept(sizes: tuple[int, ...], share: float, generator: torch.Generator | None) -> Float[Tensor, "*sizes"]:
    """A dropout mask, by a generator that is given: PyTorch's own dropout draws from the process's only.

    Args:
        sizes: of the result.
        share: left out, from 0 to below 1.
        generator: the source of chance; None is PyTorch's own.

    Returns:
        Factors: 0 for a share of the places, and for the others what makes up for these.
    """
    return (torch.rand(sizes, generator=generator) >= share) / (1.0 - share)
