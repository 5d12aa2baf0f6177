"""The knobs of the text classifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sluicegate.tasks.knobs import Positive, Real, Whole
from sluicegate.types import Cell

Share = Annotated[Real, Field(ge=0, lt=1)]


class TextClassifierConfig(BaseModel):
    """Settings of a `TextClassifier`; each has a default that follows the size of the training part or suits most.

    Args:
        cell: `gru`, `lstm`, `rnn` or `mingru`.
        seed: the source of all chance in training; the same seed gives the same weights to the bit.
        folds: parts that the rows are cut into; as many networks are trained together, each validated on another part,
            and their mean is the model. 1 trains a single network and holds a tenth of the rows back, or 20,000 of
            very many; None takes 5, and 1 of more than 20,000 rows.
        embedding: numbers that a word is read as; None is 100, or as many as the vectors have that are given.
        hidden: units of the recurrent layer in each direction; None takes 128 up to 100,000 tokens, and 64 beyond or
            with many classes, where 128 would gain little and take twice as long.
        layers: recurrent layers on top of one another.
        dropout: share of the embedding's numbers and of the pooled units that are left out in training.
        word_dropout: share of the words that are left out in training, beside the numbers of all words.
        consistency: how much two readings of a text, with other units left out in each, are to agree in training
            (R-Drop, Wu et al. 2021), against how right they are; None is 1 up to 100,000 tokens, and 0 beyond or with
            many classes: a step that reads twice takes nearly twice the time.
        smoothing: the share of a label that is spread over all classes (Szegedy et al. 2016).
        robust: from 0, cross entropy, to 1, the mean absolute error: the exponent of the generalised cross entropy,
            under which wrong labels weigh less (Zhang & Sabuncu 2018).
        balance: how far classes of unequal size are evened out: the strength of the logit adjustment (Menon et al.
            2021); None is 0, or 1 where the largest class has twenty times the rows of the smallest.
        blend: average the model's probabilities with those of the better simple method, in the proportion that does
            best on the validation rows; None does so up to 1,000 rows, and where words are so long that runs of letters
            count, for there the simple methods are strong.
        words: whole words in the vocabulary at most, the most frequent ones.
        lowercase: whether words that differ in their capitals are the same word, beside which the network is told where
            the capitals were.
        batch: texts in an optimiser step; None takes 64 up to 100,000 rows and 256 beyond.
        learning_rate: the highest learning rate of AdamW.
        epochs: times that the training rows are gone through at most; None is 25 where `consistency` is above 0 and 15
            where it is not, but 400 steps at least and 12,000 at most.
        patience: looks at the validation rows without a better one after which training stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: Cell = "gru"
    seed: Annotated[Whole, Field(ge=0, lt=2**31)] = 0
    folds: Annotated[Whole, Field(ge=1, le=20)] | None = None
    embedding: Positive | None = None
    hidden: Positive | None = None
    layers: Positive = 1
    dropout: Share = 0.5
    word_dropout: Share = 0.0
    consistency: Annotated[Real, Field(ge=0, allow_inf_nan=False)] | None = None
    smoothing: Share = 0.0
    robust: Annotated[Real, Field(ge=0, le=1)] = 0.0
    balance: Annotated[Real, Field(ge=0, allow_inf_nan=False)] | None = None
    blend: bool | None = None
    words: Positive = 50_000
    lowercase: bool = True
    batch: Positive | None = None
    learning_rate: Annotated[Real, Field(gt=0, allow_inf_nan=False)] = 2e-3
    epochs: Positive | None = None
    patience: Positive = 4
