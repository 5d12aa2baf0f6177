"""The steps from row to row within each of many series that lie end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Int64

_CHUNK = 1 << 20  # rows looked at together, so that checks need little memory beside the table


def inside(bounds: Int64[np.ndarray, " bounds"]) -> Callable[[int, int], Bool[np.ndarray, " steps"]]:
    """Which of the differences `begin` to `begin + count` lie within one series."""

    def within(begin: int, count: int) -> Bool[np.ndarray, " steps"]:
        marked = np.ones(count, bool)
        low, high = np.searchsorted(bounds, [begin + 1, begin + count + 1])
        marked[bounds[low:high] - 1 - begin] = False
        return marked

    return within


def differences(ticks: Int64[np.ndarray, " rows"]) -> Iterator[tuple[int, Int64[np.ndarray, " steps"]]]:
    """The differences of neighbouring rows, a part at a time, each with the row that it begins at."""
    for begin in range(0, len(ticks) - 1, _CHUNK):
        yield begin, np.diff(ticks[begin : begin + _CHUNK + 1])


def usual_step(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"]) -> int:
    """The step most often seen in the first rows; at least 1, so that a fault is found where it stands."""
    within = inside(bounds)
    for begin, steps in differences(ticks):
        positive = steps[within(begin, len(steps)) & (steps > 0)]
        if len(positive):
            return most_common(positive)
    return 1


def common_step(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"]) -> tuple[int, bool]:
    """The shortest step, and whether it divides all others."""
    within = inside(bounds)
    steps = [part[within(begin, len(part)) & (part > 0)] for begin, part in differences(ticks)]
    shortest = min((int(part.min()) for part in steps if len(part)), default=1)
    return shortest, all(not (part % shortest).any() for part in steps)


def faults(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"], step: int) -> tuple[int, int]:
    """How many rows are off the grid of their series, and how many gaps there are."""
    within, off, gaps = inside(bounds), 0, 0
    for begin, steps in differences(ticks):
        wrong = within(begin, len(steps)) & (steps != step)
        faulty = wrong & ((steps <= 0) | (steps % step != 0))
        off, gaps = off + int(faulty.sum()), gaps + int((wrong & ~faulty).sum())
    return off, gaps


def most_common(values: Int64[np.ndarray, " rows"]) -> int:
    """The value most often seen."""
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])
