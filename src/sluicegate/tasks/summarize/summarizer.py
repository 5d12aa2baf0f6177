"""The summarizer: learnt from texts and their summaries, and measured beside what is taken out of the texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from sluicegate.data import Source
from sluicegate.data.headings import Heading
from sluicegate.errors import ConfigError
from sluicegate.metrics.summaries import require_rouge
from sluicegate.tasks.generation.texts import Texts
from sluicegate.tasks.generation.writer import Writer
from sluicegate.tasks.report import Report

from .card import summarizer_card
from .config import ARGUMENTS, SummarizerConfig
from .report import MEASURES, report
from .trained import Trained
from .training import SummarizerPreparation


class Summarizer(Writer[SummarizerConfig, Trained]):
    """Say in a few words what texts are about: subject lines, headlines, descriptions.

    A bidirectional recurrent encoder reads sub-words, and a conditional recurrent decoder with additive attention
    writes others or copies these (pointer-generator, See et al. 2017); no three of them come twice. Every evaluation
    sets it beside the first sentence, the sentence that is most like the text, and key words.

    Args:
        cell: `gru`, `lstm`, `rnn`, `mingru` or `ligru`.
        seed: the random seed of training; the same seed gives the same weights to the bit.
        members: networks that are trained beside one another and write together.
        settings: further ones, listed at `SummarizerConfig`.

    Raises:
        ConfigError: a setting is unknown or out of its range.
    """

    name: ClassVar[str] = "summarize"
    arguments = ARGUMENTS
    trained_as = Trained
    measures = MEASURES

    def __init__(self, *, cell: str = "gru", seed: int = 0, members: int = 1, **settings: Any) -> None:
        super().__init__(cell=cell, seed=seed, members=members, **settings)

    def fit(
        self,
        data: Any,
        *,
        text: Heading = "text",
        summary: Heading = "summary",
        validation: Any = None,
        groups: Heading | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
    ) -> Summarizer:
        """Train on texts and their summaries.

        Args:
            data: a pandas or polars data frame or an Arrow table, a row for each text; rows of which the text or the
                summary is missing or blank are left out.
            text: the column of texts.
            summary: the column of their summaries.
            validation: rows to validate on, a table as `data`; None holds a twentieth of the rows back, at most 2,000,
                none of whose texts is among those to train on.
            groups: a column of what must not be torn apart, such as authors: all rows of a group validate together.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the table is called in messages.
            validation_origin: what the validation table is called in messages.

        Returns:
            The summarizer itself, with the report on the validation rows in `report`.

        Raises:
            DataError: the table cannot be used as it is; the message says where and what to do.
            ConfigError: the checkpoint is of another run.
            MissingExtra: rouge-score is not installed, by which summaries are measured.
        """
        require_rouge()
        self._fit(
            data,
            (text, summary),
            validation,
            groups,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
            origin=origin,
            validation_origin=validation_origin,
        )
        return self

    def evaluate(self, data: Any, *, origin: Source | None = None) -> Report:
        """Summarize, and compare with summaries by people, beside what is taken out of the texts.

        Args:
            data: a table with the columns that `fit` was given.
            origin: what the table is called in messages.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the table cannot be used as it is.
            MissingExtra: rouge-score is not installed.
        """
        require_rouge()
        return self._evaluate(data, origin)

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """Summarize texts: `summarize`, with summaries as long as they come."""
        return self.summarize(data, origin=origin)

    def summarize(
        self, data: Any, *, max_words: int | None = None, alternatives: int = 1, origin: Source | None = None
    ) -> Any:
        """Summarize texts.

        Args:
            data: a table with the column of texts that `fit` was given, or a sequence of texts: a list, a NumPy array,
                a pandas or polars Series, an Arrow array. Only a missing or blank text has a blank summary.
            max_words: words of a summary at most, from 1 up.
            alternatives: summaries of each text, the most probable ones; from 1 to the width of the beam.
            origin: what the table is called in messages.

        Returns:
            A frame of the kind that `data` is, polars for a list and a NumPy array: `row`, the number of the text from
            0, `alternative`, from 0, `text`, `score`, the log-probability over a power of the length, by which
            alternatives are in order, and `confidence`, the probability of each word of `text`, those between spaces.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: `max_words` or `alternatives` is out of its range.
            DataError: the table cannot be used as it is, or a value of the sequence is no text.
        """
        if max_words is not None and max_words < 1:
            raise ConfigError(f"`max_words` (={max_words}) must be at least 1, for no summary is empty")
        return self._written(data, self.trained.beam(self.config, max_words), alternatives, origin)

    def _prepared(
        self, texts: Texts, held_back: Texts | None, columns: tuple[str, str], blank: int
    ) -> SummarizerPreparation:
        return SummarizerPreparation(texts, held_back, columns, self.config, blank)

    def _reported(self, texts: Texts, notes: Sequence[str]) -> Report:
        return report(self.trained, self.config, texts, "evaluation", notes)

    def _roles(self) -> dict[str, Any]:
        text, summary = self.trained.columns
        return {"text": text, "summary": summary}

    def _card(self, trained: Trained) -> str:
        return summarizer_card(self.config, trained, self._results)
