"""The average by calendar, with the last error fading.

    y_t = m + sum_k a_k sin(2 pi k t / P) + b_k cos(2 pi k t / P) + e_t,     e_t = phi e_(t-1) + noise

Harmonic regression on day, week and year (Young, Pedregal & Tych 1999 call it dynamic), by least squares; phi is the
correlation of an error with the one before it. A forecast is the average for its moment, and phi^h of the last error.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.data.axis import DAY, WEEK, YEAR, TimeAxis, calendar_features, calendar_periods
from sluicegate.tasks.forecast.batches import Numbers, PerSeries, Point

from .history import History

_HARMONICS = {DAY: 6, WEEK: 3, YEAR: 2}
_MOST_ROWS = 200_000  # that are looked at of a series: two decades of hours
_SERIES = 50  # that decide together which periods count

Block = tuple[int, int]
"""A period in the axis's ticks (microseconds but for whole numbers), and how many harmonics of it."""


class CalendarAverage:
    """The method at the top of this file; where whole numbers count the time, by the seasons that the values show."""

    needs = 1

    def __init__(self, history: History, seasons: Sequence[int]) -> None:
        self._history = history
        used = np.flatnonzero(history.lengths > 1)
        span = int(np.median(history.lengths[used])) if len(used) else 0
        some = used[np.linspace(0, len(used) - 1, min(len(used), _SERIES)).astype(int)] if len(used) else used
        self._blocks = self._choose(_blocks(history.panel.axis, span, seasons), some)
        width = 1 + 2 * sum(count for _, count in self._blocks)
        self._weights = np.zeros((len(history.lengths), width))
        self._fading = np.zeros(len(history.lengths))
        self._last: tuple[tuple[int, int], Float64[np.ndarray, "rows features"]] | None = None
        for series in used:
            self._weights[series], self._fading[series] = self._fit(int(series), self._blocks)
        self._last = None

    @property
    def periods(self) -> list[int]:
        """The periods that count, in ticks."""
        return sorted(period for period, _ in self._blocks)

    def __call__(self, series: Numbers, origins: Numbers) -> Point:
        """Forecast windows."""
        ahead = np.arange(-1, self._history.horizon)
        rows = origins[:, None] + ahead
        # Windows overlap: each row's average is worked out once.
        once, places = np.unique(rows, return_inverse=True)
        of_row = np.empty(len(once), np.int64)
        of_row[places.reshape(rows.shape)] = series[:, None]
        average = self._average(of_row, once)[places.reshape(rows.shape)]
        error = self._history.values[origins - 1] - average[:, 0]
        fading = self._fading[series][:, None] ** (ahead[1:] + 1)
        point: Point = average[:, 1:] + fading * error[:, None]
        return point

    def _average(self, series: Int64[np.ndarray, " rows"], rows: Int64[np.ndarray, " rows"]) -> np.ndarray:
        ticks = self._history.panel.ticks(series, rows)
        features = _features(self._history.panel.axis, self._blocks, ticks)
        return np.asarray(np.einsum("rf,rf->r", features, self._weights[series]))

    def _choose(self, blocks: list[Block], some: PerSeries) -> list[Block]:
        """Periods that pay for their parameters, one after the other, by BIC (Schwarz 1978) over these series."""
        self._last = None
        parts = [_Moments.of(*self._rows(int(series), blocks)) for series in some]
        edges = np.cumsum([1, *(2 * count for _, count in blocks)])
        columns = [np.arange(*edge) for edge in pairwise(edges)]
        chosen: list[int] = []
        best = _bic(parts, np.arange(1))
        while left := [i for i in range(len(blocks)) if i not in chosen]:
            tried = {i: _bic(parts, np.concatenate([[0], *(columns[j] for j in (*chosen, i))])) for i in left}
            first = min(tried, key=lambda i: tried[i])
            if not tried[first] < best:
                break
            best = tried[first]
            chosen.append(first)
        return [blocks[i] for i in sorted(chosen)]

    def _rows(self, series: int, blocks: list[Block]) -> tuple[np.ndarray, np.ndarray]:
        """The features and the values of the rows that a series is trained on."""
        panel, end = self._history.panel, int(self._history.ends[series])
        begin = max(int(panel.bounds[series]), end - _MOST_ROWS)
        ticks = panel.ticks(np.array([series]), np.arange(begin, end))
        key = (int(ticks[0]), len(ticks))
        if self._last is None or self._last[0] != key:  # most panels begin and end together
            self._last = key, _features(panel.axis, blocks, ticks)
        return self._last[1], self._history.values[begin:end]

    def _fit(self, series: int, blocks: list[Block]) -> tuple[np.ndarray, float]:
        features, values = self._rows(series, blocks)
        weights, _ = _Moments.of(features, values).solve(np.arange(features.shape[1]))
        middle = values.mean()
        errors = values - middle - features @ weights
        weights[0] += middle
        power = float(errors[:-1] @ errors[:-1])
        # Errors as small as rounding say nothing.
        told = power > len(errors) * (1e-9 * (np.abs(values).max() + 1e-300)) ** 2
        return weights, float(np.clip(errors[1:] @ errors[:-1] / power, 0.0, 1.0)) if told else 0.0


def _blocks(axis: TimeAxis, span: int, seasons: Sequence[int]) -> list[Block]:
    if axis.kind == "integer":
        return [(season * axis.step, min(6, season // 2)) for season in seasons if 1 < season <= span // 2]
    found = []
    for period, _ in calendar_periods(axis, span):
        steps = period / axis.spacing
        # A year of a dozen steps or so has an average for each; of more, its course is smooth.
        most = 6 if steps < 13 else _HARMONICS[period]
        found.append((period, max(1, min(most, int(steps / 2 + 1e-6)))))
    return found


def _features(axis: TimeAxis, blocks: list[Block], ticks: Int64[np.ndarray, " rows"]) -> np.ndarray:
    return np.concatenate([np.ones((len(ticks), 1)), calendar_features(axis, blocks, ticks)], axis=1)


class _Moments(NamedTuple):
    """All that least squares needs of a series' rows: products of the features with each other and with the values."""

    square: Float64[np.ndarray, "features features"]
    cross: Float64[np.ndarray, " features"]
    size: float
    rows: int

    @classmethod
    def of(cls, features: np.ndarray, values: Float64[np.ndarray, " rows"]) -> _Moments:
        centred = values - values.mean()
        return cls(features.T @ features, features.T @ centred, float(centred @ centred), len(values))

    def solve(self, columns: Int64[np.ndarray, " columns"]) -> tuple[np.ndarray, float]:
        """The weights of some of the features, and the sum of squares that they leave."""
        square, cross = self.square[np.ix_(columns, columns)], self.cross[columns]
        weights = np.linalg.lstsq(square, cross, rcond=1e-10)[0]
        return weights, self.size - float(weights @ (2 * cross - square @ weights))


def _bic(parts: list[_Moments], columns: Int64[np.ndarray, " columns"]) -> float:
    total = 0.0
    for part in parts:
        if part.size > 0:
            left = max(part.solve(columns)[1], 1e-12 * part.size)
            total += part.rows * np.log(left / part.size) + len(columns) * np.log(part.rows)
    return total
