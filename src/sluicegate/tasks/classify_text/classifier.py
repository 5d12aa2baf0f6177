"""The text classifier: from labelled texts to probabilities that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.frames import backend_of, like
from sluicegate.data.headings import Heading, asked_one
from sluicegate.data.sequences import texts_in
from sluicegate.data.vectors import VectorFile
from sluicegate.data.words import clean
from sluicegate.errors import DataError
from sluicegate.tasks.classification.classifier import Classifier
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.labels import Label, Labels
from sluicegate.tasks.classification.predictions import predictions
from sluicegate.tasks.report import Report

from .card import text_card
from .config import ARGUMENTS, TextClassifierConfig
from .examples import Examples
from .explaining import explain
from .report import report, told
from .trained import AT_ONCE, Trained
from .training import TextPreparation


class TextClassifier(Classifier[TextClassifierConfig, Trained]):
    """Tell classes of texts apart: sentiment, topics, kinds of questions, in any language.

    Several networks read the words with a bidirectional recurrent layer, pooled by attention and maximum, beside a
    linear path over words and pairs of words and, of small tables, convolutions over neighbouring words; each is
    trained on another part of the rows, and their mean is calibrated on the rows that they did not see. Every
    evaluation sets it beside the majority class, TF-IDF with logistic regression, and NB-SVM.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        folds: networks, each validated on another part of the rows; None follows the rows.
        blend: average the probabilities with those of the better simple method; None does so up to 1,000 rows, and
            where words are long.
        settings: further ones, listed at `TextClassifierConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.

    >>> import polars as pl
    >>> words = {"good": ["fine", "lovely", "great"], "bad": ["awful", "dull", "poor"]}
    >>> rows = [(f"a {word} film no {n}", label) for n in range(20) for label in words for word in words[label]]
    >>> table = pl.DataFrame(rows, schema=["text", "label"], orient="row")
    >>> classifier = TextClassifier(epochs=6, folds=2).fit(table, text="text", label="label")
    >>> classifier.predict(["what a lovely film"])["label"].to_list()
    ['good']
    """

    name: ClassVar[str] = "classify-text"
    arguments = ARGUMENTS
    rows_at_once = AT_ONCE
    trained_as = Trained
    rows_called = "rows"
    estimator = "TextEstimator"

    def __init__(
        self, *, cell: str = "gru", seed: int = 0, folds: int | None = None, blend: bool | None = None, **settings: Any
    ) -> None:
        super().__init__(cell=cell, seed=seed, folds=folds, blend=blend, **settings)

    def fit(
        self,
        data: Any,
        *,
        text: Heading = "text",
        label: Heading = "label",
        validation: Any = None,
        groups: Heading | None = None,
        vectors: str | Path | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> TextClassifier:
        """Train on labelled texts.

        Args:
            data: a pandas or polars data frame or an Arrow table, a row for each text.
            text: the column of texts; one that is missing counts as blank.
            label: the column of classes: texts, whole numbers or truth values.
            validation: rows to validate on, a table as `data`; None holds rows back, see `folds`.
            groups: a column of what must not be torn apart, such as authors: all rows of a group validate together,
                those without a value as one more. Equal texts do so by themselves.
            vectors: a text file of word vectors, of word2vec, GloVe or fastText, gzip'd or not, that words start from;
                `embedding` follows it. Words that it lacks start from their neighbours in the training texts.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The classifier itself, with the report on the validation rows in `report`.

        Raises:
            DataError: the table or the file of vectors cannot be used as it is; the message says where and what to do.
            ConfigError: `embedding` is another number than the vectors', or the checkpoint is of another run.
        """
        origin = origin or Source()
        self._require_no_folds(validation)
        column, of_classes, of_groups = (asked_one(data, name) for name in (text, label, groups))
        table = select(data, [column, of_classes, *([] if of_groups is None else [of_groups])], origin)
        if not len(table):
            raise DataError(f"{origin.name} holds no rows: give labelled texts")
        labels = Labels.of(table[of_classes], origin)
        examples = _examples(table, column, labels, of_groups, origin)
        held_back = None
        if validation is not None:
            other = validation_origin or Source("the validation table")
            held_back = _examples(select(validation, [column, of_classes], other), column, labels, None, other)
            if not len(held_back.truth):
                raise DataError(f"{other.name} holds no rows: give labelled texts, or leave `validation` out")
        file = None if vectors is None else VectorFile(vectors)
        run = TextPreparation(examples, held_back, column, labels, self.config, file).run(progress)
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(
        self,
        data: Any,
        *,
        groups: Heading | None = None,
        origin: Source | None = None,
    ) -> Report:
        """Classify labelled texts and compare with their labels, beside simple methods.

        Args:
            data: a table with the columns that `fit` was given.
            groups: a column by whose values accuracy is shown.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is, or has a class that training did not have.
        """
        trained, origin = self.trained, origin or Source()
        of_groups = asked_one(data, groups)
        wanted = [trained.text, trained.labels.column, *([] if of_groups is None else [of_groups])]
        table = select(data, wanted, origin)
        if not len(table):
            raise DataError(f"{origin.name} holds no rows: give labelled texts")
        examples = _examples(table, trained.text, trained.labels, of_groups, origin, trained=True)
        notes = told(examples, trained.new_words(examples.texts))
        validation = Validation(examples, trained.compared(examples.texts), *notes)
        return self._evaluated(report(trained, validation, "evaluation"))

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """Classify texts.

        Args:
            data: a table with the column of texts that `fit` was given, or a sequence of texts: a list, a NumPy array,
                a pandas or polars Series, an Arrow array. A missing text counts as blank.
            origin: what the table is called in messages.

        Returns:
            A frame of the kind that `data` is, polars for a list and a NumPy array, with a row for each text: `label`,
            its `probability`, and for each class `probability_` and its name. A blank text has a prediction too.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is, or a value of the sequence is no text.
        """
        trained = self.trained
        texts, backend = _texts(data, trained.text, origin or Source())
        predicted = trained.probabilities(texts)
        return like(pl.DataFrame(predictions(trained.labels, trained.decision, predicted)), backend)

    def explain(self, text: str, label: Label | None = None) -> pl.DataFrame:
        """Tell what each token of a text contributed to the decision.

        Args:
            text: the text.
            label: the class that is explained; None takes the predicted one.

        Returns:
            A row for each token: `token`, `begin` and `end` in the text, and `share`: above 0 it spoke for the class,
            below 0 against it; their sizes sum to 1.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: there is no such class.
        """
        trained = self.trained
        number = None if label is None else trained.labels.number(label)
        text = clean(text)
        found = explain(trained, text, number)
        return pl.DataFrame(
            {
                "token": [text[begin:end] for begin, end in found.spans],
                "begin": [begin for begin, _ in found.spans],
                "end": [end for _, end in found.spans],
                "share": found.shares,
            },
            schema={"token": pl.String, "begin": pl.Int64, "end": pl.Int64, "share": pl.Float64},
        )

    def _roles(self) -> dict[str, Any]:
        trained = self.trained
        return {"text": trained.text, "label": trained.labels.column}

    def _card(self, trained: Trained) -> str:
        return text_card(self.config, trained, self._results)


def _examples(
    table: pl.DataFrame, text: str, labels: Labels, groups: str | None, origin: Source, *, trained: bool = False
) -> Examples:
    truth = labels.numbers(table[labels.column], origin)
    names = None if groups is None else [name or "" for name in table[groups].cast(pl.String).to_list()]
    return Examples(_strings(table[text], origin, trained=trained), truth, names)


def _texts(data: Any, column: str, origin: Source) -> tuple[Sequence[str], Any]:
    """The texts of a table or a sequence, and what kind of frame the user works with."""
    if data is None:
        raise DataError("there are no texts to classify: give a table or a sequence of them")
    found = texts_in(data, "the sequence" if origin == Source() else origin.name)
    if found is not None:
        return found
    return _strings(select(data, [column], origin)[column], origin, trained=True), backend_of(data)


def _strings(column: pl.Series, origin: Source, *, trained: bool = False) -> list[str]:
    """A column of texts; numbers are taken as the texts that they were only where the column is known to hold texts."""
    dtype = column.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum) or dtype == pl.Null or (trained and dtype.is_integer()):
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        raise DataError(
            f"text column {column.name!r} in {origin.name} is of type {column.dtype}: expected texts; name another "
            "column or convert it"
        )
    return [text or "" for text in column.to_list()]
