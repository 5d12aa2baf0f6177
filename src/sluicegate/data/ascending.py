"""Times that ascend within each recording."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from jaxtyping import Int64

from sluicegate.errors import DataError

from .serial import computed
from .times import parse_time


def require_ascending(times: pl.Series, bounds: Int64[np.ndarray, " bounds"], where: Callable[[int], str]) -> None:
    """Refuse times that do not ascend within each recording.

    Args:
        times: a column; texts are read as numbers or time stamps where they are such.
        bounds: recording `i` is rows `bounds[i]` to `bounds[i + 1]`.
        where: called with a row's position, names that row for a message.

    Raises:
        DataError: a time is missing, or one does not come after the one before.
    """
    if times.null_count():
        raise DataError(
            f"time column {times.name!r} is empty in {where(int(times.is_null().arg_true()[0]))}: give each row a time"
        )
    order = _in_time(times, where)
    falling = np.zeros(len(times), dtype=bool)
    falling[1:] = (order.slice(1) <= order.head(max(0, len(order) - 1))).to_numpy()
    falling[bounds[:-1]] = False
    if falling.any():
        row = int(falling.argmax())
        if order.dtype == pl.String:  # by their letters, 31.01. would come after 01.02.
            raise DataError(
                f"time column {times.name!r} holds the text {times[row]!r} in {where(row)}, after {times[row - 1]!r}: "
                "expected times that ascend; give numbers, or time stamps with the year first, such as 2024-01-31 13:00"
            )
        raise DataError(
            f"time column {times.name!r} does not ascend in {where(row)}, where {times[row]} follows {times[row - 1]} "
            "of the same recording: sort the rows by recording and time, and remove those that are there twice"
        )


def _in_time(times: pl.Series, where: Callable[[int], str]) -> pl.Series:
    """Times as they follow one another; texts stay so that are neither numbers nor time stamps."""
    if isinstance(times.dtype, pl.Categorical | pl.Enum):
        times = times.cast(pl.String)
    if times.dtype != pl.String:
        return times
    numbers = computed(times, lambda text: text.str.strip_chars().cast(pl.Float64, strict=False))
    if not numbers.null_count():
        return numbers
    try:
        return parse_time(times, where)
    except DataError:
        return times
