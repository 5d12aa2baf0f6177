"""Methods for demand with many zeros: Croston's in Syntetos and Boylan's form, and that of Teunter, Syntetos and Babai.

With z the size of a demand, p the steps from one demand to the next, and b the chance of a demand:

    Croston (1972)                        z and p are smoothed where there is demand; the forecast is z / p
    Syntetos & Boylan (2005)              times 1 - alpha / 2, since the quotient of two means lies too high
    Teunter, Syntetos & Babai (2011)      z is smoothed where there is demand, b at every step; the forecast is b z,
                                          which falls where demand dies out
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.tasks.forecast.batches import Numbers, Point

from .history import History

ALPHA = 0.1
"""The weight of the newest value, as Croston and most after him take it."""


class Rate:
    """Demand for each step, the same over the horizon; `rates` says what is forecast after each value of a series."""

    needs = 1

    def __init__(
        self, history: History, rates: Callable[[Float64[np.ndarray, " rows"]], Float64[np.ndarray, " rows"]]
    ) -> None:
        self._horizon = history.horizon
        bounds, values = history.panel.bounds, history.values
        self._rates = np.concatenate([rates(values[begin:end]) for begin, end in pairwise(bounds)])

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows."""
        del series
        return np.repeat(self._rates[origins - 1][:, None], self._horizon, axis=1)


def croston_sba(values: Float64[np.ndarray, " rows"]) -> Float64[np.ndarray, " rows"]:
    """Croston's forecast, corrected, after each value; 0 before the first demand.

    >>> [round(rate, 4) for rate in croston_sba(np.array([0.0, 3.0, 0.0, 3.0])).tolist()]
    [0.0, 1.425, 1.425, 1.425]
    """
    demands = np.flatnonzero(values)
    size = _smoothed(values[demands])
    interval = _smoothed(np.diff(demands, prepend=-1).astype(np.float64))
    return _held((1 - ALPHA / 2) * size / interval, demands, len(values))


def tsb(values: Float64[np.ndarray, " rows"]) -> Float64[np.ndarray, " rows"]:
    """The forecast of Teunter, Syntetos and Babai after each value; 0 before the first demand.

    >>> [round(rate, 4) for rate in tsb(np.array([0.0, 3.0, 0.0, 3.0])).tolist()]
    [0.0, 1.5, 1.35, 1.515]
    """
    demands = np.flatnonzero(values)
    if not len(demands):
        return np.zeros(len(values))
    first = int(demands[0])
    size = _held(_smoothed(values[demands]), demands, len(values))
    chance = np.zeros(len(values))
    # It begins as one in the steps that the first demand took.
    begin = np.concatenate([[1 / (first + 1)], (values[first + 1 :] != 0).astype(np.float64)])
    chance[first:] = _smoothed(begin)
    return size * chance


def _smoothed(values: Float64[np.ndarray, " rows"]) -> Float64[np.ndarray, " rows"]:
    """Exponential smoothing that begins with the first value."""
    if not len(values):
        return values
    from scipy.signal import lfilter  # 0.9 s to load, which no prediction needs

    level, _ = lfilter([ALPHA], [1.0, ALPHA - 1.0], values, zi=[(1 - ALPHA) * values[0]])
    return np.asarray(level)


def _held(
    found: Float64[np.ndarray, " demands"], places: Int64[np.ndarray, " demands"], rows: int
) -> Float64[np.ndarray, " rows"]:
    """What was found at these places, held until the next; 0 before the first."""
    last = np.searchsorted(places, np.arange(rows), side="right")
    return np.concatenate([[0.0], found])[last]
