"""Quantiles for methods that give one number: what they erred by on windows that lie before the first one scored."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sluicegate.tasks.forecast.batches import Numbers, Point, Quantiles

from .history import Forecast, History, Method

_VALUES = 2_000_000  # errors that are looked at, over all series
_MOST, _ENOUGH = 500, 50  # windows of a series that are looked at, and from which its errors speak for themselves
_AT_ONCE = 2048


class WithIntervals:
    """A method with the quantiles of its own errors, step by step.

    Where a series has fewer than 50 such windows, the errors of all series in units of their deviation serve it.
    Nothing negative is forecast where the values never were. The median is the method's number; but for intermittent
    demand, of which that number is the mean, it is the median of the errors that is added to it.
    """

    def __init__(self, method: Method, history: History, quantiles: tuple[float, ...]) -> None:
        self._method = method
        self._positive = history.never_negative()
        deviation = history.each(lambda rows: float(rows.std()))
        series, origins = _windows_before(history, method.needs)
        errors = np.empty((len(origins), history.horizon))
        ahead = np.arange(history.horizon)
        for begin in range(0, len(origins), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            truth = history.values[origins[part, None] + ahead]
            errors[part] = truth - method(series[part], origins[part])
        counts = np.bincount(series, minlength=len(deviation))
        own = np.flatnonzero(counts >= _ENOUGH)
        self._row = np.zeros(len(deviation), np.int64)
        self._row[own] = 1 + np.arange(len(own))
        self._scale = np.where(self._row > 0, 1.0, deviation)
        self._offsets = np.empty((1 + len(own), history.horizon, len(quantiles)))
        told = deviation[series] > 0
        self._offsets[0] = _quantiles(errors[told] / deviation[series[told], None], quantiles)
        bounds = np.concatenate([[0], np.cumsum(counts)])
        for row, one in enumerate(own, 1):
            self._offsets[row] = _quantiles(errors[bounds[one] : bounds[one + 1]], quantiles)
        self._steady, self._means = _steadied(self._offsets, quantiles), history.intermittent()

    def __call__(self, series: Numbers, origins: Numbers) -> Forecast:
        """Forecast windows."""
        mean = self._method(series, origins)
        row, scale = self._row[series], self._scale[series, None, None]
        offsets = np.where(self._means[series][:, None, None], self._offsets[row], self._steady[row])
        return floored(mean, mean[..., None] + offsets * scale, self._positive[series])


def floored(mean: Point, quantiles: Quantiles, positive: Bool[np.ndarray, " batch"]) -> Forecast:
    """The forecast without what lies below 0 where nothing ever did."""
    floor = np.where(positive, 0.0, -np.inf)
    return np.maximum(mean, floor[:, None]), np.maximum(quantiles, floor[:, None, None])


def _windows_before(
    history: History, needs: int
) -> tuple[Int64[np.ndarray, " windows"], Int64[np.ndarray, " windows"]]:
    """Windows that end before the first one scored, evenly spread over each series, series by series."""
    counts = np.maximum(0, history.lengths - history.horizon - needs + 1)
    series_with = max(1, int((counts > 0).sum()))
    most = int(np.clip(_VALUES // history.horizon // series_with, 1, _MOST))
    taken = np.minimum(counts, most)
    series = np.repeat(np.arange(len(taken)), taken)
    place = np.arange(len(series)) - np.repeat(np.cumsum(taken) - taken, taken)
    first = history.panel.bounds[:-1] + needs
    return series, first[series] + place * counts[series] // taken[series]


def _quantiles(
    errors: Float64[np.ndarray, "windows horizon"], quantiles: tuple[float, ...]
) -> Float64[np.ndarray, "horizon quantiles"]:
    if not len(errors):  # nothing but a context to go by: as if each step were a draw from the series' values
        normal = np.array([NormalDist().inv_cdf(q) for q in quantiles])
        return np.broadcast_to(normal, (errors.shape[1], len(quantiles)))
    return np.asarray(np.quantile(errors, quantiles, axis=0)).T


def _steadied(
    offsets: Float64[np.ndarray, "rows horizon quantiles"], quantiles: tuple[float, ...]
) -> Float64[np.ndarray, "rows horizon quantiles"]:
    """The quantiles about a number that is the median itself."""
    side = np.sign(np.array(quantiles) - 0.5)
    return np.where(side == 0, 0.0, np.where(side < 0, np.minimum(offsets, 0.0), np.maximum(offsets, 0.0)))
