"""Rows that came as JSON or in binary frames into a stream, and its answers as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy import ndarray

from sluicegate.data.as_json import as_rows, finite
from sluicegate.errors import DataError
from sluicegate.streaming.stream import Stream


def push_row(stream: Stream, row: Any, rate: int | None) -> Any:
    """Push a row that came as JSON, or the numbers of a binary frame.

    Args:
        stream: it is pushed.
        row: a mapping, whose list `future` is what is known in advance; a text; or samples, of which `rate` tells.
        rate: of the samples, in Hz, that such a stream hears; None where it hears none.

    Returns:
        The answer, as JSON can hold it.

    Raises:
        DataError: it is no row; the state is as it was.
        StreamError: the stream was finished.
    """
    if rate is not None:
        return plain(stream.push(_samples(row)))
    if isinstance(row, Mapping) and isinstance(row.get("future"), list):
        row = dict(row)
        future = row.pop("future")
        return plain(stream.push(row, future=future))  # type: ignore[call-arg]
    if not isinstance(row, Mapping | str):
        raise DataError(
            f"the row is a {type(row).__name__}: send an object with a value for each column, or a text where the "
            "model reads texts"
        )
    return plain(stream.push(row))


def plain(answer: Any) -> Any:
    """An answer as JSON can hold it."""
    if answer is None or isinstance(answer, dict | list | str):
        return finite(answer)
    return finite({"forecast": as_rows(nw.from_native(answer, eager_only=True).to_polars())})


def _samples(row: Any) -> ndarray:
    """Samples that came as a list of numbers, or as those of a binary frame."""
    if isinstance(row, Sequence) and not isinstance(row, str):
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in row):
            raise DataError("the row holds something else than finite numbers: send samples from -1 to 1")
        row = np.asarray(row, np.float32)
    if not isinstance(row, ndarray) or not np.isfinite(row).all():
        raise DataError("the row holds no samples: send a list of finite numbers from -1 to 1, or a binary frame")
    return row.astype(np.float32)
