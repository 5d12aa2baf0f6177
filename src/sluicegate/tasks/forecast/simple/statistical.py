"""AutoETS and AutoTheta, by statsforecast."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np

from sluicegate.errors import MissingExtra
from sluicegate.tasks.forecast.batches import Numbers

from .history import Forecast, History
from .intervals import floored

STATISTICAL = ("AutoETS", "AutoTheta")

FEWEST = {"AutoETS": 7, "AutoTheta": 4}
"""Rows that they need; of fewer statsforecast makes no model."""

_REMEMBERED = 1000  # rows that the statistical methods look back on; what is older has no weight left


class Statistical:
    """AutoETS (Hyndman et al. 2002) or AutoTheta (Fiorucci et al. 2016), by statsforecast.

    As with the model, the parameters are found once: for each series on the rows before its first window. Each window
    then goes on from all that came before it, a thousand rows at most.

    Raises:
        MissingExtra: statsforecast is not installed.
    """

    def __init__(self, name: str, season: int, history: History, quantiles: tuple[float, ...]) -> None:
        try:
            from statsforecast import models
        except ImportError as error:
            raise MissingExtra("statsforecast", "baselines", f"the baseline {name}") from error
        self._make = partial(getattr(models, name), season_length=season)
        self._trained: dict[int, Any] = {}
        self._history, self._quantiles = history, quantiles
        self._positive = history.never_negative()

    def __call__(self, series: Numbers, origins: Numbers) -> Forecast:
        """Forecast windows; those of a series must come in order of time."""
        quantiles, horizon = self._quantiles, self._history.horizon
        levels = sorted({_level(q) for q in quantiles if q != 0.5})
        mean = np.empty((len(origins), horizon))
        spread = np.empty((*mean.shape, len(quantiles)))
        for i, (one, origin) in enumerate(zip(series.tolist(), origins.tolist(), strict=True)):
            begin = max(int(self._history.panel.bounds[one]), origin - _REMEMBERED)
            rows = np.ascontiguousarray(self._history.values[begin:origin], np.float64)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of fits that it then replaces itself
                if one not in self._trained:
                    self._trained[one] = self._make().fit(rows)
                result = self._trained[one].forward(y=rows, h=horizon, level=levels)
            mean[i] = result["mean"]
            for j, q in enumerate(quantiles):
                side = "lo" if q < 0.5 else "hi"
                spread[i, :, j] = result["mean"] if q == 0.5 else result[f"{side}-{_level(q)}"]
        return floored(mean, spread, self._positive[series])


def _level(quantile: float) -> int | float:
    """The share, in percent, that the interval between a quantile and its mirror image covers."""
    level = round(100 * abs(2 * quantile - 1), 6)
    return int(level) if level == int(level) else level
