"""Where the rows of a table go in a panel without gaps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from sluicegate.errors import DataError

from .columns import Source

MOST_FILLED = 100
"""How many times as long a table may grow by filling in rows: a mistyped year must not fill the memory."""


def require_dense(
    ticks: Int64[np.ndarray, " rows"],
    spans: Int64[np.ndarray, " series"],
    step: int,
    time: str,
    source: Source,
    *,
    ledger: bool,
) -> None:
    """Refuse a table that a wrong time would blow up.

    A ledger of many series with few rows each is dense where the times of all of them together are.
    """
    rows = len(ticks)
    if spans.sum() <= MOST_FILLED * rows:
        return
    if ledger and (int(ticks.max()) - int(ticks.min())) // step < MOST_FILLED * len(np.unique(ticks)):
        return
    raise DataError(
        f"time column {time!r} has gaps of {spans.sum() - rows:,} rows in all, where {source.name} has {rows:,}: look "
        "for a wrong time, or resample the table to a longer step"
    )


def grid_rows(
    ticks: Int64[np.ndarray, " rows"],
    bounds: Int64[np.ndarray, " bounds"],
    starts: Int64[np.ndarray, " series"],
    spans: Int64[np.ndarray, " series"],
    step: int,
) -> Int64[np.ndarray, " rows"] | None:
    """Where each row goes in a panel without gaps, or None where there are none."""
    lengths = np.diff(bounds)
    if (spans == lengths).all():
        return None
    begins = np.concatenate([[0], np.cumsum(spans)[:-1]])
    rows: Int64[np.ndarray, " rows"] = np.repeat(begins, lengths) + (ticks - np.repeat(starts, lengths)) // step
    return rows
