"""A value for each recording, such as its class, from whatever the user keeps such values in."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from sluicegate.errors import DataError


def for_each(values: Any, argument: str, name: str, recordings: int) -> pl.Series | None:
    """Check what is given beside recordings in arrays.

    Args:
        values: a list, an array, or a series of any library; NaN, None and their like are missing values.
        argument: what they are called.
        name: the name of the series that is returned.
        recordings: how many there must be.

    Returns:
        The values in the types of Python, null where one is missing; None where `values` is.

    Raises:
        DataError: there are more or fewer, or they are of mixed types.
    """
    if values is None:
        return None
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise DataError(
            f"`{argument}` (={values!r}) names a column, which recordings in arrays do not have: give a sequence with "
            "a value for each"
        )
    if len(values) != recordings:
        raise DataError(
            f"there are {recordings:,} recordings and {len(values):,} {argument}: expected as many, one for each "
            "recording in its order"
        )
    listed = [_plain(value, argument, number) for number, value in enumerate(_listed(values))]
    kinds = {type(value) for value in listed if value is not None}
    if len(kinds) > 1:
        raise DataError(
            f"`{argument}` holds values of mixed types, {' and '.join(sorted(kind.__name__ for kind in kinds))}: make "
            "them all of one type"
        )
    return pl.Series(name, listed)


def _listed(values: Any) -> list[Any]:
    """A sequence, a series or an array of any library as a list."""
    try:
        return list(nw.from_native(values, series_only=True).to_list())
    except TypeError:
        flat = getattr(values, "ndim", 1) == 2 and values.shape[1] == 1  # a column of a data frame's `values`
        return list(values[:, 0] if flat else values)


def _plain(value: Any, argument: str, number: int) -> Any:
    """A value as Python's own types have it, None where it is missing."""
    value = value.as_py() if hasattr(value, "as_py") else value  # of Arrow
    if isinstance(value, np.ndarray) and value.ndim:
        raise DataError(
            f"`{argument}` holds an array of shape {value.shape} for recording {number}: expected one value for each, "
            f"such as `{argument}.argmax(axis=1)` where there is a column for each class"
        )
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise DataError(
                f"`{argument}` holds bytes that are not UTF-8 for recording {number}: decode them to texts"
            ) from None
    missing = value is None or type(value).__name__ in ("NAType", "NaTType") or value != value  # NaN is not itself
    return None if missing else value
