"""The settings of the transcriber."""

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
    Strength,
    TaskConfig,
    Whole,
)

ARGUMENTS = (
    Argument(
        "data",
        "a table whose rows name recordings: .csv, .tsv, .parquet or .jsonl; or a folder of recordings with a text "
        "beside each, such as a.wav and a.txt",
        "data",
        required=True,
    ),
    Argument("audio", "the column of paths, relative to the table", usual="path", as_written=True),
    Argument("text", "the column of what is said; an empty text is silence", usual="text", as_written=True),
    Argument("group", "the column of what must validate together, such as speakers", as_written=True, validates=False),
    Argument("noise", "a folder of recordings of noise to mix in", "file", validates=False),
    Argument("rate", "Hz of recordings that are arrays in the column, and no paths", validates=False),
    Argument("validation", "a table or a folder to validate on", "data"),
)


class TranscriberConfig(TaskConfig):
    """Settings of a `Transcriber`; each has a default that follows the size of the training part or suits most."""

    cell: CellKnob = "gru"
    seed: Seed = 0
    streaming: Annotated[
        bool,
        Field(
            description="whether the layers read one way, so that the model has streams; both ways are a little better"
        ),
        Group.MODEL,
    ] = True
    subwords: Annotated[
        Annotated[Whole, Field(ge=0)] | None,
        Field(
            description="sub-words that are written; 0 writes characters, None does too where the texts have less than "
            "100,000 words, and else takes 500"
        ),
        Group.MODEL,
    ] = None
    hidden: Annotated[
        Positive | None,
        Field(
            description="units of each recurrent layer, in each direction; None is 128 where whole words are written, "
            "else 192 for less than three hours of recordings, and 256 for more"
        ),
        Group.MODEL,
    ] = None
    layers: Layers = 2
    dropout: Annotated[
        Share, Field(description="rate at which numbers between layers are dropped in training"), Group.TRAINING
    ] = 0.15
    versions: Annotated[
        Positive | None,
        Field(
            description="versions of each recording that are trained on, the first as it is, others faster or slower, "
            "louder or quieter, in noise or of narrow bands; None is 5, fewer for more than an hour, and 2 at least"
        ),
        Group.TRAINING,
    ] = None
    batch: Annotated[Positive, Field(description="recordings in an optimiser step"), Group.TRAINING] = 32
    learning_rate: LearningRate = 2e-3
    epochs: Annotated[
        Positive | None,
        Field(
            description="times that the recordings are gone through at most; None follows their length, from 40 to 200"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 10
    beam: Annotated[
        Annotated[Whole, Field(ge=1, le=100)],
        Field(description="hypotheses that the search follows side by side"),
        Group.MODEL,
    ] = 16
    language_weight: Annotated[
        Strength | None,
        Field(
            description="the power of the probabilities of words in search, those of the training texts; 0 is without, "
            "None is what tells the validation part best"
        ),
        Group.MODEL,
    ] = None

    @property
    def units(self) -> int:
        """Units of the recurrent layers of much data."""
        return self.hidden or UNITS


UNITS = 256
"""Of the recurrent layers, unless they are given, for much data."""
