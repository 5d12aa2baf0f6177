"""What the networks of classifiers are made of: an ensemble, pooling by attention and maximum, and dropout.

Several networks of one shape, each with weights of its own, are trained together and averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sluicegate.runtime.attention import attended


class Ensemble(nn.Module):
    """All networks; each takes a batch, and in training a generator that its dropout is drawn by."""

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, batch: Any) -> Float[Tensor, "rows classes"]:
        """The mean of the networks' logits."""
        logits: list[Tensor] = [member(batch) for member in self.members]
        total = logits[0]
        for other in logits[1:]:  # one after the other, as the runtime adds them up
            total = total + other
        return total / len(logits)


def padding(lengths: Int64[Tensor, " rows"], steps: int) -> Bool[Tensor, "rows steps"]:
    """Which steps lie beyond the end of their row."""
    return torch.arange(steps)[None] >= lengths[:, None]


def pooled(
    states: Float[Tensor, "rows steps units"], scores: Float[Tensor, "rows steps 1"], lengths: Int64[Tensor, " rows"]
) -> tuple[Float[Tensor, "rows units"], Float[Tensor, "rows units"]]:
    """The mean of the states by attention, and the largest of each unit.

    Where no gradient is wanted, to the bit as the runtime has it.

    Args:
        states: of the recurrent layer.
        scores: of the attention.
        lengths: how many steps each row has.
    """
    if not torch.is_grad_enabled():
        found = attended(states.numpy(), scores.numpy()[..., 0], lengths.numpy())
        return torch.from_numpy(found[0]), torch.from_numpy(found[1])
    beyond = padding(lengths, states.shape[1])
    weights = scores.squeeze(-1).masked_fill(beyond, -torch.inf).softmax(1)
    mean = torch.einsum("bt,bth->bh", weights, states)
    return mean, states.masked_fill(beyond[..., None], -torch.inf).amax(1)


def squashed(states: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The hyperbolic tangent; where no gradient is wanted, to the bit as the runtime has it."""
    return torch.tanh(states) if torch.is_grad_enabled() else torch.from_numpy(np.tanh(states.numpy()))


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
