"""The settings of the language model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluicegate.tasks.arguments import Argument, Group
from sluicegate.tasks.config import (
    CellKnob,
    Layers,
    LearningRate,
    Patience,
    Positive,
    Seed,
    Share,
    TaskConfig,
)
from sluicegate.tasks.generation.config import Members

ARGUMENTS = (
    Argument(
        "data",
        "a text, .txt or .tokens, gzip'd or not, whose lines follow one another; or a table with a text in each row: "
        ".csv, .tsv, .parquet or .jsonl",
        "data",
        required=True,
    ),
    Argument("text", "of a table, the column of texts", usual="text", as_written=True),
    Argument("validation", "texts to validate on", "data"),
)


class LanguageModelConfig(TaskConfig):
    """Settings of a `LanguageModel`; each has a default that suits most texts."""

    cell: CellKnob = "gru"
    seed: Seed = 0
    members: Members = 1
    subwords: Annotated[
        Positive | None,
        Field(
            description="sub-words of the vocabulary, beside the 256 bytes that spell all others; None takes the "
            "texts' own words where each occurs three times at least, else follows the number of words"
        ),
        Group.MODEL,
    ] = None
    embedding: Annotated[
        Positive, Field(description="the embedding dimension, shared by what is read and the output"), Group.MODEL
    ] = 256
    hidden: Annotated[Positive, Field(description="units of the recurrent layers"), Group.MODEL] = 512
    layers: Layers = 1
    dropout: Annotated[
        Share,
        Field(
            description="rate at which numbers of embedded tokens, between layers and of the last one are dropped in "
            "training, the same ones at every step of a piece"
        ),
        Group.TRAINING,
    ] = 0.2
    batch: Annotated[
        Positive, Field(description="streams of text side by side in an optimiser step"), Group.TRAINING
    ] = 64
    piece: Annotated[
        Positive,
        Field(description="tokens of each stream in a step, at whose beginning the gradient stops"),
        Group.TRAINING,
    ] = 35
    learning_rate: LearningRate = 3e-3
    epochs: Annotated[
        Positive | None,
        Field(
            description="times that the training texts are gone through at most; None is 9, but 1,000 steps at least "
            "and 20,000 at most"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 4
