"""The causal network: it reads one way, and has an answer at every step.

    f_j = relu(W [x_(js-2s), ..., x_(js)] + b)       a convolution that looks back alone; s is the stride
    h_j = cell(f_j, h_(j-1))
    m_j, u_j                                         the running mean and maximum, see `sluicegate.runtime.pooling`
    y_j = V [h_j, m_j, u_j] + c                      logits, which hold for the steps from js to js + s - 1

Up to as many frames as a window of training has nothing is forgotten, which is all that training sees; beyond, what the
output layer is given stays of the kind that it has learnt from, however long a recording or a stream goes on.

Training computes this with PyTorch, here; answers are computed by `running.py`, whose bits do not depend on how a
recording is cut.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.nn.layers import LAYERS
from sluicegate.runtime.recordings.shape import Shape
from sluicegate.tasks.classification.networks import kept
from sluicegate.tasks.classification.running_pool import pool

from .windows import Batch

PREFIXES = 4
"""How many answers to a window are trained at once: the last one, and others at steps drawn by chance."""


class CausalMember(nn.Module):
    """One of the networks."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.front = nn.Linear((2 * shape.stride + 1) * 2 * shape.channels, shape.hidden)
        self.recurrent = LAYERS[shape.cell](shape.hidden, shape.hidden, shape.layers, batch_first=True)
        self.output = nn.Linear(3 * shape.hidden, shape.classes)

    def forward(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows classes"]:
        """The logits after the last step of each window."""
        return self.prefixes(batch, 1, chance)[0]

    def prefixes(
        self, batch: Batch, count: int, chance: torch.Generator | None = None
    ) -> Float[Tensor, "count rows classes"]:
        """The logits after the last step of each window, and after others.

        Args:
            batch: windows.
            count: how many answers to each.
            chance: draws what is left out in training, and where answers but the first are given: after the same share
                of every window, so that two readings of a window are asked the same.
        """
        shape = self.shape
        frames, lengths = causal_frames(batch, shape.stride)
        x = F.relu(self.front(frames))
        if self.training:  # of every step of a window the same units
            x = x * kept((len(x), 1, shape.hidden), shape.dropout, chance)
        states, _ = self.recurrent(x)
        pooled = torch.cat([states, *pool(states, shape.memory)], 2)
        shares = torch.cat([torch.ones(1), torch.rand(count - 1, generator=chance)])
        places = (shares[:, None] * lengths).ceil().long().clamp_min(1) - 1
        asked = pooled[torch.arange(len(x)), places]
        if self.training:
            asked = asked * kept(tuple(asked.shape), shape.dropout, chance)
        logits: Tensor = self.output(asked)
        return logits


def causal_frames(batch: Batch, stride: int) -> tuple[Float[Tensor, "rows frames values"], Int64[Tensor, " rows"]]:
    """What the convolution looks at for each output, with zeros before the beginning, and how many there are."""
    frames = F.pad(batch.values, (0, 0, 2 * stride, 0)).unfold(1, 2 * stride + 1, stride).flatten(2)
    return frames, (batch.lengths - 1) // stride + 1
