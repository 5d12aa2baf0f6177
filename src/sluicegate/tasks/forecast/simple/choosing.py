"""Which simple methods stand beside a model: those that the calendar, the values and the saved model suggest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from sluicegate.data import Windows, calendar_seasons, find_seasons
from sluicegate.tasks.forecast.batches import Numbers, PreparedWindows
from sluicegate.tasks.forecast.trained import Trained

from .calendar import CalendarAverage
from .history import Forecast, History, Method
from .intermittent import Rate, croston_sba, tsb
from .intervals import WithIntervals
from .linear import LinearMap
from .naive import RecentMean, SeasonalNaive, running_sums
from .statistical import Statistical

Forecasting: TypeAlias = Callable[[Numbers, Numbers], Forecast]
"""From the series of windows, and the rows at which their horizons begin, to mean and quantiles."""

_ALL_BUT_ZERO = 0.9  # the share of zeros from which the 90 % quantile of demand is 0
_LONGEST = 400  # steps of a season that is looked for in the values


@dataclass(frozen=True)
class Choice:
    """What suits a table, the same for all of its targets."""

    season: int  # the model's own
    others: tuple[int, ...]  # further seasons, in steps, that the calendar or the values suggest
    intermittent: bool  # half of the series or more are demand with many zeros between
    zeros: float  # the share of zeros that the middle one of these has; 0 where they are not intermittent
    series: int  # how many there are, target by target, whose errors can be scaled
    slow: tuple[str, ...]  # those of statsforecast that are asked for

    @property
    def metric(self) -> str:
        """The metric by which the verdict goes.

        Series of different sizes count alike when their errors are divided by their own change over a season; else the
        largest few would decide alone. Forecasting nothing but zero has the smallest absolute error where more than
        half of the values are 0, and the smallest quantile loss too where more than nine tenths are, since the 90 %
        quantile then is 0.
        """
        if self.intermittent:
            return "wql" if self.zeros < _ALL_BUT_ZERO else "rmse"
        return "mase" if self.series > 1 else "mae"

    def notes(self) -> tuple[str, ...]:
        """Why another metric than the absolute error decides."""
        decides = {"wql": "weighted quantile loss", "rmse": "root mean squared error"}.get(self.metric)
        if decides is None:
            return ()
        return (
            f"Demand is intermittent, {100 * self.zeros:.0f} % of the values 0: by absolute error a forecast of "
            f"nothing but zero does well, so the {decides} decides.",
        )

    def facts(self) -> dict[str, str]:
        """What each method does, for people."""
        naive = "the last value" if self.season == 1 else f"the value {self.season:,} steps ago, a season"
        methods = {"last value": "repeated", "history mean": "of all rows up to the forecast"}
        if self.season > 1:
            methods["season mean"] = f"of the last {self.season:,} steps"
        methods["seasonal naive"] = f"repeats {naive}"
        methods |= {f"seasonal naive {season}": f"repeats the value {season:,} steps ago" for season in self.others}
        methods["calendar average"] = (
            "harmonic regression on those of day, week, year or season that pay for their weights, with the last "
            "error fading"
        )
        methods["linear map"] = "from context to horizon in closed form: where training starts from"
        if self.intermittent:
            methods["croston sba"] = "Croston's method for intermittent demand, as corrected by Syntetos and Boylan"
            methods["tsb"] = "the method of Teunter, Syntetos and Babai for demand that may die out"
        return methods


def choose(trained: Trained, prepared: PreparedWindows, windows: Windows, slow: Sequence[str]) -> Choice:
    """What the calendar and the rows before the first windows suggest."""
    panel, targets = prepared.panel, trained.columns.targets
    histories = [History.before(windows, panel, target, trained.shape.horizon) for target in targets]
    lengths = histories[0].lengths
    known = int(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 0
    # Whole numbers have no calendar: what they suggest, the values must show.
    found = (
        find_seasons(panel, list(targets), histories[0].ends, min(_LONGEST, known // 3))
        if panel.axis.kind == "integer"
        else calendar_seasons(panel)
    )
    seasons = sorted({*found} - {trained.season})
    used = windows.counts > 0
    intermittent = np.concatenate([history.intermittent()[used] for history in histories])
    share = float(intermittent.mean())
    zeros = np.concatenate([history.zeros()[used] for history in histories])
    return Choice(
        trained.season,
        tuple(season for season in seasons if season + trained.shape.horizon <= known),
        share >= 0.5,
        float(np.median(zeros[intermittent])) if share >= 0.5 else 0.0,
        int((trained.naive_scale[prepared.ids[used]] > 0).sum()),
        tuple(slow),
    )


def simple_methods(
    trained: Trained, prepared: PreparedWindows, windows: Windows, target: int, choice: Choice
) -> dict[str, Forecasting]:
    """The methods by name, ready to forecast windows of one target.

    What they learn, they learn from the rows before the first window of each series; a forecast then goes on from the
    rows before its own.
    """
    name = trained.columns.targets[target]
    history = History.before(windows, prepared.panel, name, trained.shape.horizon)
    sums = running_sums(history)
    numbers: dict[str, Method] = {
        "last_value": SeasonalNaive(history, 1),
        "history_mean": RecentMean(history, sums, None),
    }
    if choice.season > 1:
        numbers["season_mean"] = RecentMean(history, sums, choice.season)
    numbers["seasonal_naive"] = SeasonalNaive(history, choice.season)
    for season in choice.others:
        numbers[f"seasonal_naive_{season}"] = SeasonalNaive(history, season)
    numbers["calendar_average"] = CalendarAverage(history, sorted({choice.season, *choice.others}))
    if trained.linear is not None:
        numbers["linear_map"] = LinearMap(trained, prepared, target, trained.linear)
    if choice.intermittent:
        numbers |= {"croston_sba": Rate(history, croston_sba), "tsb": Rate(history, tsb)}
    methods: dict[str, Forecasting] = {
        called: WithIntervals(method, history, trained.quantiles) for called, method in numbers.items()
    }
    statistical = partial(Statistical, season=choice.season, history=history, quantiles=trained.quantiles)
    return methods | {called: statistical(called) for called in choice.slow}
