"""The network: two maps of a step's features, a recurrent layer, and pooling by attention and maximum.

    x_t = relu(A f_t + a)      y_t = relu(B x_t + b)      what is seen in a step
    h_t = cell(y_t), read both ways                       and how it goes on
    z   = [sum_t w_t h_t, max_t h_t]                      w by attention over time

One that reads one way has the running mean and maximum in place of these, see `sluicegate.runtime.pooling`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from sluicegate.nn.layers import LAYERS
from sluicegate.tasks.classification import networks
from sluicegate.tasks.classification.networks import kept, pooled
from sluicegate.tasks.classification.running_pool import pool

from .shape import Shape as Shape

_UNSEEN = 0.1  # features that are left out of a clip in training
PREFIXES = 4
"""How many answers to a clip are trained at once where the network reads one way."""


class Batch(NamedTuple):
    """The features of clips."""

    values: Tensor  # [rows, time, features], filled up behind by zeros
    lengths: Tensor  # [rows]


class Member(nn.Module):
    """One of the networks, which reads both ways."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = nn.Linear(shape.features, 2 * shape.hidden)
        self.inner = nn.Linear(2 * shape.hidden, shape.hidden)
        self.recurrent = LAYERS[shape.cell](
            shape.hidden, shape.hidden, shape.layers, batch_first=True, bidirectional=True
        )
        self.attention = nn.Linear(2 * shape.hidden, 1)
        self.output = nn.Linear(4 * shape.hidden, shape.classes)

    def forward(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows classes"]:
        """The logits of each class; dropout masks are drawn by the generator `chance`."""
        x = seen(self, batch, chance)
        states, _ = self.recurrent(x, lengths=batch.lengths)
        scores = self.attention(torch.tanh(states))
        features = torch.cat(pooled(states, scores, batch.lengths), 1)
        if self.training:
            features = features * kept(features.shape, self.shape.dropout, chance)
        logits: Tensor = self.output(features)
        return logits


class CausalMember(nn.Module):
    """One of the networks, which reads one way."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = nn.Linear(shape.features, 2 * shape.hidden)
        self.inner = nn.Linear(2 * shape.hidden, shape.hidden)
        self.recurrent = LAYERS[shape.cell](shape.hidden, shape.hidden, shape.layers, batch_first=True)
        self.output = nn.Linear(3 * shape.hidden, shape.classes)

    def forward(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows classes"]:
        """The logits after the last step of each clip."""
        return self.prefixes(batch, 1, chance)[0]

    def prefixes(
        self, batch: Batch, count: int, chance: torch.Generator | None = None
    ) -> Float[Tensor, "count rows classes"]:
        """The logits after the last step of each clip, and after others that are drawn by `chance`."""
        x = seen(self, batch, chance)
        states, _ = self.recurrent(x)
        read = torch.cat([states, *pool(states, self.shape.memory)], 2)
        shares = torch.cat([torch.ones(1), torch.rand(count - 1, generator=chance)])
        places = (shares[:, None] * batch.lengths).ceil().long().clamp_min(1) - 1
        asked = read[torch.arange(len(x)), places]
        if self.training:
            asked = asked * kept(tuple(asked.shape), self.shape.dropout, chance)
        logits: Tensor = self.output(asked)
        return logits


class Ensemble(networks.Ensemble):
    """All networks."""

    def __init__(self, shape: Shape) -> None:
        kind = CausalMember if shape.causal else Member
        super().__init__(kind(shape) for _ in range(shape.members))
        self.shape = shape


def seen(
    member: Member | CausalMember, batch: Batch, chance: torch.Generator | None
) -> Float[Tensor, "rows time hidden"]:
    """What a network makes of each step for itself."""
    x, dropout, hidden = batch.values, member.shape.dropout, member.shape.hidden
    if not member.training:
        return F.relu(member.inner(F.relu(member.front(x))))
    # Of every step of a clip the same units.
    x = F.relu(member.front(x * kept((len(x), 1, x.shape[2]), _UNSEEN, chance)))
    x = F.relu(member.inner(x * kept((len(x), 1, 2 * hidden), dropout, chance)))
    return x * kept((len(x), 1, hidden), dropout, chance)


def causal_in(model: nn.Module) -> list[CausalMember]:
    """The networks that read one way, of several or of one; none where they read both ways."""
    return [module for module in model.modules() if isinstance(module, CausalMember)]
