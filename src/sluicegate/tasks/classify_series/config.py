"""The knobs of the series classifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sluicegate.tasks.knobs import Positive, Real, Whole
from sluicegate.types import Cell

Share = Annotated[Real, Field(ge=0, lt=1)]


class SeriesClassifierConfig(BaseModel):
    """Settings of a `SeriesClassifier`; each has a default that follows the recordings or suits most.

    Args:
        cell: `gru`, `lstm`, `rnn` or `mingru`.
        seed: the source of all chance in training; the same seed gives the same weights to the bit.
        folds: parts that the recordings are cut into; as many networks are trained together, each validated on another
            part, and their mean is the model. 1 trains a single network and holds a tenth of the recordings back; None
            takes 5 up to 2,000 recordings and 1 beyond, and never more than there are groups.
        window: steps read at a time; a longer recording is read in windows that overlap by half, which vote. None
            follows the lengths: whole recordings up to 400 steps.
        stride: steps that the convolution in front of the recurrent layer goes on by; None follows the window, so that
            the recurrent layer has 100 steps at most.
        hidden: units of the recurrent layer in each direction.
        layers: recurrent layers on top of one another.
        dropout: share of units that are left out in training.
        consistency: how much two readings of a recording, with other units left out in each, are to agree in training
            (R-Drop, Wu et al. 2021), against how right they are; None is 1 up to 2,000 recordings and 0 beyond.
        smoothing: the share of a label that is spread over all classes (Szegedy et al. 2016).
        robust: from 0, cross entropy, to 1, the mean absolute error: the exponent of the generalised cross entropy,
            under which wrong labels weigh less (Zhang & Sabuncu 2018).
        balance: how far classes of unequal size are evened out: the strength of the logit adjustment (Menon et al.
            2021); None is 0, or 1 where the largest class has twenty times the recordings of the smallest.
        blend: average the model's probabilities with those of the better simple method, in the proportion that does
            best on the validation recordings.
        batch: windows in an optimiser step.
        learning_rate: the highest learning rate of AdamW.
        steps: optimiser steps at most; None goes through the recordings 60 times, but takes 600 steps at least and
            12,000 at most.
        patience: looks at the validation recordings without a better one after which training stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: Cell = "gru"
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 0
    folds: Annotated[Whole, Field(ge=1, le=20)] | None = None
    window: Annotated[Whole, Field(ge=2)] | None = None
    stride: Positive | None = None
    hidden: Positive = 64
    layers: Positive = 1
    dropout: Share = 0.3
    consistency: Annotated[Real, Field(ge=0, allow_inf_nan=False)] | None = None
    smoothing: Share = 0.0
    robust: Annotated[Real, Field(ge=0, le=1)] = 0.0
    balance: Annotated[Real, Field(ge=0, allow_inf_nan=False)] | None = None
    blend: bool = False
    batch: Positive = 32
    learning_rate: Annotated[Real, Field(gt=0, allow_inf_nan=False)] = 2e-3
    steps: Positive | None = None
    patience: Positive = 5
