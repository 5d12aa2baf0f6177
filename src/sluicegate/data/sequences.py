"""Texts in sequences as users have them: lists, NumPy arrays, pandas and polars Series, Arrow arrays."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Sequence, ValuesView
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from sluicegate.errors import DataError


def texts_in(data: Any, source: str) -> tuple[list[str], Any] | None:
    """The texts of a sequence and what kind of frame its user works with, or None where it is no sequence.

    A missing text, None or NaN, is blank.

    Args:
        data: perhaps a sequence.
        source: what it is called in messages.

    Raises:
        DataError: it is a single text, it has several columns, or a value is no text.
    """
    if isinstance(data, str | bytes | bytearray):
        raise DataError(f"expected a table or a sequence of texts, not a single {_kind(data)}: put it into a list")
    backend: Any = nw.Implementation.POLARS
    series = nw.from_native(data, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        values, backend = series.to_list(), series.implementation
    elif isinstance(data, np.ndarray):
        values = _column(data, source).tolist()
    elif hasattr(data, "to_pylist") and not hasattr(data, "columns"):
        values, backend = data.to_pylist(), nw.Implementation.PYARROW
    elif isinstance(data, Sequence | Iterator | KeysView | ValuesView | ItemsView):
        values = list(data)
    elif hasattr(data, "dtype") and hasattr(data, "tolist"):  # an index or an array of pandas
        values, backend = data.tolist(), nw.Implementation.PANDAS
    else:
        return None
    return [_text(value, place, source) for place, value in enumerate(values)], backend


def _column(data: np.ndarray, source: str) -> np.ndarray:
    if data.ndim != 1:
        raise DataError(
            f"{source} is an array of shape {data.shape}: expected one text after the other; give a single column, "
            "such as `data[:, 0]`"
            if data.ndim > 1
            else f"{source} is an array without an axis: expected one text after the other; put the text into a list"
        )
    return data


def _text(value: Any, place: int, source: str) -> str:
    if isinstance(value, str):
        return str(value)
    if value is None or type(value).__name__ == "NAType" or (isinstance(value, Real) and value != value):
        return ""
    remedy = "decode it by `.decode()`" if isinstance(value, bytes) else "convert it by `str`, or leave it out"
    raise DataError(f"text {place} of {source} is {_kind(value)}: expected texts in the sequence; {remedy}")


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else type(value).__name__
