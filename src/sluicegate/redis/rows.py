"""Rows as Redis holds them into what a stream takes, and its answers into what Redis holds: JSON both ways."""

from __future__ import annotations

import json
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from sluicegate.data.as_json import as_rows, finite
from sluicegate.errors import DataError


def row_of(content: bytes | None) -> dict[str, Any]:
    """A row from its JSON.

    Raises:
        DataError: it is no object in JSON.
    """
    if content is None:
        raise DataError("the row has no field `row`: send one, an object in JSON with a value for each column")
    try:
        row = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the row is not JSON ({error}): send an object with a value for each column") from None
    if not isinstance(row, dict):
        raise DataError(f"the row is a {type(row).__name__}: send an object with a value for each column")
    return row


def answer_of(answer: Any) -> bytes:
    """An answer as JSON, in which what is not a finite number is `null`; a frame is `{"forecast": [row, ...]}`."""
    if not (answer is None or isinstance(answer, dict | list | str)):
        answer = {"forecast": as_rows(nw.from_native(answer, eager_only=True).to_polars())}
    return json.dumps(finite(answer), ensure_ascii=False, allow_nan=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    """A number or an array of NumPy's, or a time, as JSON can hold it."""
    if isinstance(value, np.generic | np.ndarray):
        return finite(value.tolist())
    return value.isoformat()
