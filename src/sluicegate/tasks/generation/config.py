"""The settings that the tasks have in common that write texts of texts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sluicegate.tasks.arguments import Group
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

UNITS, EMBEDDING = 256, 256
"""Of the recurrent layers in each direction, and of embedded sub-words, unless they are given."""


Members = Annotated[
    Annotated[Whole, Field(ge=1, le=16)],
    Field(
        description="networks that are trained beside one another and write together, by the mean of their "
        "probabilities: several take as many times as long and are better"
    ),
    Group.MODEL,
]


class WriterConfig(TaskConfig):
    """Settings of a task that writes; each has a default that follows the size of the training part or suits most."""

    both_ways: ClassVar[bool] = True

    cell: CellKnob = "gru"
    seed: Seed = 0
    members: Members = 1
    subwords: Annotated[
        Positive | None,
        Field(
            description="sub-words of the vocabulary, which sources and targets share, beside the 256 bytes that "
            "spell all others; None follows the number of words in the texts, 6,000 for 700,000"
        ),
        Group.MODEL,
    ] = None
    embedding: Annotated[
        Positive, Field(description="the embedding dimension, shared by sources, targets and the output"), Group.MODEL
    ] = EMBEDDING
    hidden: Annotated[
        Positive, Field(description="units of the recurrent layers, in each direction of the encoder"), Group.MODEL
    ] = UNITS
    layers: Layers = 2
    dropout: Annotated[
        Share,
        Field(
            description="rate at which numbers of embedded sub-words, of what the encoder read, of contexts and of the "
            "last layer are dropped in training"
        ),
        Group.TRAINING,
    ] = 0.3
    smoothing: Annotated[
        Share, Field(description="label smoothing: the share of all other sub-words in what is learnt"), Group.TRAINING
    ] = 0.1
    copies: Annotated[
        bool,
        Field(
            description="whether sub-words of the source can be copied (pointer-generator, See et al. 2017), as names "
            "are, and a translation keeps every number"
        ),
        Group.MODEL,
    ] = True
    batch: Annotated[Positive, Field(description="pairs in an optimiser step"), Group.TRAINING] = 64
    learning_rate: LearningRate = 2e-3
    epochs: Annotated[
        Positive | None,
        Field(
            description="times that the training pairs are gone through at most; None is 13, but 1,500 steps at least "
            "and 20,000 at most"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 4
    beam: Annotated[
        Annotated[Whole, Field(ge=1, le=100)],
        Field(description="hypotheses that the search follows side by side; 1 is greedy"),
        Group.MODEL,
    ] = 5
    penalty: Annotated[
        Annotated[Real, Field(ge=0, le=3)],
        Field(
            description="the power of a text's length that its log-probability is divided by in search: 0 prefers "
            "short texts, 1 takes the best mean of a sub-word"
        ),
        Group.MODEL,
    ] = 1.0
