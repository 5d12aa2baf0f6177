"""Standardise columns by what the training rows show, and nothing else.

A column of counts or loads, never negative, often errs in proportion to its level. Before they are standardised, its
values then pass an arcsinh transform: straight up to the knee, a logarithm beyond (Johnson 1949).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

from sluicegate.runtime.forecast.values import arcsinh_scaled as arcsinh_scaled
from sluicegate.runtime.forecast.values import find_knee as find_knee
from sluicegate.runtime.forecast.values import moments, standardise

from .panel import Panel


class InputScale(NamedTuple):
    """What numbers of a row were in training, all series together."""

    columns: tuple[str, ...]
    mean: Float64[np.ndarray, " columns"]
    deviation: Float64[np.ndarray, " columns"]  # 0 where it is not known, or there is one value only


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each column, for each series or for all series alike.

    Args:
        columns: the names of the columns.
        mean: of the values, transformed where there is a knee; one row for each series, or a single row for all.
        deviation: likewise; 0 where the training rows are constant.
        knee: the value at which the arcsinh transform sets in; 0 for values that stay straight.
    """

    columns: tuple[str, ...]
    mean: Float64[np.ndarray, "series columns"]
    deviation: Float64[np.ndarray, "series columns"]
    knee: Float64[np.ndarray, "series columns"]

    @classmethod
    def fit(
        cls, panel: Panel, columns: Sequence[str], ends: Int64[np.ndarray, " series"], season: int | None = None
    ) -> Scaler:
        """Measure each series by its rows up to `ends` (a row counted over the whole panel, not included).

        With a season, columns whose changes over a season grow with the level are transformed by arcsinh.
        """
        mean = np.empty((len(panel.names), len(columns)))
        deviation, knee = np.empty_like(mean), np.zeros_like(mean)
        for j, name in enumerate(columns):
            values = panel.columns[name]
            for i, (begin, end) in enumerate(zip(panel.bounds[:-1], ends, strict=True)):
                if season is not None:
                    knee[i, j] = find_knee(values[begin:end], season)
                mean[i, j], deviation[i, j] = moments(values[begin:end], knee[i, j])
        return cls(tuple(columns), mean, deviation, knee)

    def or_where_still(self, other: Callable[[], Scaler]) -> Scaler:
        """The same, but for columns that are constant the scale that another scaler, made if need be, has for them."""
        still = self.deviation == 0
        if not still.any():
            return self
        pairs = zip(self._arrays, other()._arrays, strict=True)
        return Scaler(self.columns, *(np.where(still, theirs, ours) for ours, theirs in pairs))

    def followed_by(self, other: Scaler) -> Scaler:
        """The scales of these series, and then of others."""
        return Scaler(self.columns, *map(np.concatenate, zip(self._arrays, other._arrays, strict=True)))

    @property
    def _arrays(self) -> tuple[Float64[np.ndarray, "series columns"], ...]:
        return self.mean, self.deviation, self.knee

    def pooled(self, lengths: Int64[np.ndarray, " series"]) -> Scaler:
        """One mean and deviation for all series together, from each one's own and its number of rows."""
        weight = (lengths / lengths.sum())[:, None]
        mean = (weight * self.mean).sum(0, keepdims=True)
        square = (weight * (self.deviation**2 + (self.mean - mean) ** 2)).sum(0, keepdims=True)
        return Scaler(self.columns, mean, np.sqrt(square), np.zeros_like(mean))

    @property
    def over_all(self) -> InputScale:
        """One mean and deviation for all series, each of which counts alike; none where a column is transformed."""
        whole = self.pooled(np.ones(len(self.mean), np.int64))
        return InputScale(self.columns, whole.mean[0], np.where(self.knee.any(0), 0.0, whole.deviation[0]))

    @property
    def unit(self) -> Float64[np.ndarray, "series columns"]:
        """The deviation, and 1 where that is 0: what values are divided by."""
        return np.where(self.deviation > 0, self.deviation, 1.0)

    def apply(self, panel: Panel, series: Int64[np.ndarray, " panel_series"]) -> Float32[np.ndarray, "columns rows"]:
        """The panel's columns, standardised; `series` gives the scaler's row for each of the panel's series."""
        scaled = np.empty((len(self.columns), panel.rows), np.float32)
        unit = self.unit
        for j, name in enumerate(self.columns):
            values = panel.columns[name]
            for i, row in enumerate(series):
                part = slice(int(panel.bounds[i]), int(panel.bounds[i + 1]))
                standardise(values[part], self.knee[row, j], self.mean[row, j], unit[row, j], scaled[j, part])
        return scaled
