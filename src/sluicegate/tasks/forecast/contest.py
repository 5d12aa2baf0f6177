"""The model against each simple method, window by window: how often it is better, and whether by more than noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sluicegate.data import Panel, Windows
from sluicegate.metrics import WindowLosses, clustered, degrees_of_freedom, diebold_mariano

from .batches import Numbers

_MOMENTS = 1 << 14  # moments of time that are told apart; of more, neighbours count as one
_APART = 3  # degrees of freedom from which time alone tells what is noise
_SERIES = 10  # from which series can tell instead

LOSS = {"mae": "absolute", "mase": "scaled", "wql": "pinball", "rmse": "square"}
"""Which loss of a window makes up a metric."""


@dataclass(frozen=True)
class Standing:
    """How the model stands beside a simple method."""

    windows: float  # share of the windows on which the model is better; where both are the same, half of them
    series: int  # series, target by target, in which it is better
    of: int  # how many series, target by target, were scored
    p: float  # of no difference; NaN where there is too little to tell
    test: str  # which test gave it


class Contest:
    """Sums of differences of losses, so that any number of windows takes the same memory.

    There are so many `rows`, series target by target, and `metric` is the one by which the verdict goes.
    """

    def __init__(self, panel: Panel, windows: Windows, horizon: int, *, rows: int, targets: int, metric: str) -> None:
        self._panel, self._targets, self._loss = panel, targets, LOSS[metric]
        used = np.flatnonzero(windows.counts)
        first = panel.ticks(used, windows.first[used])
        every = panel.axis.step * windows.stride
        last = first + (windows.counts[used] - 1) * every
        moments = (int(last.max()) - int(first.min())) // every + 1
        together = -(-moments // _MOMENTS)
        self._begin, self._every = int(first.min()), every * together
        self._origins = -(-int(windows.counts.max()) // together)
        self._overlap = -(-horizon // (windows.stride * together))
        self._values = np.zeros(-(-moments // together)), np.zeros(rows)
        self._differences: dict[str, tuple[Float64[np.ndarray, " moments"], Float64[np.ndarray, " rows"]]] = {}
        self._better: dict[str, float] = {}
        self._windows = 0

    def add(self, series: Numbers, origins: Numbers, row: Numbers, losses: dict[str, WindowLosses]) -> None:
        """Add the losses of a batch of windows by method, `model` among them.

        `row` is the series and target of each, as training numbered them.
        """
        places = ((self._panel.ticks(series, origins) - self._begin) // self._every, row)
        of_model = getattr(losses["model"], self._loss)
        told = np.isfinite(of_model)
        scored = np.where(told, losses["model"].scored, 0)
        for into, place in zip(self._values, places, strict=True):
            into += np.bincount(place, scored, minlength=len(into))
        self._windows += int((scored > 0).sum())
        for name, lost in losses.items():
            if name == "model":
                continue
            difference = np.where(told, of_model - getattr(lost, self._loss), 0)
            sums = self._differences.setdefault(name, tuple(np.zeros(len(into)) for into in self._values))  # type: ignore[arg-type]
            for into, place in zip(sums, places, strict=True):
                into += np.bincount(place, difference, minlength=len(into))
            better = (difference < 0) + 0.5 * (difference == 0)
            self._better[name] = self._better.get(name, 0.0) + float(better[scored > 0].sum())

    def standing(self, name: str) -> Standing:
        """How the model stands beside this method."""
        by_moment, by_row = self._differences[name]
        told = self._values[1] > 0
        p, test = self._noise(by_moment, by_row)
        windows = self._better[name] / self._windows if self._windows else float("nan")
        return Standing(windows, int((by_row[told] < 0).sum()), int(told.sum()), p, test)

    def _noise(
        self, by_moment: Float64[np.ndarray, " moments"], by_row: Float64[np.ndarray, " rows"]
    ) -> tuple[float, str]:
        """Over time, for series move together; over the series where the time is too short; else nothing is told."""
        over_series, values = (rows.reshape(-1, self._targets).sum(1) for rows in (by_row, self._values[1]))
        series = int((values > 0).sum())
        enough = degrees_of_freedom(self._origins, self._overlap) >= _APART
        if not enough and series >= _SERIES:
            return clustered(over_series, values), f"a t-test over {series:,} series"
        if self._origins < max(3, self._overlap):
            return float("nan"), "none: too few windows lie apart"
        p = diebold_mariano(by_moment, self._values[0], self._overlap, self._origins)
        return p, f"Diebold and Mariano's over {self._origins:,} origins, of which {self._overlap:,} overlap"
