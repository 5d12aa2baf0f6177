"""The settings of the text classifier."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sluicegate.tasks.arguments import DATA, Argument, Group
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

UNITS = 64
"""Units of the recurrent layer where there are many words, or many classes."""

EMBEDDING = 100
"""The embedding dimension unless it is given, or that of a file of vectors."""

ARGUMENTS = (
    DATA,
    Argument("text", "the column of texts", usual="text", as_written=True),
    Argument("label", "the column of classes", usual="label", as_written=True),
    Argument("groups", "the column of what must validate together", called="group", as_written=True, validates=False),
    Argument("vectors", "word vectors to start from: text of word2vec, GloVe or fastText", "file"),
    Argument("validation", "a table to validate on", "data"),
)


class TextClassifierConfig(TaskConfig):
    """Settings of a `TextClassifier`; each has a default that follows the size of the training part or suits most."""

    both_ways: ClassVar[bool] = True

    cell: CellKnob = "gru"
    seed: Seed = 0
    folds: Annotated[
        Annotated[Whole, Field(ge=1, le=20)] | None,
        Field(
            description="parts that the rows are cut into; as many networks are trained together, each validated on "
            "another part, and their mean is the model. 1 trains a single network and holds a tenth of the rows back, "
            "or 20,000 of very many; None takes 5, and 1 of more than 20,000 rows"
        ),
        Group.TRAINING,
    ] = None
    embedding: Annotated[
        Positive | None,
        Field(description="the embedding dimension; None is 100, or as many as the vectors have that are given"),
        Group.MODEL,
    ] = None
    hidden: Annotated[
        Positive | None,
        Field(
            description="units of the recurrent layer in each direction; None takes 128 up to 100,000 tokens, and 64 "
            "beyond or with many classes, where 128 would gain little and take twice as long"
        ),
        Group.MODEL,
    ] = None
    layers: Layers = 1
    dropout: Annotated[
        Share,
        Field(description="rate at which the embedding's dimensions and the pooled units are dropped in training"),
        Group.MODEL,
    ] = 0.5
    word_dropout: Annotated[
        Share,
        Field(description="rate at which whole words are dropped in training, beside `dropout`"),
        Group.TRAINING,
    ] = 0.0
    consistency: Annotated[
        Strength | None,
        Field(
            description="how much two readings of a text, each with its own dropout mask, are to agree in training "
            "(R-Drop, Wu et al. 2021), against how right they are; None is 1 up to 100,000 tokens, and 0 beyond or "
            "with many classes: a step that reads twice takes nearly twice the time"
        ),
        Group.TRAINING,
    ] = None
    smoothing: Smoothing = 0.0
    robust: Robust = 0.0
    balance: Annotated[
        Strength | None,
        Field(
            description="how far classes of unequal size are evened out: the strength of the logit adjustment (Menon "
            "et al. 2021); None is 0, or 1 where the largest class has twenty times the rows of the smallest"
        ),
        Group.TRAINING,
    ] = None
    blend: Annotated[
        bool | None,
        Field(
            description="average the model's probabilities with those of the better simple method, in the proportion "
            "that does best on the validation rows; None does so up to 1,000 rows, and where words are so long that "
            "character n-grams count, for there the simple methods are strong"
        ),
        Group.MODEL,
    ] = None
    words: Annotated[
        Positive, Field(description="whole words in the vocabulary at most, the most frequent ones"), Group.MODEL
    ] = 50_000
    lowercase: Annotated[
        bool,
        Field(
            description="whether words that differ in their capitals are the same word, beside which the network is "
            "told where the capitals were"
        ),
        Group.MODEL,
    ] = True
    batch: Annotated[
        Positive | None,
        Field(description="texts in an optimiser step; None takes 64 up to 100,000 rows and 256 beyond"),
        Group.TRAINING,
    ] = None
    learning_rate: LearningRate = 2e-3
    epochs: Annotated[
        Positive | None,
        Field(
            description="times that the training rows are gone through at most; None is 25 where `consistency` is "
            "above 0 and 15 where it is not, but 400 steps at least and 12,000 at most"
        ),
        Group.TRAINING,
    ] = None
    patience: Patience = 4

    @property
    def units(self) -> int:
        """Units of the recurrent layer, where None is asked for those of many words."""
        return self.hidden or UNITS

    @property
    def reads(self) -> int:
        """The embedding dimension."""
        return self.embedding or EMBEDDING
