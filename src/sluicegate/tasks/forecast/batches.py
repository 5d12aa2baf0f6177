"""A panel as the network sees it: standardised, cut into windows, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from sluicegate.data import Panel, Scaler
from sluicegate.data.axis import TimeAxis, calendar_features

from .model import Shape


@dataclass(frozen=True)
class Columns:
    """Which column of a table plays which role.

    Args:
        time: time stamps or whole numbers.
        targets: what is forecast.
        series: tells series apart; None for a single series.
        past: covariates known up to now.
        known: covariates known in advance.
    """

    time: str
    targets: tuple[str, ...]
    series: str | None = None
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

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


class Scalers(NamedTuple):
    """Targets are standardised series by series, covariates over all series alike."""

    targets: Scaler
    covariates: Scaler

    def unscale(
        self,
        mean: Float64[np.ndarray, "batch horizon"],
        quantiles: Float64[np.ndarray, "batch horizon quantiles"],
        deviation: Float64[np.ndarray, "batch horizon"],
        series: Int64[np.ndarray, " batch"],
        target: int,
    ) -> tuple[Float64[np.ndarray, "batch horizon"], Float64[np.ndarray, "batch horizon quantiles"]]:
        """From the standardised scale to the target's unit.

        The mean of a bent value lies above the bent mean: of a normal error, by the factor exp(deviation^2 / 2).
        """
        unit, level, knee = (
            values[series, target][:, None] for values in (self.targets.unit, self.targets.mean, self.targets.knee)
        )
        mean = mean * unit + level
        quantiles = quantiles * unit[..., None] + level[..., None]
        bent = knee[:, 0] > 0
        if bent.any():
            knee, level, unit = knee[bent], level[bent], unit[bent]
            # Nothing sensible lies ten deviations above the mean, and its hyperbolic sine might not be finite.
            highest = level + 10 * unit
            variance = np.minimum((deviation[bent] * unit) ** 2, 1.0)
            mean[bent] = knee * np.sinh(np.minimum(mean[bent], highest)) * np.exp(variance / 2)
            quantiles[bent] = knee[..., None] * np.sinh(np.minimum(quantiles[bent], highest[..., None]))
        return mean, quantiles


class PreparedWindows:
    """Standardised columns of a panel, from which batches of windows are cut.

    Args:
        panel: the checked table; for a forecast, its last rows are the horizon.
        ids: for each of its series, the number that the series had in training.
        columns: the columns' roles.
        scalers: measured on the training rows.
        calendar: which calendar features are asked for.
        shape: the network's sizes.
    """

    def __init__(
        self,
        panel: Panel,
        ids: Int64[np.ndarray, " series"],
        columns: Columns,
        scalers: Scalers,
        calendar: Calendar,
        shape: Shape,
    ) -> None:
        self.panel, self.ids, self.columns = panel, ids, columns
        self._calendar, self._shape = calendar, shape
        both = shape.context + shape.horizon
        targets = torch.from_numpy(scalers.targets.apply(panel, ids))
        # One scale serves all series; a table of zeros stands for "the scaler's only row".
        covariates = torch.from_numpy(scalers.covariates.apply(panel, np.zeros_like(ids)))
        # Views: window i of a column is the rows from i on. A batch copies only the rows that it asks for.
        self._targets = targets.unfold(1, both, 1)
        past, known = covariates[: len(columns.past)], covariates[len(columns.past) :]
        self._past = past.unfold(1, both, 1)
        self._known = known.unfold(1, both, 1)
        self._firsts = np.arange(-shape.before, shape.after) * shape.segment

    def batch(
        self,
        series: Int64[np.ndarray, " batch"],
        origins: Int64[np.ndarray, " batch"],
        target: Int64[np.ndarray, " batch"],
    ) -> tuple[Batch, Float[Tensor, "batch horizon"]]:
        """The inputs of windows, and the standardised truth.

        Args:
            series: the series of each window.
            origins: the row at which its horizon begins, counted over the whole panel.
            target: which target it is of.
        """
        context = self._shape.context
        begin = torch.from_numpy(origins - context)
        window = self._targets[torch.from_numpy(target), begin]
        ticks = self.panel.ticks(series[:, None], origins[:, None] + self._firsts)
        batch = Batch(
            window[:, :context],
            self._past[:, begin, :context].transpose(0, 1),
            self._known[:, begin].transpose(0, 1),
            self._calendar.features(ticks),
        )
        return batch, window[:, context:]
