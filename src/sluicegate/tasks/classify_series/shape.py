"""The sizes of the networks."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.types import Cell


@dataclass(frozen=True)
class Shape:
    """The sizes of the networks.

    Args:
        channels: of the recordings; the networks see their changes too.
        classes: what is told apart.
        stride: steps that the convolution goes on by; it looks at twice as many and one.
        hidden: units in each direction.
        layers: recurrent layers.
        cell: their kind.
        dropout: rate at which units are dropped in training.
        members: how many networks there are.
        memory: how many frames a causal network pools before it forgets; 0 where the networks read both ways.
    """

    channels: int
    classes: int
    stride: int
    hidden: int
    layers: int
    cell: Cell
    dropout: float
    members: int
    memory: int = 0

    @property
    def causal(self) -> bool:
        """Whether the networks read one way."""
        return self.memory > 0
