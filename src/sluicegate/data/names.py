"""Values that name things, such as ids of series and classes: their types, and how those of two tables are matched.

A name is a text, a whole number or a truth value. Files disagree about which: `007` is a text in a CSV file and the
number 7 in the frame that pandas makes of it. A name of another type than in training is matched with the one that it
is written like:

    text and number        equal as whole numbers: '007', '7' and '7.0' are like 7
    text and truth value   'true', 'True' and 'TRUE' are like True

Where more than one can be meant nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from sluicegate.errors import DataError

Name: TypeAlias = str | int | bool

_WHOLE = re.compile(r"[+-]?\d{1,40}(\.0*)?")
_WORDS = {str: "text", int: "number", bool: "truth value"}


class Role(NamedTuple):
    """What a column of names is there for, as messages say it: what it is called and holds, and the remedy for none."""

    name: str
    holds: str
    expected: str
    remedy: str


SERIES = Role("series column", "ids", "text or whole numbers", "every row must say which series it belongs to")
LABELS = Role(
    "label column",
    "classes",
    "texts, whole numbers or truth values",
    "give each row a class, or leave such rows out",
)


def named(column: pl.Series, role: Role, where: Callable[[int], str], table: str | None = None) -> pl.Series:
    """A column of names as texts, whole numbers or truth values.

    Args:
        column: of a table.
        role: what it is there for.
        where: called with a row's position, names that row for a message.
        table: what the table is called in messages.

    Raises:
        DataError: a row has no name, or the column is of another type.
    """
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    missing = column.is_null()
    if column.dtype.is_float():
        missing |= column.is_nan()
    elif column.dtype == pl.String:
        missing |= column == ""
    here = f"{role.name} {column.name!r}"
    if missing.any():
        row, count = int(missing.arg_true()[0]), int(missing.sum())
        more = f" ({count} such rows in all)" if count > 1 else ""
        raise DataError(f"{here} is empty in {where(row)}{more}: {role.remedy}")
    if column.dtype.is_decimal() or (column.dtype.is_float() and role is LABELS):
        whole = column.cast(pl.Int64, strict=False)
        bad = whole.is_null() | (whole.cast(column.dtype, strict=False) != column)
        if bad.any():
            row = int(bad.arg_true()[0])
            raise DataError(
                f"{here} holds {column[row]} in {where(row)}: expected {role.holds}, not measurements; name the column "
                f"of {role.holds}, or convert it to text"
            )
        return whole
    if column.dtype.is_integer() and column.dtype != pl.Int64:
        whole = column.cast(pl.Int64, strict=False)
        return column if whole.null_count() else whole
    if not (column.dtype.is_integer() or column.dtype == pl.String or (column.dtype == pl.Boolean and role is LABELS)):
        of = here if table is None else f"{here} in {table}"
        raise DataError(f"{of} is of type {column.dtype}: expected {role.expected}; convert it to text")
    return column


def matched(found: Sequence[Any], known: Sequence[Any], what: str) -> list[int]:
    """The place among the known names of each name that was found, -1 where there is none.

    Args:
        found: names, each there once; tuples where several columns make a name.
        known: those of training, likewise.
        what: they are, for messages: `series column 'sku'`.

    Raises:
        DataError: a name of another type than those of training is like several of them, or several are like one.
    """
    if not known or not found or _kinds(found[0]) == _kinds(known[0]):
        places = {name: place for place, name in enumerate(known)}
        return [places.get(name, -1) for name in found]
    alike: dict[Hashable, list[int]] = {}
    for place, name in enumerate(known):
        alike.setdefault(_likeness(name), []).append(place)
    taken: dict[int, Any] = {}
    result = []
    for name in found:
        places_of = alike.get(_likeness(name), [])
        if len(places_of) > 1:
            raise DataError(
                f"{what} holds {quoted(name)}, which may be {quoted(known[places_of[0]])} or "
                f"{quoted(known[places_of[1]])} of training: give the column as text, written as in training"
            )
        for place in places_of:
            if place in taken:
                raise DataError(
                    f"{what} holds {quoted(taken[place])} and {quoted(name)}, which may both be {quoted(known[place])} "
                    "of training: write it in one way"
                )
            taken[place] = name
        result.append(places_of[0] if places_of else -1)
    return result


def ordered(names: Iterable[Name]) -> list[Name]:
    """Names in ascending order, texts that are all whole numbers as numbers: `2` before `10`."""
    names = list(names)
    if all(isinstance(name, str) and _WHOLE.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (int(str(name).partition(".")[0]), str(name)))
    return sorted(names)


def quoted(name: Any) -> str:
    """A name in words that tell a text from a number: the text '0', the number 0."""
    if isinstance(name, tuple):
        return "(" + ", ".join(map(quoted, name)) + ")"
    return f"the {_WORDS.get(type(name), 'value')} {name!r}"


def shown(name: Any) -> str:
    """A name for people; several columns' side by side."""
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def column_of(name: str, names: Sequence[Name]) -> pl.Series:
    """Names as a column; of texts where new ones of another type stand beside known ones."""
    alike = len(set(map(type, names))) <= 1
    return pl.Series(name, names if alike else list(map(str, names)))


def in_words(name: Any, known: Sequence[Any]) -> str:
    """A name that is not among the known ones, for a message: told apart from one that looks like it."""
    if known and _kinds(name) != _kinds(known[0]):
        return quoted(name)
    alike = next((other for other in known if _likeness(other) == _likeness(name)), None)
    return repr(name) if alike is None else f"{name!r} (not {alike!r})"


def _kinds(name: Any) -> tuple[type, ...]:
    return tuple(map(type, name)) if isinstance(name, tuple) else (type(name),)


def _likeness(name: Any) -> Hashable:
    """What names of different types have in common where they are written alike."""
    if isinstance(name, tuple):
        return tuple(map(_likeness, name))
    if isinstance(name, bool):
        return str(name).lower()
    if isinstance(name, str):
        if _WHOLE.fullmatch(name):
            return int(name.partition(".")[0])
        return name.lower() if name.lower() in ("true", "false") else name
    return int(name)
