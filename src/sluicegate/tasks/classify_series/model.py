"""The network: a light convolution, a bidirectional recurrent layer, and pooling by attention and maximum.

A causal one, which reads one way, is that of `causal.py`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.nn.layers import LAYERS
from sluicegate.nn.products import Linear
from sluicegate.runtime.recordings.shape import Shape as Shape
from sluicegate.tasks.classification import networks
from sluicegate.tasks.classification.networks import kept, pooled, squashed

from .causal import CausalMember
from .windows import Batch


class Member(nn.Module):
    """One of the networks."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = Linear((2 * shape.stride + 1) * 2 * shape.channels, shape.hidden)
        self.recurrent = LAYERS[shape.cell](
            shape.hidden, shape.hidden, shape.layers, batch_first=True, bidirectional=True
        )
        self.attention = Linear(2 * shape.hidden, 1)
        self.output = Linear(4 * shape.hidden, shape.classes)

    def forward(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows classes"]:
        """The logits of each class; dropout masks are drawn by the generator `chance`."""
        shape = self.shape
        frames, lengths = frames_of(batch, shape.stride)
        x = F.relu(self.front(frames))
        if self.training:  # of every step of a window the same units
            x = x * kept((len(x), 1, shape.hidden), shape.dropout, chance)
        states, _ = self.recurrent(x, lengths=lengths)
        features = torch.cat(pooled(states, self.attention(squashed(states)), lengths), 1)
        if self.training:
            features = features * kept(features.shape, shape.dropout, chance)
        logits: Tensor = self.output(features)
        return logits


class Ensemble(networks.Ensemble):
    """All networks."""

    def __init__(self, shape: Shape) -> None:
        kind = CausalMember if shape.causal else Member
        super().__init__(kind(shape) for _ in range(shape.members))
        self.shape = shape


def frames_of(batch: Batch, stride: int) -> tuple[Float[Tensor, "rows frames values"], Int64[Tensor, " rows"]]:
    """What the convolution looks at for each of its outputs, with zeros beyond both ends, and how many there are."""
    values = F.pad(batch.values, (0, 0, stride, stride))
    frames = values.unfold(1, 2 * stride + 1, stride).flatten(2)
    return frames, (batch.lengths - 1) // stride + 1
