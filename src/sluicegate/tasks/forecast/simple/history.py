"""What simple methods may learn from: of each series, the rows before its first window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float64

from sluicegate.data import Panel, Windows
from sluicegate.tasks.forecast.batches import Numbers, PerSeries, Point

Forecast: TypeAlias = tuple[Float[np.ndarray, "batch horizon"], Float[np.ndarray, "batch horizon quantiles"]]
"""Mean and quantiles, in the target's unit."""

_DEMAND_EVERY = 1.32  # steps from one demand to the next, on average, from which demand is intermittent


@runtime_checkable
class Method(Protocol):
    """A simple method: one number for each step of the windows that are asked for."""

    needs: int
    """Rows of the series before the horizon, without which the method falls back to less."""

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows: the series of each, and the row of the panel at which its horizon begins."""


@dataclass(frozen=True)
class History:
    """One target of a table, and how many of its rows the parameters of a method may be found from."""

    panel: Panel  # the table
    target: str  # the column
    # For each series, the row (counted over the whole panel) at which the horizon of its first window begins; its first
    # row where it has no window.
    ends: PerSeries
    horizon: int  # steps to forecast

    @classmethod
    def before(cls, windows: Windows, panel: Panel, target: str, horizon: int) -> History:
        """What lies before the first window of each series."""
        return cls(panel, target, np.where(windows.counts > 0, windows.first, panel.bounds[:-1]), horizon)

    @property
    def values(self) -> Float64[np.ndarray, " rows"]:
        """The column, all of its rows."""
        return self.panel.columns[self.target]

    @property
    def lengths(self) -> PerSeries:
        """How many rows of each series may be learnt from."""
        lengths: PerSeries = self.ends - self.panel.bounds[:-1]
        return lengths

    def each(self, measure: Callable[[Float64[np.ndarray, " rows"]], float]) -> Float64[np.ndarray, " series"]:
        """A figure of the rows of each series; 0 for one without rows."""
        values = self.values
        parts = (values[begin:end] for begin, end in zip(self.panel.bounds[:-1], self.ends, strict=True))
        return np.array([measure(part) if len(part) else 0.0 for part in parts])

    def never_negative(self) -> Bool[np.ndarray, " series"]:
        """Series of counts, loads or sales, for which nothing below 0 is forecast."""
        lowest = self.each(lambda rows: float(rows.min()))
        positive: Bool[np.ndarray, " series"] = (lowest >= 0) & (self.lengths > 0)
        return positive

    def zeros(self) -> Float64[np.ndarray, " series"]:
        """The share of zeros of each series."""
        return self.each(lambda rows: 1 - np.count_nonzero(rows) / len(rows))

    def intermittent(self) -> Bool[np.ndarray, " series"]:
        """Series of demand with so many zeros between that methods of their own are for them.

        Demand is never negative, and 1.32 steps or more lie from one to the next (Syntetos, Boylan & Croston 2005).
        """
        share = 1 - self.zeros()
        intermittent: Bool[np.ndarray, " series"] = self.never_negative() & (share > 0) & (share <= 1 / _DEMAND_EVERY)
        return intermittent
