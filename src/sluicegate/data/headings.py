"""The names of columns as text: pandas names columns by whole numbers and, in several levels, by tuples, too."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from narwhals.stable.v2.dependencies import is_pandas_dataframe

from sluicegate.errors import DataError

from .names import quoted

Heading: TypeAlias = str | int | tuple[Any, ...]


def heading(name: Any) -> str:
    """The name of a column as text: `0` of 0, `('load', 'kW')` of that tuple, `day` of `("day", "")`."""
    if isinstance(name, tuple):
        parts = [part.item() if isinstance(part, np.generic) else part for part in name]
        while len(parts) > 1 and parts[-1] == "":
            parts.pop()
        return str(tuple(parts)) if len(parts) > 1 else str(parts[0])
    return str(name)


def headed(frame: Any, name: str = "the table") -> Any:
    """The frame with texts as names of its columns, which shares its values; any other object as it is.

    Args:
        frame: as users have it.
        name: what it is called in messages.

    Raises:
        DataError: two columns have the same name as text.
    """
    if not is_pandas_dataframe(frame) or all(isinstance(column, str) for column in frame.columns):
        return frame
    seen: dict[str, Any] = {}
    for column in frame.columns:
        text = heading(column)
        if text in seen:
            raise DataError(
                f"{name} has two columns that are called {text} as text, {quoted(seen[text])} and {quoted(column)}: "
                "rename one of them"
            )
        seen[text] = column
    view = frame.copy(deep=False)
    view.columns = list(seen)
    return view


def asked(frame: Any, names: Any) -> tuple[str, ...]:
    """The columns that were asked for, as text.

    Args:
        frame: as users have it.
        names: of one column or a sequence of such; a tuple is one where the frame has a column of that name.
    """
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        return (heading(names),)
    levels = frame.columns.nlevels if is_pandas_dataframe(frame) else 1
    if isinstance(names, tuple) and len(names) == levels > 1 and names in frame.columns:
        return (heading(names),)
    return tuple(heading(name) for name in names)


def asked_one(frame: Any, name: Any) -> Any:
    """The one column that was asked for, as text; None where none was."""
    return None if name is None else asked(frame, name)[0]
