"""Tables in which a row that is not there means 0, such as sales: how far each of their series goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int64

NEVER = int(np.iinfo(np.int64).max)

Since: TypeAlias = Callable[[Sequence[Any]], Int64[np.ndarray, " series"]]
"""From the names of series, the ticks since which they are known to have been there; `NEVER` for one that is new."""


def ledger_span(
    ticks: Int64[np.ndarray, " rows"],
    bounds: Int64[np.ndarray, " bounds"],
    step: int,
    last: int,
    since: Int64[np.ndarray, " series"],
) -> tuple[Int64[np.ndarray, " series"], Int64[np.ndarray, " series"]]:
    """The first and the last tick of each series.

    A series ends with the table: that it has no row any more says 0. It begins with its first row, for before it may
    not have been there; or with the table's, as far as it is known to have been there.

    Args:
        ticks: of the table's rows, series after series.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        step: ticks from one row to the next.
        last: the tick up to which the table tells of all its series.
        since: for each series, the tick since which it is known to have been there.
    """
    starts, ends = ticks[bounds[:-1]], ticks[bounds[1:] - 1]
    known = np.maximum(since, ticks.min())
    starts = starts - np.where(known < starts, (starts - known) // step, 0) * step
    return starts, np.maximum(ends, starts + (last - starts) // step * step)


def told_until(ticks: Int64[np.ndarray, " rows"], targets: Sequence[Float64[np.ndarray, " rows"]]) -> int:
    """The last tick at which any series has a target; the last of all where none has, or none is asked for."""
    told: Bool[np.ndarray, " rows"] = np.zeros(len(ticks), bool)
    for values in targets:
        told |= np.isfinite(values)
    return int(ticks[told].max() if told.any() else ticks.max())
