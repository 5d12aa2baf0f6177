"""The classes that a classifier tells apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from jaxtyping import Int64

from sluicegate.data import Source
from sluicegate.data.names import LABELS, Name, in_words, matched, named, ordered
from sluicegate.errors import ConfigError, DataError

Label: TypeAlias = Name

MOST = 1000
"""More classes than these are refused: such a column is an identifier or a measurement."""


@dataclass(frozen=True)
class Labels:
    """The classes in their order, which gives each its number.

    Args:
        column: the column that they came from.
        classes: texts, whole numbers or truth values, ascending.
    """

    column: str
    classes: tuple[Label, ...]

    @classmethod
    def of(cls, column: pl.Series, source: Source) -> Labels:
        """The classes of a training table.

        Raises:
            DataError: there are fewer than two or more than `MOST`, a class has a single row, a row has none, or the
                values are no labels.
        """
        values = named(column, LABELS, source.row, source.name)
        counts = Counter(values.to_list())
        found = ordered(counts)
        if len(found) < 2:
            raise DataError(
                f"label column {column.name!r} in {source.name} holds the single class {found[0]!r}: a classifier "
                "needs two at least; add rows of another class"
            )
        if len(found) > MOST:
            raise DataError(
                f"label column {column.name!r} in {source.name} holds {len(found):,} classes: expected at most "
                f"{MOST:,}; name the column of labels, not of identifiers or measurements"
            )
        single = [label for label in found if counts[label] == 1]
        if single:
            where = source.row(int((values == single[0]).arg_true()[0]))
            which = f"class {str(single[0])!r} has one row"
            if len(single) > 1:
                which = f"class {str(single[0])!r} and {len(single) - 1} more have one row each, the first"
            raise DataError(
                f"{which} in {where}: expected two at least, to train and to validate "
                "on; add rows or leave the class out"
            )
        return cls(column.name, tuple(found))

    def numbers(self, column: pl.Series, source: Source) -> Int64[np.ndarray, " rows"]:
        """The number of each row's class.

        Raises:
            DataError: a row has a class that is not among these, or none.
        """
        values = named(column, LABELS, source.row, source.name).to_list()
        found = list(dict.fromkeys(values))
        places = matched(found, self.classes, f"label column {column.name!r} in {source.name}")
        known = dict(zip(found, places, strict=True))
        numbers = np.array([known[value] for value in values], dtype=np.int64)
        if (numbers < 0).any():
            row = int((numbers < 0).argmax())
            raise DataError(
                f"{source.row(row)} has the class {in_words(values[row], self.classes)} ({int((numbers < 0).sum())} "
                f"such rows in all), which training did not have (it knows {listed(self.classes)}): leave these rows "
                "out, or train again"
            )
        return numbers

    def number(self, label: Label) -> int:
        """The number of a class.

        Raises:
            ConfigError: there is no such class.
        """
        given = label.item() if isinstance(label, np.generic) else label
        place = matched([given], self.classes, "`label`")[0]
        if place < 0:
            raise ConfigError(f"`label` (={label!r}) must be one of {listed(self.classes)}")
        return place


def listed(values: Sequence[Any], most: int = 10) -> str:
    """A few of the values, for a message."""
    shown = ", ".join(str(value) for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
