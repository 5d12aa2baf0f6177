"""Sources and targets as texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.frames import backend_of
from sluicegate.data.sequences import texts_in
from sluicegate.data.text_column import TextColumn, with_words
from sluicegate.data.words import clean
from sluicegate.errors import DataError

from .pairs import Rows


@dataclass(frozen=True)
class Texts:
    """Pairs of texts.

    Args:
        sources: what is read.
        targets: what is to be written.
        groups: what must not be torn apart, by its name, if anything.
    """

    sources: TextColumn
    targets: TextColumn
    groups: TextColumn | None = None

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.sources)

    def first(self, count: int) -> Texts:
        """So many of the pairs."""
        return self.take(np.arange(min(count, len(self))))

    def take(self, rows: Rows) -> Texts:
        """Some of the pairs."""
        groups = None if self.groups is None else self.groups.take(rows)
        return Texts(self.sources.take(rows), self.targets.take(rows), groups)


def texts_of(column: pl.Series, origin: Source) -> pl.Series:
    """A column of texts.

    Raises:
        DataError: it holds something else.
    """
    if isinstance(column.dtype, pl.Categorical | pl.Enum) or column.dtype == pl.Null:
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        raise DataError(
            f"column {column.name!r} in {origin.name} is of type {column.dtype}: expected texts; name another column "
            "or convert it"
        )
    return column


def pairs_of(table: pl.DataFrame, source: str, target: str, groups: str | None, origin: Source) -> tuple[Texts, int]:
    """The pairs of a table, without those of which a text is missing or blank, and how many these are.

    Raises:
        DataError: a column holds no texts, or no pair is whole.
    """
    columns = [texts_of(table[name], origin) for name in (source, target)]
    whole = with_words(columns[0]) & with_words(columns[1])
    if not whole.any():
        raise DataError(
            f"{origin.name} holds no pair of texts: expected a row at least with a text in both {source!r} and "
            f"{target!r}"
        )
    if groups is not None:
        columns.append(table[groups].cast(pl.String).fill_null(""))
    if not whole.all():
        columns = [column.filter(pl.Series(whole)) for column in columns]
    return Texts(*map(TextColumn, columns)), int((~whole).sum())


def given_texts(data: Any, column: str, origin: Source) -> tuple[list[str], Any]:
    """The texts of a table or a sequence, and what kind of frame the user works with; a missing one is blank.

    Raises:
        DataError: there are none, or it holds something else.
    """
    if data is None:
        raise DataError("there are no texts to read: give a table or a sequence of them")
    found = texts_in(data, "the sequence" if origin == Source() else origin.name)
    texts, backend = found or (texts_of(select(data, [column], origin)[column], origin).to_list(), backend_of(data))
    return [clean(text or "") for text in texts], backend
