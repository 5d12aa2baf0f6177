"""Open hours: the moments of a week that occur, such as business days, a shop's week or the bars of a trading day.

The moments are numbered 0, 1, 2, ... from the week of 1970-01-05 on. Holidays are numbers that are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from jaxtyping import Bool, Int64

DAY = 86_400_000_000
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first Monday of the epoch
MOST = 10_080
"""Moments in a week at most: one a minute."""

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGEST = 10  # open days in a row that are taken for holidays: China's new year has seven, a shop's leave two weeks
_SHARE = 10  # one open day in ten at most; China's exchanges close on one in fifteen


@dataclass(frozen=True)
class OpenHours:
    """The moments that occur.

    Args:
        opens: microseconds from Monday 0:00 to each moment of the week, ascending, 1 to `MOST` of them.
        closed: holidays: ranges `(begin, end)` of numbers, ascending and apart, counted as if there were none.

    >>> business = OpenHours(tuple(day * DAY for day in range(5)))
    >>> friday = business.numbers(np.array([MONDAY + 4 * DAY]))
    >>> ((business.moments(friday + 1) - MONDAY) // DAY).tolist()
    [7]
    """

    opens: tuple[int, ...]
    closed: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        opens = np.array(self.opens, np.int64)
        closed = np.array(self.closed, np.int64).reshape(-1)
        if not 0 < len(opens) <= MOST or opens[0] < 0 or opens[-1] >= WEEK or (np.diff(opens) <= 0).any():
            raise ValueError(f"open hours must be 1 to {MOST} ascending moments of a week")
        if (np.diff(closed) <= 0).any():
            raise ValueError("holidays must be ascending ranges that lie apart")

    @property
    def by_day(self) -> list[list[int]]:
        """The times of day, in microseconds, at which each weekday is open."""
        return [[time % DAY for time in self.opens if time // DAY == day] for day in range(7)]

    @property
    def even(self) -> bool:
        """Whether the moments go on evenly from week to week, as those of a clock do."""
        return len({*np.diff([*self.opens, self.opens[0] + WEEK]).tolist()}) == 1

    def counted(self, local: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The number of the last moment up to each local time, as if there were no holidays."""
        weeks, within = np.divmod(local - MONDAY, WEEK)
        count: Int64[np.ndarray, ...] = weeks * len(self.opens) + np.searchsorted(self.opens, within, side="right") - 1
        return count

    def timed(self, counts: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The local times of numbers that were counted without holidays."""
        weeks, within = np.divmod(counts, len(self.opens))
        times: Int64[np.ndarray, ...] = MONDAY + weeks * WEEK + np.array(self.opens)[within]
        return times

    def numbers(self, local: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The number of the last moment up to each local time, holidays passed over."""
        count = self.counted(local)
        if not self.closed:
            return count
        begins, ends, before = self._ranges()
        place = np.searchsorted(begins, count, side="right") - 1
        # Within a holiday: the last moment before it.
        into = np.minimum(count + 1, ends[place]) - begins[place]
        return count - np.where(place >= 0, before[place] + into, 0)

    def moments(self, numbers: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The local times of numbers."""
        if not self.closed:
            return self.timed(numbers)
        begins, ends, before = self._ranges()
        passed = np.searchsorted(begins - before, numbers, side="right")
        return self.timed(numbers + np.append(0, before + ends - begins)[passed])

    def _ranges(
        self,
    ) -> tuple[Int64[np.ndarray, " ranges"], Int64[np.ndarray, " ranges"], Int64[np.ndarray, " ranges"]]:
        """Where each holiday begins and ends, and how many moments those before it take."""
        begins, ends = np.array(self.closed, np.int64).T
        return begins, ends, np.append(0, np.cumsum(ends - begins)[:-1])

    def hold(self, local: Int64[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
        """Which of these local times occur."""
        occur: Bool[np.ndarray, " rows"] = self.moments(self.numbers(local)) == local
        return occur

    def without(self, days: Iterable[date]) -> OpenHours:
        """The same, closed on these days too."""
        starts = np.array(sorted({*days}), "datetime64[D]").astype("datetime64[us]").astype(np.int64)
        begins, ends = self.counted(starts - 1) + 1, self.counted(starts + DAY - 1) + 1
        counts = [np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)]
        return self._closing(np.concatenate([self._closed_counts(), *counts]))

    def fitted(self, rows: Int64[np.ndarray, " rows"], *, find: bool) -> OpenHours:
        """Open where there are rows and, with `find`, closed on the days between them that have none.

        A table with as many such days as no calendar has is one with gaps: they stay open. So do moments in the middle
        of a day.

        Args:
            rows: local times of rows, in any order.
            find: whether days without a row are holidays.
        """
        counts = np.unique(self.counted(rows))
        closed = np.setdiff1d(self._closed_counts(), counts)
        if find and len(counts):
            seen = np.union1d(counts, closed)
            after = np.flatnonzero(np.diff(seen) > 1)
            ranges = [(int(seen[i]) + 1, int(seen[i + 1])) for i in after if seen[i] >= counts[0]]
            ranges = [(begin, end) for begin, end in ranges if end <= counts[-1] and self._is_holiday(begin, end)]
            days = sum(self._days(begin, end) for begin, end in ranges)
            if days <= max(_LONGEST, self._days(int(counts[0]), int(counts[-1]) + 1) // _SHARE):
                closed = np.concatenate([closed, *(np.arange(begin, end) for begin, end in ranges)])
        return self._closing(closed)

    def days_closed(self, beside: OpenHours) -> list[date]:
        """The days with moments that are closed here and open in the other."""
        counts = np.setdiff1d(self._closed_counts(), beside._closed_counts())
        days = np.unique(self.timed(counts) // DAY)
        found: list[date] = days.astype("datetime64[D]").tolist()
        return found

    def describe(self) -> str:
        """In words: `Monday to Friday`, `every day from 09:00 to 17:00`."""
        times = [day for day in self.by_day if day]
        if any(day != times[0] for day in times):
            return f"{_days_in_words(self.by_day)} at {len(self.opens)} times in the week"
        first, last = (
            f"{time // 3_600_000_000:02}:{time // 60_000_000 % 60:02}" for time in (times[0][0], times[0][-1])
        )
        hours = f" from {first} to {last}" if len(times[0]) > 1 else f" at {first}" if times[0][0] else ""
        return _days_in_words(self.by_day) + hours

    def _days(self, begin: int, end: int) -> int:
        first, last = self.timed(np.array([begin, end - 1])) // DAY
        size = len(self.opens)
        days = sum(1 for day in self.by_day if day)
        return min(int(last - first) + 1, -(-(end - begin) * days // size))

    def _is_holiday(self, begin: int, end: int) -> bool:
        """Whole days, or a day's late begin or early end; but not too many."""
        before, first, last, after = self.timed(np.array([begin - 1, begin, end - 1, end])) // DAY
        return self._days(begin, end) <= _LONGEST and bool(before != first or last != after)

    def _closed_counts(self) -> Int64[np.ndarray, " counts"]:
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(begin, end) for begin, end in self.closed)])

    def _closing(self, counts: Int64[np.ndarray, " counts"]) -> OpenHours:
        parts = np.split(counts := np.unique(counts), np.flatnonzero(np.diff(counts) != 1) + 1)
        return replace(self, closed=tuple((int(part[0]), int(part[-1]) + 1) for part in parts if len(part)))


def _days_in_words(by_day: list[list[int]]) -> str:
    """`Monday to Friday`, `Sunday to Thursday`, `Monday and Thursday`, `every day`."""
    days = [day for day in range(7) if by_day[day]]
    if len(days) == 7:
        return "every day"
    starts = [day for day in days if (day - 1) % 7 not in days]
    if len(starts) == 1 and len(days) > 2:
        return f"{NAMES[starts[0]]} to {NAMES[(starts[0] + len(days) - 1) % 7]}"
    names = [NAMES[day] for day in days]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
