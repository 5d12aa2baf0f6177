"""How far a forecast is from the truth.

With y the truth, f the forecast of a step and n the number of values that are scored:

    mae          sum |y - m| / n,          m the median
    rmse         sqrt(sum (y - f)^2 / n),  f the mean
    smape        sum 200 |y - m| / (|y| + |m|) / n, in percent, 0 to 200; 0 where both are 0 (Makridakis et al. 2020)
    mase         sum (|y - m| / s) / n, s the series' mean absolute change over a season (Hyndman & Koehler 2006)
    wql          2 sum_q sum pinball_q(y, f_q) / (Q sum |y|), over the Q quantiles q (Park et al. 2022)
    coverage_80  the share of values within the 10 % and the 90 % quantile; 0.8 is right, ties counted as below
    mse_scaled   sum ((y - f) / d)^2 / n,  d the series' standard deviation in the training rows
    mae_scaled   sum (|y - m| / d) / n

Absolute errors are those of the median and squared errors those of the mean: each is the forecast that makes its
error smallest (Gneiting 2011). Series whose scale s or d is 0 have no scaled error and are left out of that mean.

Where values pile up on an end of the interval, as zeros do, no interval can hold 80 % of them: a 10 % quantile is right
if at most 10 % of the values are below it and at least 10 % are not above it. Of the values of a series that equal an
end, as many count as beyond it as bring the share beyond it nearest to 10 %; where none do, that is the plain share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

METRICS = ("mae", "rmse", "smape", "mase", "wql", "coverage_80", "mse_scaled", "mae_scaled")

_PART = 1 << 20


class WindowLosses(NamedTuple):
    """What each window of a batch lost, summed over its steps, of the values that are scored.

    `scaled` is the absolute loss by the series' mean absolute change over a season; NaN where that is 0.
    """

    scored: Float[np.ndarray, " batch"]
    absolute: Float[np.ndarray, " batch"]
    scaled: Float[np.ndarray, " batch"]
    square: Float[np.ndarray, " batch"]
    pinball: Float[np.ndarray, " batch"]


class ForecastScores:
    """Sums of errors, added batch by batch, so that any number of windows takes the same memory.

    Args:
        quantiles: the quantiles that are forecast, ascending, with 0.1, 0.5 and 0.9 among them.
        seasonal_scale: for each series, its mean absolute change over a season, in the target's unit.
        deviation: for each series, its standard deviation in the training rows, in the target's unit.
        horizon: steps ahead.
    """

    def __init__(
        self,
        quantiles: Sequence[float],
        seasonal_scale: Float[np.ndarray, " series"],
        deviation: Float[np.ndarray, " series"],
        horizon: int,
    ) -> None:
        self.quantiles = np.asarray(quantiles)
        self._low, self._mid, self._high = (list(quantiles).index(q) for q in (0.1, 0.5, 0.9))
        with np.errstate(divide="ignore"):
            self._per_season = np.where(seasonal_scale > 0, 1 / seasonal_scale, np.nan)
            self._per_deviation = np.where(deviation > 0, 1 / deviation, np.nan)
        series = len(deviation)
        errors = ("absolute", "square", "smape", "mase", "pinball", "square_scaled", "absolute_scaled")
        self._sums = dict.fromkeys((*errors, "n", "n_mase", "n_scaled", "size"), 0.0)
        self._by_step = np.zeros((3, horizon))  # count, absolute, square
        self._by_series = np.zeros((3, series))
        self._beyond = np.zeros((4, series))  # values below the interval, on its lower end, above it, on its upper end

    def add(
        self,
        series: Int64[np.ndarray, " batch"],
        truth: Float[np.ndarray, "batch horizon"],
        mean: Float[np.ndarray, "batch horizon"],
        quantiles: Float[np.ndarray, "batch horizon quantiles"],
        scored: Bool[np.ndarray, "batch horizon"] | None = None,
    ) -> WindowLosses:
        """Add a batch of windows, all in the target's unit; `scored` marks the values that count.

        Returns:
            What each of them lost.
        """
        weight = np.ones(truth.shape) if scored is None else scored.astype(float)
        median = quantiles[..., self._mid]
        absolute = np.abs(truth - median) * weight
        square = (truth - mean) ** 2 * weight
        size = (np.abs(truth) + np.abs(median)) * weight
        below = truth[..., None] - quantiles
        pinball = np.maximum(self.quantiles * below, (self.quantiles - 1) * below).mean(-1) * weight
        low, high = quantiles[..., self._low], quantiles[..., self._high]
        per_season, per_deviation = self._per_season[series], self._per_deviation[series]
        count, absolute_row, square_row = weight.sum(1), absolute.sum(1), square.sum(1)
        sums = self._sums
        sums["n"] += count.sum()
        sums["absolute"] += absolute_row.sum()
        sums["square"] += square_row.sum()
        sums["smape"] += 200 * np.divide(absolute, size, out=np.zeros_like(size), where=size > 0).sum()
        sums["mase"] += np.nansum(absolute_row * per_season)
        sums["n_mase"] += count[np.isfinite(per_season)].sum()
        sums["pinball"] += pinball.sum()
        sums["size"] += (np.abs(truth) * weight).sum()
        sums["square_scaled"] += np.nansum(square_row * per_deviation**2)
        sums["absolute_scaled"] += np.nansum(absolute_row * per_deviation)
        sums["n_scaled"] += count[np.isfinite(per_deviation)].sum()
        self._by_step += np.stack([weight.sum(0), absolute.sum(0), square.sum(0)])
        for row, amounts in enumerate((count, absolute_row, square_row)):
            self._by_series[row] += np.bincount(series, amounts, minlength=self._by_series.shape[1])
        for row, there in enumerate((truth < low, truth == low, truth > high, truth == high)):
            self._beyond[row] += np.bincount(series, (there * weight).sum(1), minlength=self._beyond.shape[1])
        return WindowLosses(count, absolute_row, absolute_row * per_season, square_row, pinball.sum(1))

    def metrics(self) -> dict[str, float]:
        """The metrics by name; NaN where nothing was scored."""
        s = {name: np.float64(value) for name, value in self._sums.items()}
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (
                s["absolute"] / s["n"],
                np.sqrt(s["square"] / s["n"]),
                s["smape"] / s["n"],
                s["mase"] / s["n_mase"],
                2 * s["pinball"] / s["size"],
                self._covered() / s["n"],
                s["square_scaled"] / s["n_scaled"],
                s["absolute_scaled"] / s["n_scaled"],
            )
        return {name: float(value) for name, value in zip(METRICS, values, strict=True)}

    def _covered(self) -> np.float64:
        """How many values count as within the interval."""
        count = self._by_series[0]
        below, on_low, above, on_high = self._beyond
        left = np.clip(self.quantiles[self._low] * count, below, below + on_low)
        right = np.clip((1 - self.quantiles[self._high]) * count, above, above + on_high)
        return np.float64((count - left - right).sum())

    def mae_by_step(self) -> Float[np.ndarray, " horizon"]:
        """Mean absolute error of each step ahead."""
        errors: Float[np.ndarray, " horizon"] = self._by_step[1] / np.maximum(self._by_step[0], 1)
        return errors

    def mae_by_series(self) -> Float[np.ndarray, " series"]:
        """Mean absolute error of each series; NaN for one that no window scored."""
        with np.errstate(invalid="ignore"):
            errors: Float[np.ndarray, " series"] = self._by_series[1] / self._by_series[0]
        return errors


def seasonal_changes(values: Float[np.ndarray, " rows"], season: int) -> Iterator[Float[np.ndarray, " part"]]:
    """A series' changes over a season, in parts, so that a long series needs little memory beside itself."""
    for begin in range(season, len(values), _PART):
        now = values[begin : begin + _PART]
        yield now - values[begin - season : begin - season + len(now)]


def seasonal_scale(values: Float[np.ndarray, " rows"], season: int) -> float:
    """A series' mean absolute change over a season, by which MASE divides; 0 for a series no longer than that."""
    if len(values) <= season:
        return 0.0
    return sum(float(np.abs(change).sum()) for change in seasonal_changes(values, season)) / (len(values) - season)


def owa(smape: float, mase: float, naive_smape: float, naive_mase: float) -> float:
    """The overall weighted average of the M4 competition: both errors beside Naive2's (Makridakis et al. 2020)."""
    return (smape / naive_smape + mase / naive_mase) / 2
