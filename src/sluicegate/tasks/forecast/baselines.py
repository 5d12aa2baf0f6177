"""The simple methods that a forecast is held against, on the very same windows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int64

from sluicegate.data import Panel
from sluicegate.errors import MissingExtra
from sluicegate.metrics import seasonal_changes

Forecast: TypeAlias = tuple[Float[np.ndarray, "batch horizon"], Float[np.ndarray, "batch horizon quantiles"]]
"""Mean and quantiles, in the target's unit."""


_REMEMBERED = 1000  # rows that the statistical methods look back on; what is older has no weight left


@dataclass(frozen=True)
class Origins:
    """A batch of windows to forecast: for each, its series and the row of the panel at which its horizon begins."""

    panel: Panel
    target: str
    series: Int64[np.ndarray, " batch"]
    origins: Int64[np.ndarray, " batch"]
    horizon: int


def seasonal_naive(
    windows: Origins, season: int, deviation: Float[np.ndarray, " batch"], quantiles: tuple[float, ...]
) -> Forecast:
    """The value a season ago, with the normal interval of a random walk over seasons (Hyndman & Athanasopoulos 2021).

    Args:
        windows: what to forecast.
        season: steps in a season; 1 repeats the last value.
        deviation: for each window, the standard deviation of its series' changes over a season in the training rows.
        quantiles: which quantiles to give.
    """
    steps = np.arange(windows.horizon)
    rows = windows.origins[:, None] - season + steps % season
    begins = windows.panel.bounds[windows.series][:, None]
    # Where the series is not yet a season old, its last value.
    rows = np.where(rows >= begins, rows, windows.origins[:, None] - 1)
    mean = windows.panel.columns[windows.target][rows]
    spread = deviation[:, None] * np.sqrt(steps // season + 1)
    scores = np.array([NormalDist().inv_cdf(q) for q in quantiles])
    return mean, mean[..., None] + spread[..., None] * scores


def seasonal_deviation(values: Float[np.ndarray, " rows"], season: int) -> float:
    """Root mean square of a series' changes over a season; 0 for a series no longer than that."""
    if len(values) <= season:
        return 0.0
    squares = sum(float(np.square(change).sum()) for change in seasonal_changes(values, season))
    return float(np.sqrt(squares / (len(values) - season)))


class Statistical:
    """AutoETS (Hyndman et al. 2002) or AutoTheta (Fiorucci et al. 2016), by statsforecast.

    As with the model, the parameters are found once: for each series on the rows before its first window. Each window
    then goes on from all that came before it, a thousand rows at most.

    Args:
        name: `AutoETS` or `AutoTheta`.
        season: steps in a season.

    Raises:
        MissingExtra: statsforecast is not installed.
    """

    def __init__(self, name: str, season: int) -> None:
        try:
            from statsforecast import models
        except ImportError as error:
            raise MissingExtra("statsforecast", "baselines", f"the baseline {name}") from error
        self._make = partial(getattr(models, name), season_length=season)
        self._fitted: dict[tuple[int, str], Any] = {}

    def __call__(self, at: Origins, quantiles: tuple[float, ...]) -> Forecast:
        """Forecast windows; those of a series must come in order of time."""
        levels = sorted({_level(q) for q in quantiles if q != 0.5})
        mean = np.empty((len(at.origins), at.horizon))
        spread = np.empty((*mean.shape, len(quantiles)))
        for i, (series, origin) in enumerate(zip(at.series, at.origins, strict=True)):
            begin = max(int(at.panel.bounds[series]), int(origin) - _REMEMBERED)
            history = np.ascontiguousarray(at.panel.columns[at.target][begin : int(origin)], np.float64)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of fits that it then replaces itself
                key = (int(series), at.target)
                if key not in self._fitted:
                    self._fitted[key] = self._make().fit(history)
                result = self._fitted[key].forward(y=history, h=at.horizon, level=levels)
            mean[i] = result["mean"]
            for j, q in enumerate(quantiles):
                side = "lo" if q < 0.5 else "hi"
                spread[i, :, j] = result["mean"] if q == 0.5 else result[f"{side}-{_level(q)}"]
        return mean, spread


def _level(quantile: float) -> int | float:
    """The share, in percent, that the interval between a quantile and its mirror image covers."""
    level = round(100 * abs(2 * quantile - 1), 6)
    return int(level) if level == int(level) else level
