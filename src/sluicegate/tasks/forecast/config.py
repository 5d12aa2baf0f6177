"""The knobs of the forecaster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, field_validator

from sluicegate.data import Fill
from sluicegate.tasks.config import (
    CellKnob,
    Layers,
    LearningRate,
    Patience,
    Positive,
    Real,
    Seed,
    Share,
    TaskConfig,
    Whole,
)


def _days(value: Any) -> Any:
    """Days as users have them: dates, time stamps or text, in a list, an array, an index or a dictionary's keys."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        return value
    # To pydantic a number is a date too, so many seconds after 1970.
    return tuple(str(day)[:10] if isinstance(day, int | float | np.datetime64) else day for day in value)


Days = Annotated[tuple[date, ...], BeforeValidator(_days)]


class ForecasterConfig(TaskConfig):
    """Settings of a `Forecaster`; every one but the horizon has a default that does well on most tables."""

    horizon: Annotated[Positive, Field(description="steps to forecast, at least 1")]
    context: Annotated[
        Annotated[Whole, Field(ge=2)] | None,
        Field(
            description="steps that each forecast looks back on, at least 2; None takes what the season and the table "
            "allow"
        ),
    ] = None
    cell: CellKnob = "gru"
    seed: Seed = 0
    season: Annotated[
        Positive | None,
        Field(
            description="steps in a season; None finds it from the time stamps' step or, for whole numbers, in the "
            "values"
        ),
    ] = None
    segment: Annotated[
        Positive | None, Field(description="steps that the recurrent layer takes at a time; None follows the season")
    ] = None
    hidden: Annotated[Positive, Field(description="units of the recurrent layer")] = 128
    layers: Layers = 1
    dropout: Annotated[Share, Field(description="rate at which units are dropped in training, from 0 up to 1")] = 0.3
    quantiles: Annotated[
        tuple[Annotated[Real, Field(gt=0, lt=1)], ...],
        Field(
            description="what is forecast beside the mean, ascending; 0.1, 0.5 and 0.9 are always among them",
        ),
    ] = (0.1, 0.5, 0.9)
    batch: Annotated[Positive, Field(description="windows in an optimiser step")] = 256
    learning_rate: LearningRate = 2e-3
    steps: Annotated[
        Positive | None, Field(description="optimiser steps at most; None follows the number of windows")
    ] = None
    patience: Patience = 5
    fill: Annotated[
        Fill | None,
        Field(
            description="how missing values and rows are filled in: `forward` and `linear` guess, which is not scored; "
            "with `zero` no row means none, up to the table's last; None refuses them"
        ),
    ] = None
    holidays: Annotated[
        Days,
        Field(description="days on which there is nothing, for tables of business days, of days or of times of day"),
    ] = ()
    drop_short: Annotated[
        bool, Field(description="leave out series that are too short to train on, instead of refusing the table")
    ] = False

    @field_validator("quantiles")
    @classmethod
    def _with_the_usual_ones(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted({*values, 0.1, 0.5, 0.9}))
