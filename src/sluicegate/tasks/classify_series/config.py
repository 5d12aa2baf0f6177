"""The settings of the series classifier."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from sluicegate.tasks.arguments import ARRAY, LENGTHS, Argument, Group
from sluicegate.tasks.classification.config import Robust, Smoothing
from sluicegate.tasks.config import (
    CellKnob,
    Layers,
    LearningRate,
    Patience,
    Positive,
    Seed,
    Share,
    Strength,
    TaskConfig,
    Whole,
)

ARGUMENTS = (
    Argument(
        "data", "recordings: a long table (.csv, .tsv, .parquet, .jsonl), a .ts or an .npz file", "data", required=True
    ),
    Argument("labels", "the column or array of classes", "either", called="label", usual="label", as_written=True),
    Argument(
        "series",
        "in a table, the column that tells recordings apart; given again, several do",
        several=True,
        as_written=True,
    ),
    Argument("time", "in a table, the column of times"),
    Argument("channels", "in a table, a channel; by default, all others", called="channel", several=True),
    Argument(
        "groups",
        "the column or array of what must validate together",
        "either",
        called="group",
        as_written=True,
        validates=False,
    ),
    ARRAY,
    LENGTHS,
    Argument("validation", "recordings to validate on", "data"),
)


class SeriesClassifierConfig(TaskConfig):
    """Settings of a `SeriesClassifier`; each has a default that follows the recordings or suits most."""

    both_ways: ClassVar[bool] = True

    cell: CellKnob = "gru"
    seed: Seed = 0
    folds: Annotated[
        Annotated[Whole, Field(ge=1, le=20)] | None,
        Field(
            description="parts that the recordings are cut into; as many networks are trained together, each validated "
            "on another part, and their mean is the model. 1 trains a single network and holds a tenth of the "
            "recordings back; None takes 5 up to 2,000 recordings and 1 beyond, and never more than there are groups"
        ),
        Group.TRAINING,
    ] = None
    window: Annotated[
        Annotated[Whole, Field(ge=2)] | None,
        Field(
            description="steps read at a time; a longer recording is read in windows that overlap by half, which vote. "
            "None follows the lengths: whole recordings up to 400 steps"
        ),
        Group.MODEL,
    ] = None
    stride: Annotated[
        Positive | None,
        Field(
            description="steps that the convolution in front of the recurrent layer goes on by; None follows the "
            "window, so that the recurrent layer has 100 steps at most"
        ),
        Group.MODEL,
    ] = None
    hidden: Annotated[Positive, Field(description="units of the recurrent layer in each direction"), Group.MODEL] = 64
    layers: Layers = 1
    dropout: Annotated[Share, Field(description="rate at which units are dropped in training"), Group.MODEL] = 0.3
    consistency: Annotated[
        Strength | None,
        Field(
            description="how much two readings of a recording, each with its own dropout mask, are to agree in "
            "training (R-Drop, Wu et al. 2021), against how right they are; None is 1 up to 2,000 recordings and 0 "
            "beyond"
        ),
        Group.TRAINING,
    ] = None
    smoothing: Smoothing = 0.0
    robust: Robust = 0.0
    balance: Annotated[
        Strength | None,
        Field(
            description="how far classes of unequal size are evened out: the strength of the logit adjustment (Menon "
            "et al. 2021); None is 0, or 1 where the largest class has twenty times the recordings of the smallest"
        ),
        Group.TRAINING,
    ] = None
    causal: Annotated[
        bool,
        Field(
            description="read one way and answer at every step, for streams; a recording is then read whole, whatever "
            "its length, and `window` says how far back an answer looks for the most part"
        ),
        Group.MODEL,
    ] = False
    blend: Annotated[
        bool,
        Field(
            description="average the model's probabilities with those of the better simple method, in the proportion "
            "that does best on the validation recordings"
        ),
        Group.MODEL,
    ] = False
    batch: Annotated[Positive, Field(description="windows in an optimiser step"), Group.TRAINING] = 32
    learning_rate: LearningRate = 2e-3
    steps: Annotated[
        Positive | None,
        Field(
            description="optimiser steps at most; None goes through the recordings 60 times, but takes 600 steps at "
            "least and 12,000 at most"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 5

    @field_validator("blend")
    @classmethod
    def _not_causal(cls, blend: bool, info: Any) -> bool:
        if blend and info.data.get("causal"):
            raise ValueError("must be False with `causal=True`: the simple methods need the whole recording")
        return blend
