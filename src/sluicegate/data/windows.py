"""Windows over a panel: a context, the horizon that follows it, and nothing copied until a batch is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64


@dataclass(frozen=True)
class Windows:
    """All windows whose horizon begins in given ranges of rows, numbered 0, 1, 2, ... series by series.

    Only the ranges are kept, so that ten million windows take no more memory than ten.

    Args:
        first: for each series, the first row (counted over the whole panel) at which a horizon may begin.
        counts: for each series, the number of windows.
        stride: rows from one origin to the next.

    >>> windows = Windows.between(first=np.array([3, 13]), end=np.array([10, 20]), horizon=2, stride=2)
    >>> len(windows), windows.locate(np.arange(6))[1].tolist()
    (6, [3, 5, 7, 13, 15, 17])
    """

    first: Int64[np.ndarray, " series"]
    counts: Int64[np.ndarray, " series"]
    stride: int = 1

    @classmethod
    def between(
        cls,
        first: Int64[np.ndarray, " series"],
        end: Int64[np.ndarray, " series"],
        horizon: int,
        stride: int = 1,
    ) -> Windows:
        """Every window whose horizon begins at or after row `first` and ends before row `end` of its series."""
        return cls(first, np.maximum(0, (end - horizon - first) // stride + 1), stride)

    def __len__(self) -> int:
        return int(self.counts.sum())

    def locate(
        self, numbers: Int64[np.ndarray, " batch"]
    ) -> tuple[Int64[np.ndarray, " batch"], Int64[np.ndarray, " batch"]]:
        """The series of each window, and the row at which its horizon begins."""
        ends = np.cumsum(self.counts)
        series = np.searchsorted(ends, numbers, side="right")
        place = numbers - (ends[series] - self.counts[series])
        return series, self.first[series] + place * self.stride

    def apart(self, horizon: int) -> Int64[np.ndarray, " series"]:
        """How many windows of each series lie apart, so that no two overlap."""
        counts: Int64[np.ndarray, " series"] = -(-self.counts // -(-horizon // self.stride))
        return counts

    def thinned(self, most: int) -> Windows:
        """The same with a stride that leaves about so many of them."""
        every = max(1, -(-len(self) // most))
        return Windows(self.first, -(-self.counts // every), self.stride * every)
