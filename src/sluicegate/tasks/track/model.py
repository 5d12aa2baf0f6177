"""The networks of the tracker: how boxes move, which box is which track's, and which tracks are real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

STEP_VALUES = 13
"""What the recurrent layer reads of a box that was seen; see `values.step_values`."""
PAIR_VALUES = 16
"""What is known of a track and a box; see `values.pair_values`."""
TRACK_VALUES = 10
"""What is known of a track; see `values.track_values`."""
AHEAD_VALUES = 3
"""What the motion's head reads of a time ahead."""
BESIDE, MEMBERS = 16, 4
"""Units of a network that judges, and how many learn side by side: the mean of these is what is kept."""
_FLAT = -3.0  # logarithm of the scale at first


@dataclass(frozen=True)
class Shape:
    """The sizes of the networks."""

    cell: Cell
    hidden: int
    layers: int


class Motion(nn.Module):
    """A recurrent layer over the boxes of a track, and what it says of the box at any time after the last one.

    Args:
        shape: its sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        layer: Any = LAYERS[shape.cell]
        self.recurrent = layer(STEP_VALUES, shape.hidden, num_layers=shape.layers, batch_first=True)
        self.inner = nn.Linear(shape.hidden + AHEAD_VALUES, 2 * shape.hidden)
        self.head = nn.Linear(2 * shape.hidden, 12)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.zero_()[8:] = _FLAT

    def forward(
        self, steps: Float[Tensor, "tracks time values"], ahead: Float[Tensor, "tracks time horizons"]
    ) -> tuple[Float[Tensor, "tracks time horizons 4"], Float[Tensor, "tracks time horizons 4"]]:
        """The expected changes of each box, and the logarithms of their scales.

        Args:
            steps: what is known of each box that was seen.
            ahead: seconds from each box, of what is asked.
        """
        states = self.recurrent(steps)[0]
        inner = states @ self.inner.weight[:, : states.shape[-1]].T + self.inner.bias
        of_time = ahead_values(ahead) @ self.inner.weight[:, states.shape[-1] :].T
        found = self.head(torch.relu(inner[:, :, None] + of_time))
        return found[..., :4] + ahead[..., None] * found[..., 4:8], found[..., 8:]


def ahead_values(ahead: Float[Tensor, "*times"]) -> Float[Tensor, "*times values"]:
    """What the head reads of times ahead, in seconds."""
    return torch.stack([ahead, torch.sqrt(ahead), torch.log(ahead + 0.03)], dim=-1)


def judge(values: int) -> nn.Sequential:
    """A small network that tells from some values the logit that something is so."""
    return nn.Sequential(nn.Linear(values, MEMBERS * BESIDE), nn.ReLU(), nn.Linear(MEMBERS * BESIDE, 1))


class TrackerNetwork(nn.Module):
    """All networks.

    Args:
        shape: their sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.motion = Motion(shape)
        self.pairs = judge(PAIR_VALUES)
        self.tracks = judge(TRACK_VALUES)
