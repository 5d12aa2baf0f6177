"""The networks that are compared: a layer, and a linear map that reads its outputs."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

NAMES = {kind: layer.__name__ for kind, layer in LAYERS.items()}

CLAIMED: tuple[Cell, ...] = ("rnn", "lstm", "gru", "mingru")
"""Those that the claims are about."""


class Network(torch.nn.Module):
    """A recurrent layer and a linear map on its outputs.

    Args:
        kind: Which layer.
        inputs: Features of a step.
        hidden: Units.
        outputs: Numbers to answer with.
        options: Of the layer, beyond its sizes.
    """

    def __init__(self, kind: Cell, inputs: int, hidden: int, outputs: int, **options: Any) -> None:
        super().__init__()
        self.kind = kind
        self.layer = LAYERS[kind](inputs, hidden, **options)
        self.head = torch.nn.Linear(hidden, outputs)

    def forward(
        self, x: Float[Tensor, "time batch inputs"], last: int | None = None
    ) -> Float[Tensor, "asked batch outputs"]:
        """Read sequences, and answer at the last so many steps of them; None for all steps."""
        states, _ = self.layer(x)
        answer: Tensor = self.head(states if last is None else states[-last:])
        return answer
