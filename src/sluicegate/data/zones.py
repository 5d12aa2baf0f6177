"""Local clocks: what time it is where, also on the days when clocks are changed.

Where clocks are set forward, an hour of local time does not exist: in Cairo 2024-04-26 begins at 01:00. Such a
time means the first moment after the gap, as pandas has it (`nonexistent="shift_forward"`). Where clocks are set
back, an hour occurs twice: such a time means the earlier one.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

from .serial import computed

_FARTHEST = 16 * 3_600_000_000  # no clock is farther from UTC


def to_local(instants: Int64[np.ndarray, " rows"], zone: str) -> Int64[np.ndarray, " rows"]:
    """Microseconds since 1970 by the clock of the zone."""
    column = pl.Series(instants).cast(pl.Datetime("us", zone))
    return computed(column, lambda times: times.dt.replace_time_zone(None)).cast(pl.Int64).to_numpy()


def to_instants(local: Int64[np.ndarray, " rows"], zone: str) -> Int64[np.ndarray, " rows"]:
    """Microseconds since 1970 in UTC, one for every local time, also for those that do not exist or occur twice."""
    found = _existing(local, zone)
    gone = found.is_null().to_numpy()
    instants: Int64[np.ndarray, " rows"] = computed(found, lambda times: times.fill_null(0)).to_numpy()
    if gone.any():
        instants = instants.copy()
        instants[gone] = _first_after(local[gone], zone)
    return instants


def stands_for(
    instants: Int64[np.ndarray, " rows"], local: Int64[np.ndarray, " rows"], zone: str
) -> Bool[np.ndarray, " rows"]:
    """Where an instant stands for a local time that does not exist: shifted out of the gap, forward or back.

    Of the midnight that Cairo leaves out, pandas makes 01:00 and polars 23:00 of the day before.
    """
    result = np.zeros(len(local), bool)
    gone = np.flatnonzero(_existing(local, zone).is_null().to_numpy())
    if len(gone):
        change = _first_after(local[gone], zone)
        gap = to_local(change, zone) - to_local(change - 1, zone)
        result[gone] = np.abs(instants[gone] - change) <= gap
    return result


def _existing(local: Int64[np.ndarray, " rows"], zone: str) -> pl.Series:
    return computed(
        pl.Series(local).cast(pl.Datetime("us")),
        lambda times: times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null"),
    ).cast(pl.Int64)


def _first_after(local: Int64[np.ndarray, " rows"], zone: str) -> Int64[np.ndarray, " rows"]:
    """The instant at which the clock jumps over each of these local times, by bisection."""
    low, high = local - _FARTHEST, local + _FARTHEST
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = to_local(middle, zone) >= local
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
