"""The translator: from pairs of texts to translations that are measured beside a dictionary's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from sluicegate.data import Source
from sluicegate.data.counted import counted
from sluicegate.data.headings import Heading, heading
from sluicegate.data.parallel import read_parallel, two_files
from sluicegate.data.words import clean
from sluicegate.errors import DataError
from sluicegate.metrics.translation import require_sacrebleu
from sluicegate.tasks.generation.explaining import attention
from sluicegate.tasks.generation.search import Beam
from sluicegate.tasks.generation.texts import Texts
from sluicegate.tasks.generation.writer import Writer
from sluicegate.tasks.report import Report

from .card import translator_card
from .config import ARGUMENTS, TranslatorConfig
from .report import MEASURES, report
from .trained import Trained
from .training import TranslatorPreparation


class Translator(Writer[TranslatorConfig, Trained]):
    """Translate texts: learnt from pairs of them, in any two languages or ways of writing.

    A bidirectional recurrent encoder reads sub-words, and a conditional recurrent decoder with additive attention
    writes them, and copies what is the same in both languages; search is by beam. Every evaluation sets it beside a
    word-by-word dictionary that is found in the same pairs.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
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
            data: a pandas or polars data frame or an Arrow table, a row for each pair; or the paths of two text files,
                gzip'd or not, such as `("train.de", "train.en")`, whose lines are pairs. Pairs of which a text is
                missing or blank are left out.
            source: the column of texts that are translated.
            target: the column of their translations.
            validation: pairs to validate on, as `data`; None holds a twentieth of the pairs back, at most
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
        self._fit(
            _table(data, (source, target)),
            (source, target),
            _table(validation, (source, target)),
            groups,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
            origin=origin,
            validation_origin=validation_origin,
        )
        return self

    def evaluate(self, data: Any, *, origin: Source | None = None) -> Report:
        """Translate, and compare with translations by people, beside those of a dictionary.

        Args:
            data: a table with the columns that `fit` was given, or the paths of two text files.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is.
            MissingExtra: sacrebleu is not installed.
        """
        require_sacrebleu()
        return self._evaluate(_table(data, self.trained.columns), origin)

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
        return self._written(data, self._beam, alternatives, origin)

    @property
    def _beam(self) -> Beam:
        return Beam(self.config.beam, self.config.penalty)

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
            DataError: the text is blank, or longer than what is read at once.
        """
        trained, text = self.trained, clean(text)
        if not text.strip():
            raise DataError("`text` is blank: give one with words in it")
        (tokens,) = trained.subwords.encode([text])
        if len(trained.parts(tokens)) > 1:
            raise DataError(
                f"`text` has {counted(len(tokens), 'sub-word')}, and more than {trained.reads:,} are read "
                "sentence by sentence: give one of its sentences"
            )
        written = trained.write([text], self._beam)[0][0].text
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

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` and `evaluate` take it: a table, two text files, or, without translations, one."""
        if files := two_files(path):
            return read_parallel(*files, self.trained.columns), {"origin": Source(path.name, first_line=1)}
        return super().open_file(path, **asked)

    @classmethod
    def open_training_file(cls, path: Path, given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """A file as `fit` takes it: a table, or two text files."""
        files = two_files(path)
        if files is None:
            return super().open_training_file(path, given)
        columns = {name: value for name, value in given.items() if value is not None}
        names = (columns.get("source", "source"), columns.get("target", "target"))
        return read_parallel(*files, names), {"origin": Source(path.name, first_line=1), **columns}

    def _prepared(
        self, texts: Texts, held_back: Texts | None, columns: tuple[str, str], blank: int
    ) -> TranslatorPreparation:
        return TranslatorPreparation(texts, held_back, columns, self.config, blank)

    def _reported(self, texts: Texts, notes: Sequence[str]) -> Report:
        return report(self.trained, self.config, texts, "evaluation", notes)

    def _roles(self) -> dict[str, Any]:
        source, target = self.trained.columns
        return {"source": source, "target": target}

    def _card(self, trained: Trained) -> str:
        return translator_card(self.config, trained, self._results)


def _table(data: Any, columns: tuple[Heading, Heading]) -> Any:
    """Two text files as the table that their lines are; all else as it is."""
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(path, str | Path) for path in data):
        return read_parallel(*data, (heading(columns[0]), heading(columns[1])))
    return data
