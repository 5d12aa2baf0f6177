"""A panel as the network sees it: standardised, cut into windows, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from sluicegate.data import Panel, Scaler, Support
from sluicegate.data.axis import TimeAxis, calendar_features
from sluicegate.runtime.forecast.scales import repeated_before

from .model import Shape

Numbers: TypeAlias = Int64[np.ndarray, " batch"]
"""Of each window of a batch, the series, or the row at which its horizon begins, counted over the whole panel."""

PerSeries: TypeAlias = Int64[np.ndarray, " series"]
"""Of each series, a row counted over the whole panel, or a moment in ticks."""

Point: TypeAlias = Float64[np.ndarray, "batch horizon"]
"""One number for each step."""

Quantiles: TypeAlias = Float64[np.ndarray, "batch horizon quantiles"]
"""Several for each step, ascending."""


@dataclass(frozen=True)
class Columns:
    """Which column of a table plays which role."""

    time: str  # time stamps or whole numbers
    targets: tuple[str, ...]  # what is forecast
    # Tells series apart, several where their names together do; None for a single series.
    series: str | tuple[str, ...] | None = None
    past: tuple[str, ...] = ()  # covariates known up to now
    known: tuple[str, ...] = ()  # covariates known in advance

    @property
    def values(self) -> tuple[str, ...]:
        """All columns of numbers."""
        return self.targets + self.past + self.known


@dataclass(frozen=True)
class Calendar:
    """The calendar features that the network is given: periods in microseconds, with their harmonics."""

    axis: TimeAxis
    periods: tuple[tuple[int, int], ...]

    @property
    def width(self) -> int:
        """Features of one segment."""
        return 2 * sum(harmonics for _, harmonics in self.periods)

    def features(self, ticks: Int64[np.ndarray, "*shape"]) -> Float[Tensor, "*shape calendar"]:
        """The features of the segments that begin at these ticks."""
        return torch.from_numpy(calendar_features(self.axis, list(self.periods), ticks).astype(np.float32))


class Batch(NamedTuple):
    """What `SegmentForecaster.forward` takes, in its order."""

    context: Float[Tensor, "batch context"]
    past: Float[Tensor, "batch past context"]
    known: Float[Tensor, "batch known window"]
    calendar: Float[Tensor, "batch segments calendar"]
    padded: Int64[Tensor, " batch"]


class Scalers(NamedTuple):
    """Targets are standardised series by series, covariates over all series alike."""

    targets: Scaler
    covariates: Scaler


class PreparedWindows:
    """Standardised columns of a panel, from which batches of windows are cut.

    Args:
        panel: the checked table; for a forecast, its last rows are the horizon.
        ids: for each of its series, the number that the series had in training.
        columns: the columns' roles.
        scalers: measured on the training rows.
        calendar: which calendar features are asked for.
        shape: the network's sizes.
        season: steps in a season, which series that are shorter than a window repeat before their first row.
        support: which values the targets can take.
    """

    def __init__(
        self,
        panel: Panel,
        ids: PerSeries,
        columns: Columns,
        scalers: Scalers,
        calendar: Calendar,
        shape: Shape,
        season: int = 1,
        support: Support | None = None,
    ) -> None:
        self.panel, self.ids, self.columns = panel, ids, columns
        self._calendar, self._shape, self._season = calendar, shape, season
        self._support, self._scaler = support, scalers.targets
        self._targets = torch.from_numpy(scalers.targets.apply(panel, ids))
        # One scale serves all series; a table of zeros stands for "the scaler's only row".
        covariates = torch.from_numpy(scalers.covariates.apply(panel, np.zeros_like(ids)))
        self._past, self._known = covariates[: len(columns.past)], covariates[len(columns.past) :]
        self._firsts = np.arange(-shape.before, shape.after) * shape.segment

    def batch(self, series: Numbers, origins: Numbers, target: Numbers) -> tuple[Batch, Float[Tensor, "batch horizon"]]:
        """The inputs of windows, each of one target, and the standardised truth."""
        context = self._shape.context
        rows = torch.from_numpy(self._rows(series, origins, context + self._shape.horizon))
        window = self._targets[torch.from_numpy(target)[:, None], rows]
        ticks = self.panel.ticks(series[:, None], origins[:, None] + self._firsts)
        batch = Batch(
            window[:, :context],
            self._past[:, rows[:, :context]].transpose(0, 1),
            self._known[:, rows].transpose(0, 1),
            self._calendar.features(ticks),
            torch.from_numpy(np.maximum(0, self.panel.bounds[series] - origins + context)),
        )
        return batch, window[:, context:]

    def spread_out(
        self, truth: Float[Tensor, "batch horizon"], series: Numbers, target: Numbers, generator: torch.Generator
    ) -> Float[Tensor, "batch horizon"]:
        """The standardised truth as the quantiles are learnt from it; see `sluicegate.data.Support`."""
        if self._support is None or not self._support.spreads:
            return truth
        row, unit = self.ids[series], self._scaler.unit
        zero, below_zero, below = (
            torch.from_numpy((values / unit)[row, target].astype(np.float32))[:, None]
            for values in (-self._scaler.mean, self._support.zeros, self._support.grain)
        )
        span = torch.where(truth <= zero, below_zero, below)
        return truth - span * torch.rand(truth.shape, generator=generator)

    def contexts(self, series: Numbers, origins: Numbers, target: int) -> Float64[np.ndarray, "batch context"]:
        """The contexts of windows of one target, in its unit."""
        values: Float64[np.ndarray, "batch context"] = self.panel.columns[self.columns.targets[target]][
            self._rows(series, origins, self._shape.context)
        ]
        return values

    def _rows(self, series: Numbers, origins: Numbers, count: int) -> Int64[np.ndarray, "batch count"]:
        """The rows of the panel that the first steps of windows stand for."""
        first = self.panel.bounds[series]
        places = (origins - first)[:, None] - self._shape.context + np.arange(count)
        rows: Int64[np.ndarray, "batch count"] = first[:, None] + repeated_before(
            places, (origins - first)[:, None], self._season
        )
        return rows


def first_origins(panel: Panel, context: int, horizon: int) -> PerSeries:
    """The first row of each series, counted over the whole panel, at which a horizon may begin.

    A series that is too short for a context and a horizon begins where half of its rows, but for a horizon, are past.
    """
    half = np.maximum(1, (panel.lengths - horizon) // 2)
    first: PerSeries = panel.bounds[:-1] + np.where(
        panel.lengths < context + horizon, np.minimum(half, context), context
    )
    return first
