"""The sizes of the networks."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.types import Cell


@dataclass(frozen=True)
class Shape:
    """The sizes of the networks."""

    joints: int  # of a skeleton
    dimensions: int  # 2 or 3
    features: int  # that are read of each step
    classes: int  # what is told apart
    frames: int  # steps that a clip is read in
    hidden: int  # units in each direction
    layers: int  # recurrent layers
    cell: Cell  # their kind
    dropout: float  # rate at which units are dropped in training
    members: int  # how many networks there are
    whole: int = 0  # how many of them, the last ones, were trained on all clips
    memory: int = 0  # how many frames a causal network pools before it forgets; 0 where the networks read both ways

    @property
    def causal(self) -> bool:
        """Whether the networks read one way."""
        return self.memory > 0
