"""Standardise columns by what the training rows show, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from .panel import Panel


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of each column, for each series or for all series alike.

    Args:
        columns: the names of the columns.
        mean: in the column's unit; one row for each series, or a single row for all.
        deviation: likewise; 0 where the training rows are constant.
    """

    columns: tuple[str, ...]
    mean: Float64[np.ndarray, "series columns"]
    deviation: Float64[np.ndarray, "series columns"]

    @classmethod
    def fit(cls, panel: Panel, columns: Sequence[str], ends: Int64[np.ndarray, " series"]) -> Scaler:
        """Measure each series by its rows up to `ends` (a row counted over the whole panel, not included)."""
        mean = np.empty((len(panel.names), len(columns)))
        deviation = np.empty_like(mean)
        for j, name in enumerate(columns):
            values = panel.columns[name]
            for i, (begin, end) in enumerate(zip(panel.bounds[:-1], ends, strict=True)):
                mean[i, j], deviation[i, j] = _moments(values[begin:end])
        return cls(tuple(columns), mean, deviation)

    def pooled(self, lengths: Int64[np.ndarray, " series"]) -> Scaler:
        """One mean and deviation for all series together, from each one's own and its number of rows."""
        weight = (lengths / lengths.sum())[:, None]
        mean = (weight * self.mean).sum(0, keepdims=True)
        square = (weight * (self.deviation**2 + (self.mean - mean) ** 2)).sum(0, keepdims=True)
        return Scaler(self.columns, mean, np.sqrt(square))

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
                _standardise(values[part], self.mean[row, j], unit[row, j], scaled[j, part])
        return scaled

    def to_json(self) -> dict[str, Any]:
        """Plain lists, for a file."""
        return {
            "columns": list(self.columns),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Scaler:
        """The scaler that `to_json` wrote."""
        shape = (len(values["mean"]), len(values["columns"]))
        return cls(
            tuple(values["columns"]),
            np.array(values["mean"], float).reshape(shape),
            np.array(values["deviation"], float).reshape(shape),
        )


_CHUNK = 1 << 20  # values looked at together, so that ten million need little memory beside themselves


def _moments(values: Float64[np.ndarray, " rows"]) -> tuple[float, float]:
    """Mean and standard deviation; exactly the value and 0 where all values are one."""
    mean = float(values.mean())
    if values.min() == values.max():
        return float(values[0]), 0.0
    squares = sum(float(np.square(values[i : i + _CHUNK] - mean).sum()) for i in range(0, len(values), _CHUNK))
    return mean, float(np.sqrt(squares / len(values)))


def _standardise(
    values: Float64[np.ndarray, " rows"], mean: float, unit: float, out: Float32[np.ndarray, " rows"]
) -> None:
    # In doubles, so that a small swing on a large level survives; in pieces, so that little memory is needed.
    for begin in range(0, len(values), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        out[part] = (values[part] - mean) / unit
