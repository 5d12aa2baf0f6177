"""The knobs of the forecaster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from sluicegate.data import Fill
from sluicegate.tasks.knobs import Positive, Real, Whole
from sluicegate.types import Cell


def _days(value: Any) -> Any:
    """Days as users have them: dates, time stamps or text, in a list, an array, an index or a dictionary's keys."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        return value
    # To pydantic a number is a date too, so many seconds after 1970.
    return tuple(str(day)[:10] if isinstance(day, int | float | np.datetime64) else day for day in value)


Days = Annotated[tuple[date, ...], BeforeValidator(_days)]


class ForecasterConfig(BaseModel):
    """Settings of a `Forecaster`; every one but the horizon has a default that does well on most tables.

    Args:
        horizon: steps to forecast, at least 1.
        context: steps that each forecast looks back on, at least 2; None takes what the season and the table allow.
        cell: `gru`, `lstm`, `rnn` or `mingru`.
        seed: the source of all chance in training; the same seed gives the same weights to the bit.
        season: steps in a season; None finds it from the time stamps' step or, for whole numbers, in the values.
        segment: steps that the recurrent layer takes at a time; None follows the season.
        hidden: units of the recurrent layer.
        layers: recurrent layers on top of one another.
        dropout: share of units left out in training, from 0 up to 1.
        quantiles: what is forecast beside the mean, ascending; 0.1, 0.5 and 0.9 are always among them.
        batch: windows in an optimiser step.
        learning_rate: the highest learning rate of AdamW.
        steps: optimiser steps at most; None follows the number of windows.
        patience: looks at the validation part without a better one after which training stops.
        fill: how missing values and rows are filled in: `forward` and `linear` guess, which is not scored; with `zero`
            no row means none, up to the table's last; None refuses them.
        holidays: days on which there is nothing, for tables of business days, of days or of times of day.
        drop_short: leave out series that are too short to train on, instead of refusing the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon: Positive
    context: Annotated[Whole, Field(ge=2)] | None = None
    cell: Cell = "gru"
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 0
    season: Positive | None = None
    segment: Positive | None = None
    hidden: Positive = 128
    layers: Positive = 1
    dropout: Annotated[Real, Field(ge=0, lt=1)] = 0.3
    quantiles: tuple[Annotated[Real, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9)
    batch: Positive = 256
    learning_rate: Annotated[Real, Field(gt=0, allow_inf_nan=False)] = 2e-3
    steps: Positive | None = None
    patience: Positive = 5
    fill: Fill | None = None
    holidays: Days = ()
    drop_short: bool = False

    @field_validator("quantiles")
    @classmethod
    def _with_the_usual_ones(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted({*values, 0.1, 0.5, 0.9}))
