"""The sizes of the forecaster's network."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.types import Cell


@dataclass(frozen=True)
class Shape:
    """The sizes of the network, all that is needed to build it."""

    context: int  # steps looked back on
    horizon: int  # steps forecast
    segment: int  # steps in a segment
    past: int  # covariates known up to now
    known: int  # covariates known in advance
    calendar: int  # calendar features of a segment
    outputs: int  # the mean and the quantiles
    median: int  # which of the outputs is the median
    cell: Cell
    hidden: int
    layers: int
    dropout: float

    @property
    def before(self) -> int:
        """Segments that cover the context."""
        return -(-self.context // self.segment)

    @property
    def after(self) -> int:
        """Segments that cover the horizon."""
        return -(-self.horizon // self.segment)
