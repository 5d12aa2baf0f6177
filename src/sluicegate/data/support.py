"""Which values a series can take: whole numbers or not, never below zero, zero itself time and again.

The quantiles of counts, and of values that are zero on many days, cannot be learnt as they are: half of the range of
levels has the one answer 0, and a network that comes near it comes out above. Each value is therefore spread out
before the loss of the quantiles sees it, by chance and evenly, over the span below it in which no other value lies:

    zero, where it is frequent      over a span of the size of the series' deviation, below zero
    a whole number, where small     over the span of 1 below it

No two series of forecasts and values change their order by that, so that the quantiles of what is spread out are those
of the values, rounded up to the next value that there is (Machado & Santos Silva 2005). The mean is learnt from the
values as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sluicegate.runtime.forecast.values import attained, support_of

from .panel import Panel


@dataclass(frozen=True)
class Support:
    """What is known of the values of each series.

    Args:
        least: the least value; 0 where none was ever negative, else minus infinity.
        zeros: the span below zero over which zeros are spread; 0 where they are rare.
        grain: 1 where values are small whole numbers, else 0.
    """

    least: Float64[np.ndarray, "series columns"]
    zeros: Float64[np.ndarray, "series columns"]
    grain: Float64[np.ndarray, "series columns"]

    @classmethod
    def fit(cls, panel: Panel, columns: Sequence[str], ends: Int64[np.ndarray, " series"]) -> Support:
        """Look at the rows of each series up to `ends`."""
        found = np.array(
            [
                [support_of(panel.columns[name][begin:end]) for name in columns]
                for begin, end in zip(panel.bounds[:-1], ends, strict=True)
            ]
        )
        return cls(*np.moveaxis(found, -1, 0))

    @classmethod
    def unknown(cls, series: int, columns: int) -> Support:
        """Of any values whatever."""
        none = np.zeros((series, columns))
        return cls(none - np.inf, none, none)

    @property
    def arrays(self) -> tuple[Float64[np.ndarray, "series columns"], ...]:
        """All that there is."""
        return self.least, self.zeros, self.grain

    @property
    def smooth(self) -> Bool[np.ndarray, "series columns"]:
        """Where there is nothing to spread out: neither small counts nor many zeros."""
        smooth: Bool[np.ndarray, "series columns"] = (self.zeros == 0) & (self.grain == 0)
        return smooth

    @property
    def spreads(self) -> bool:
        """Whether there is anything to spread out."""
        return not self.smooth.all()

    def where(self, straight: Bool[np.ndarray, "series columns"]) -> Support:
        """The same, with nothing to spread out but in columns that are standardised as they are."""
        return replace(self, zeros=np.where(straight, self.zeros, 0.0), grain=np.where(straight, self.grain, 0.0))

    def followed_by(self, other: Support) -> Support:
        """What is known of these series, and then of others."""
        return Support(*map(np.concatenate, zip(self.arrays, other.arrays, strict=True)))

    def attained(
        self,
        mean: Float64[np.ndarray, "batch horizon"],
        quantiles: Float64[np.ndarray, "batch horizon quantiles"],
        series: Int64[np.ndarray, " batch"],
        column: int,
        below: Bool[np.ndarray, " batch"],
    ) -> tuple[Float64[np.ndarray, "batch horizon"], Float64[np.ndarray, "batch horizon quantiles"]]:
        """From forecasts of what was spread out to values that there are.

        Args:
            mean: of windows.
            quantiles: likewise.
            series: of each window.
            column: which column they are of.
            below: which windows look back on negative values, whatever the series was in training.
        """
        return attained(mean, quantiles, self.least[series, column], self.grain[series, column], below)
