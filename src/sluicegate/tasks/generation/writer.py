"""What the tasks that write texts of texts share, above what they call them and how they measure them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.counted import left_out
from sluicegate.data.frames import like
from sluicegate.data.headings import Heading, asked_one
from sluicegate.data.parallel import read_lines
from sluicegate.data.text_files import is_text_file
from sluicegate.errors import ConfigError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import TrainedTask

from .config import WriterConfig
from .search import Beam
from .texts import Texts, given_texts, pairs_of
from .trained import TrainedWriter
from .training import Preparation

Config = TypeVar("Config", bound=WriterConfig)
Trained = TypeVar("Trained", bound=TrainedWriter)

SCHEMA: dict[str, Any] = {
    "row": pl.Int64,
    "alternative": pl.Int64,
    "text": pl.String,
    "score": pl.Float64,
    "confidence": pl.List(pl.Float64),
}
"""The columns of what was written."""


class Writer(TrainedTask[Config, Trained]):
    """A task that writes a text for each text."""

    @abstractmethod
    def _prepared(
        self, texts: Texts, held_back: Texts | None, columns: tuple[str, str], blank: int
    ) -> Preparation[Trained]:
        """The pairs made ready to train on."""

    @abstractmethod
    def _reported(self, texts: Texts, notes: Sequence[str]) -> Report:
        """The report on texts with references."""

    def open_file(self, path: Path, **asked: Any) -> tuple[Any, dict[str, Any]]:
        """A file as `predict` takes it, and `evaluate` if it is a table: plain text has a text in each line."""
        if is_text_file(path) and not asked.get("labelled"):
            return read_lines(path), {"origin": Source(path.name, first_line=1)}
        return super().open_file(path, **asked)

    def _fit(
        self,
        data: Any,
        columns: tuple[Heading, Heading],
        validation: Any,
        groups: Heading | None,
        *,
        checkpoint: str | Path | None,
        resume: bool,
        progress: bool | None,
        origin: Source | None,
        validation_origin: Source | None,
    ) -> None:
        origin = origin or Source()
        source, target, of_groups = (asked_one(data, name) for name in (*columns, groups))
        table = select(data, [source, target, *([] if of_groups is None else [of_groups])], origin)
        texts, blank = pairs_of(table, source, target, of_groups, origin)
        held_back = None
        if validation is not None:
            other = validation_origin or Source("the validation table")
            held_back, _ = pairs_of(select(validation, [source, target], other), source, target, None, other)
        prepared = self._prepared(texts, held_back, (source, target), blank)
        self._learn(prepared.run(), checkpoint=checkpoint, resume=resume, progress=progress)

    def _evaluate(self, data: Any, origin: Source | None) -> Report:
        columns, origin = self.trained.columns, origin or Source()
        texts, blank = pairs_of(select(data, list(columns), origin), *columns, None, origin)
        return self._evaluated(
            self._reported(texts, left_out(blank, "row", f"without a {columns[0]} or a {columns[1]}"))
        )

    def _written(self, data: Any, beam: Beam, alternatives: int, origin: Source | None) -> Any:
        """A frame of the kind that `data` is, with the best of what was written.

        Raises:
            ConfigError: there are not as many alternatives.
            DataError: the table cannot be used as it is, or a value of the sequence is no text.
        """
        trained = self.trained
        if not 1 <= alternatives <= beam.width:
            raise ConfigError(
                f"`alternatives` (={alternatives}) must be from 1 to the width of the beam, {beam.width}: train with a "
                "larger `beam`"
            )
        texts, backend = given_texts(data, trained.columns[0], origin or Source())
        rows = [
            {"row": row, "alternative": number, **one._asdict()}
            for row, found in enumerate(trained.write(texts, beam))
            for number, one in enumerate(found[:alternatives])
        ]
        return like(pl.DataFrame(rows, schema=SCHEMA), backend)
