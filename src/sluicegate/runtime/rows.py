"""Rows as they are pushed: mappings from the names of columns to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from sluicegate.errors import DataError

Row: TypeAlias = Mapping[str, Any]

LARGEST = 1e30
"""Values beyond this are refused, as `sluicegate.data.columns` does."""


def rows_of(x: Any, name: str = "what was pushed") -> list[Row]:
    """Take a mapping, or a sequence of them, as rows.

    Raises:
        DataError: it is something else.
    """
    if isinstance(x, Mapping):
        return [x]
    if isinstance(x, Sequence) and not isinstance(x, str | bytes) and all(isinstance(row, Mapping) for row in x):
        return list(x)
    raise DataError(
        f"{name} is {type(x).__name__}: expected a row, as a mapping from the names of its columns, or several as a "
        "list of these"
    )


def number_of(row: Row, column: str, place: str) -> float:
    """The number in a column of a row.

    Raises:
        DataError: there is none, or none that is finite.
    """
    if column not in row:
        raise DataError(f"there is no column {column!r} in {place}: it has {', '.join(map(str, row)) or 'none'}")
    value = row[column]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(
            f"column {column!r} holds {str(value)[:40]!r} ({type(value).__name__}) in {place}: expected a number"
        )
    if not abs(value) <= LARGEST:
        raise DataError(
            f"column {column!r} holds {value} in {place}: expected a finite number of at most {LARGEST:g} in size; "
            "fill it in before it is pushed, or leave that row out"
        )
    return float(value)


def numbers_of(rows: Sequence[Row], columns: Sequence[str], where: str) -> ndarray:
    """The numbers of some columns, doubles `[rows columns]`.

    Raises:
        DataError: one is missing or not finite.
    """
    return np.array(
        [[number_of(row, column, f"row {place} of {where}") for column in columns] for place, row in enumerate(rows)]
    ).reshape(len(rows), len(columns))


def key_of(row: Row, columns: Sequence[str], place: str) -> tuple[str | int, ...]:
    """What tells a row's series or recording apart; nothing where no column says so.

    Raises:
        DataError: it is no text and no whole number.
    """
    found: list[str | int] = []
    for name in columns:
        value = row.get(name)
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise DataError(
                f"column {name!r} holds {value!r} in {place}: expected a text or a whole number, which tells series "
                "apart"
            )
        found.append(value)
    return tuple(found)
