"""The translator: from pairs of texts to translations that are measured beside a dictionary's."""

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
from sluicegate.data.words import clean
from sluicegate.errors import ConfigError, DataError
from sluicegate.metrics.translation import require_sacrebleu
from sluicegate.tasks.generation.explaining import attention
from sluicegate.tasks.generation.search import Beam
from sluicegate.tasks.generation.texts import pairs_of, texts_of
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .card import translator_card
from .config import ARGUMENTS, TranslatorConfig
from .report import MEASURES, report
from .trained import Trained
from .training import TranslatorPreparation


class Translator(TrainedTask[TranslatorConfig, Trained]):
    """Translate texts: learnt from pairs of them, in any two languages or ways of writing.

    A bidirectional recurrent encoder reads sub-words, and a conditional recurrent decoder with additive attention
    writes them, and copies what is the same in both languages; search is by beam. Every evaluation sets it beside a
    word-by-word dictionary that is found in the same pairs.

    Args:
        cell: `gru`, `lstm`, `rnn` or `mingru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        members: networks that are trained beside one another and write together.
        settings: further ones, listed at `TranslatorConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    name: ClassVar[str] = "translate"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES

    def __init__(self, *, cell: str = "gru", seed: int = 0, members: int = 1, **settings: Any) -> None:
        super().__init__(cell=cell, seed=seed, members=members, **settings)

    def fit(
        self,
        data: Any,
        *,
        source: Heading = "source",
        target: Heading = "target",
        validation: Any = None,
        groups: Heading | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> Translator:
        """Train on pairs of texts.

        Args:
            data: a pandas or polars data frame or an Arrow table, a row for each pair; pairs of which a text is missing
                or blank are left out.
            source: the column of texts that are translated.
            target: the column of their translations.
            validation: pairs to validate on, a table as `data`; None holds a twentieth of the pairs back, at most
                2,000, none of whose sources is among those to train on.
            groups: a column of what must not be torn apart, such as documents: all pairs of a group validate together.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The translator itself, with the report on the validation pairs in `report`.

        Raises:
            DataError: the table cannot be used as it is; the message says where and what to do.
            ConfigError: the checkpoint is of another run.
            MissingExtra: sacrebleu is not installed, by which translations are measured.
        """
        require_sacrebleu()
        origin = origin or Source()
        of_source, of_target, of_groups = (asked_one(data, name) for name in (source, target, groups))
        table = select(data, [of_source, of_target, *([] if of_groups is None else [of_groups])], origin)
        texts, left_out = pairs_of(table, of_source, of_target, of_groups, origin)
        held_back = None
        if validation is not None:
            other = validation_origin or Source("the validation table")
            held_back, _ = pairs_of(
                select(validation, [of_source, of_target], other), of_source, of_target, None, other
            )
        prepared = TranslatorPreparation(texts, held_back, (of_source, of_target), self.config, left_out)
        self._learn(prepared.run(), checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(self, data: Any, *, origin: Source | None = None) -> Report:
        """Translate, and compare with translations by people, beside those of a dictionary.

        Args:
            data: a table with the columns that `fit` was given.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is.
            MissingExtra: sacrebleu is not installed.
        """
        trained, origin = self.trained, origin or Source()
        require_sacrebleu()
        texts, left_out = pairs_of(select(data, list(trained.columns), origin), *trained.columns, None, origin)
        notes = [f"{left_out:,} rows without a source or a reference were left out."] if left_out else []
        return self._evaluated(report(trained, self.config, texts, "evaluation", notes))

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """Translate texts: `translate`, without alternatives."""
        return self.translate(data, origin=origin)

    def translate(self, data: Any, *, alternatives: int = 1, origin: Source | None = None) -> Any:
        """Translate texts.

        Args:
            data: a table with the column of sources that `fit` was given, or a sequence of texts: a list, a NumPy
                array, a pandas or polars Series, an Arrow array. A missing or blank text is translated by a blank one.
            alternatives: translations of each text, the most probable ones; from 1 to the width of the beam.
            origin: what the table is called in messages.

        Returns:
            A frame of the kind that `data` is, polars for a list and a NumPy array: `row`, the number of the text from
            0, `alternative`, from 0, `text`, `score`, the log-probability over a power of the length, by which
            alternatives are in order, and `confidence`, the probability of each word of `text`, those between spaces.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: there are not as many alternatives.
            DataError: the table cannot be used as it is, or a value of the sequence is no text.
        """
        trained = self.trained
        if not 1 <= alternatives <= self.config.beam:
            raise ConfigError(
                f"`alternatives` (={alternatives}) must be from 1 to the width of the beam, {self.config.beam}: train "
                "with a larger `beam`"
            )
        texts, backend = _texts(data, trained.columns[0], origin or Source())
        beam = Beam(self.config.beam, self.config.penalty)
        rows = [
            {"row": row, "alternative": number, **one._asdict()}
            for row, found in enumerate(trained.write(texts, beam))
            for number, one in enumerate(found[:alternatives])
        ]
        schema: dict[str, Any] = {
            "row": pl.Int64,
            "alternative": pl.Int64,
            "text": pl.String,
            "score": pl.Float64,
            "confidence": pl.List(pl.Float64),
        }
        return like(pl.DataFrame(rows, schema=schema), backend)

    def explain(self, text: str) -> pl.DataFrame:
        """Tell what the translator looked at: the attention, for each word that it writes.

        Args:
            text: to translate.

        Returns:
            A row for each word of the translation and each word of the text: `written`, `read`, their places from 0,
            `written_place` and `read_place`, and `weight`, which sums to 1 over the words that are read, the last of
            which is the text's end.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the text is blank.
        """
        trained, text = self.trained, clean(text)
        if not text.strip():
            raise DataError("`text` is blank: give one with words in it")
        written = trained.write([text], Beam(self.config.beam, self.config.penalty))[0][0].text
        rows = []
        if written.strip():
            found = attention(trained, text, written)
            rows = [
                {"written": w, "read": r, "written_place": i, "read_place": j, "weight": float(found.weights[i, j])}
                for i, w in enumerate(found.written)
                for j, r in enumerate(found.read)
            ]
        schema: dict[str, Any] = {
            "written": pl.String,
            "read": pl.String,
            "written_place": pl.Int64,
            "read_place": pl.Int64,
            "weight": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema)

    def _roles(self) -> dict[str, Any]:
        source, target = self.trained.columns
        return {"source": source, "target": target}

    def _card(self, trained: Trained) -> str:
        return translator_card(self.config, trained, self._results)


def _texts(data: Any, column: str, origin: Source) -> tuple[Sequence[str], Any]:
    """The texts of a table or a sequence, and what kind of frame the user works with."""
    if data is None:
        raise DataError("there are no texts to translate: give a table or a sequence of them")
    found = texts_in(data, "the sequence" if origin == Source() else origin.name)
    if found is not None:
        texts, backend = found
        return [clean(text) for text in texts], backend
    column_of = texts_of(select(data, [column], origin)[column], origin)
    return [clean(text or "") for text in column_of], backend_of(data)
