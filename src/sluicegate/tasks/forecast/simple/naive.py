"""Methods without parameters: values repeated, and their means."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from sluicegate.tasks.forecast.batches import Numbers, Point

from .history import History


class SeasonalNaive:
    """The value a season ago; with a season of 1 step, the last value."""

    def __init__(self, history: History, season: int) -> None:
        self._history, self._season = history, season
        self.needs = season

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows."""
        steps = np.arange(self._history.horizon)
        rows = origins[:, None] - self._season + steps % self._season
        begins = self._history.panel.bounds[series][:, None]
        # Where the series is not yet a season old, its last value.
        return self._history.values[np.where(rows >= begins, rows, origins[:, None] - 1)]


class RecentMean:
    """The mean of the last values, so many steps or all, by the `running_sums` of the history."""

    def __init__(self, history: History, sums: Float64[np.ndarray, " rows"], steps: int | None) -> None:
        self._history, self._sums, self._steps = history, sums, steps
        self.needs = steps or 1

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows."""
        begins = self._history.panel.bounds[series]
        firsts = begins if self._steps is None else np.maximum(begins, origins - self._steps)
        before = np.where(firsts > begins, self._sums[firsts - 1], 0.0)
        means = self._history.values[begins] + (self._sums[origins - 1] - before) / (origins - firsts)
        return np.repeat(means[:, None], self._history.horizon, axis=1)


def running_sums(history: History) -> Float64[np.ndarray, " rows"]:
    """Sums of each series up to each row, of what lies above its first value: a large level costs no digits."""
    bounds, values = history.panel.bounds, history.values
    sums = np.empty(len(values))
    for begin, end in pairwise(bounds):
        np.cumsum(values[begin:end] - values[begin], out=sums[begin:end])
    return sums
