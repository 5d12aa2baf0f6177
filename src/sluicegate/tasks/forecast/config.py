"""The settings of the forecaster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from sluicegate.tasks.arguments import DATA, Argument, Called, Group
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
from sluicegate.types import Fill


def _days(value: Any) -> Any:
    """Days as users have them: dates, time stamps or text, in a list, an array, an index or a dictionary's keys."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        return value
    # To pydantic a number is a date too, so many seconds after 1970. NumPy is not imported for its kind of days.
    return tuple(
        str(day)[:10] if isinstance(day, int | float) or type(day).__name__ == "datetime64" else day for day in value
    )


Days = Annotated[tuple[date, ...], BeforeValidator(_days)]

ARGUMENTS = (
    DATA,
    Argument("time", "the column of time stamps or whole numbers", required=True),
    Argument("target", "a column to forecast; may be given again", required=True, several=True),
    Argument("series", "the column that tells series apart; given again, several do", several=True, as_written=True),
    Argument("known", "a column known in advance; may be given again", several=True),
    Argument("past", "a column known up to now; may be given again", several=True),
    Argument("validation", "a table of the rows that follow, to validate on", "data"),
)


class ForecasterConfig(TaskConfig):
    """Settings of a `Forecaster`; every one but the horizon has a default that does well on most tables."""

    horizon: Annotated[Positive, Field(description="steps to forecast, at least 1"), Group.DATA]
    context: Annotated[
        Annotated[Whole, Field(ge=2)] | None,
        Field(
            description="steps that each forecast looks back on, at least 2; None takes what the season and the table "
            "allow"
        ),
        Group.DATA,
    ] = None
    cell: CellKnob = "gru"
    seed: Seed = 0
    season: Annotated[
        Positive | None,
        Field(
            description="steps in a season; None finds it from the time stamps' step or, for whole numbers, in the "
            "values"
        ),
        Group.DATA,
    ] = None
    segment: Annotated[
        Positive | None,
        Field(description="steps that the recurrent layer takes at a time; None follows the season"),
        Group.MODEL,
    ] = None
    hidden: Annotated[Positive, Field(description="units of the recurrent layer"), Group.MODEL] = 128
    layers: Layers = 1
    dropout: Annotated[
        Share, Field(description="rate at which units are dropped in training, from 0 up to 1"), Group.MODEL
    ] = 0.3
    quantiles: Annotated[
        tuple[Annotated[Real, Field(gt=0, lt=1)], ...],
        Field(description="what is forecast beside the mean, ascending; 0.1, 0.5 and 0.9 are always among them"),
        Group.MODEL,
        Called("quantile"),
    ] = (0.1, 0.5, 0.9)
    batch: Annotated[Positive, Field(description="windows in an optimiser step"), Group.TRAINING] = 256
    learning_rate: LearningRate = 2e-3
    steps: Annotated[
        Positive | None,
        Field(description="optimiser steps at most; None follows the number of windows"),
        Group.TRAINING,
    ] = None
    patience: Patience = 5
    fill: Annotated[
        Fill | None,
        Field(
            description="how missing values and rows are filled in: `forward` and `linear` guess, which is not scored; "
            "with `zero` no row means none, up to the table's last; None refuses them"
        ),
        Group.DATA,
    ] = None
    holidays: Annotated[
        Days,
        Field(description="days on which there is nothing, for tables of business days, of days or of times of day"),
        Group.DATA,
        Called("holiday"),
    ] = ()
    drop_short: Annotated[
        bool,
        Field(description="leave out series that are too short to train on, instead of refusing the table"),
        Group.DATA,
    ] = False

    @field_validator("quantiles")
    @classmethod
    def _with_the_usual_ones(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted({*values, 0.1, 0.5, 0.9}))
