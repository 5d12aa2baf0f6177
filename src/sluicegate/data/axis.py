"""The time axis: where each row of a table stands, and the regular step between rows.

Time is kept as whole numbers ("ticks"), so that a step is exact and a position is a subtraction:

    kind        a tick is                        a step of 2 is        season found from the step
    integer     the number in the column         every second number   none (looked for in the values)
    clock       a microsecond                    two microseconds      a day of hours, a week of days, ...
    month       a month since January of year 0  every second month    a year of months or quarters
    open        a moment of open hours           every second of them  a week of days, or a day of bars

A table in a time zone with summer time keeps `clock` where its instants are regular, and `wall=True` where
the hands of the clock are (a row every midnight). Months and open hours always go by the hands of the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from sluicegate.errors import ConfigError, DataError
from sluicegate.runtime.forecast.calendar import waves

from .counted import counted
from .hours import DAY as DAY
from .hours import MONDAY as MONDAY
from .hours import WEEK as WEEK
from .hours import OpenHours
from .times import parse_time
from .zones import stands_for, to_instants, to_local

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
YEAR = int(365.2425 * DAY)
MONTHS_TO_1970 = 1970 * 12


@dataclass(frozen=True)
class TimeAxis:
    """A regular time axis.

    Args:
        kind: `integer`, `clock`, `month` or `open`; see the top of this file.
        step: ticks from one row to the next, at least 1.
        zone: the time zone's name, or None where stamps carry none.
        unit: what the column held: `int`, `date`, or a time stamp's resolution `ms`, `us` or `ns`.
        wall: the hands of the clock are regular, not the instants.
        anchor: for months, microseconds from the first of the month to the stamp; with `wall`, where in a step the
            rows stand by the local clock, counted from 1970 on.
        month_end: for months, the stamp is on the last day of its month.
        hours: the moments that occur; for months, those of which the stamp is the first or the last.
    """

    kind: Literal["integer", "clock", "month", "open"]
    step: int
    zone: str | None = None
    unit: str = "int"
    wall: bool = False
    anchor: int = 0
    month_end: bool = False
    hours: OpenHours | None = None

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> TimeAxis:
        """The axis that `dataclasses.asdict` and JSON made this of.

        Raises:
            TypeError: it is none.
            ValueError: likewise.
        """
        hours = saved.get("hours")
        if hours is not None:
            hours = OpenHours(tuple(hours["opens"]), tuple((begin, end) for begin, end in hours["closed"]))
        return cls(**{**saved, "hours": hours})

    @property
    def season(self) -> int | None:
        """Steps in the season that this step suggests, or None where it suggests none."""
        if self.kind == "month":
            return 12 // self.step if 12 % self.step == 0 and self.step < 12 else None
        if self.kind == "open":
            return self._open_season()
        if self.kind == "clock":
            for below, period in (
                (SECOND, SECOND),
                (MINUTE, HOUR),
                (DAY, DAY),
                (WEEK, WEEK),
                (31 * DAY, YEAR),
            ):
                if self.step < below:
                    return round(period / self.step)
        return None

    def _open_season(self) -> int | None:
        """The day of bars where all days have as many, else the week."""
        assert self.hours is not None
        bars = {len(day) for day in self.hours.by_day if day}
        size = bars.pop() if len(bars) == 1 else 1
        size = len(self.hours.opens) if size == 1 else size
        return size // self.step if size % self.step == 0 and self.step < size else None

    @property
    def spacing(self) -> float:
        """Microseconds from one row to the next, on the average; 0 for whole numbers."""
        if self.kind == "month":
            return self.step * (YEAR / 12)
        if self.kind == "open":
            assert self.hours is not None
            return self.step * WEEK / len(self.hours.opens)
        return float(self.step) if self.kind == "clock" else 0.0

    def describe_step(self) -> str:
        """The step in words: `1 hour`, `7 days`, `3 months`, `1 business day`."""
        if self.kind == "integer":
            return str(self.step)
        if self.kind == "month":
            return counted(self.step, "month")
        if self.kind == "open":
            assert self.hours is not None
            days = self.hours.by_day
            if max(len(day) for day in days) == 1:
                return counted(self.step, "business day" if all(days[:5]) and not any(days[5:]) else "open day")
            apart = np.diff([time for day in days for time in day if len(day) > 1])
            return _duration(self.step * int(np.median(apart))) + " of open hours"
        return _duration(self.step)

    @property
    def on_wall(self) -> bool:
        """Whether it is the hands of the local clock that go on evenly."""
        return self.wall or self.kind in ("month", "open")

    def ticks(self, column: pl.Series) -> Int64[np.ndarray, " rows"]:
        """The ticks of a column that `parse_time` returned; rows in this order, series after series."""
        if self.kind == "integer":
            return column.cast(pl.Int64).to_numpy()
        us = microseconds(column)
        if not self.on_wall:
            return us
        return self.numbered(us if self.zone is None else self.unshifted(us, self.anchor))

    def numbered(self, local: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The ticks of local times, in microseconds since 1970, on an axis `on_wall`."""
        if self.kind == "open":
            assert self.hours is not None
            return self.hours.numbers(local)
        if self.kind != "month":
            return local
        months: Int64[np.ndarray, ...] = local.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        return months + MONTHS_TO_1970

    def unshifted(
        self, instants: Int64[np.ndarray, " rows"], phase: int | Int64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """The local times of instants, on an axis `on_wall` in a zone.

        Where an instant stands for a time of the axis that the local clock leaves out, it is that time.

        Args:
            instants: microseconds since 1970 in UTC.
            phase: where in a step the rows of a clock stand.
        """
        assert self.zone is not None
        local = to_local(instants, self.zone)
        if self.kind != "clock":
            number = self.numbered(local)
            near = [self.naive(number), self.naive(number + 1)]
        else:
            before = local - (local - phase) % self.step
            near = [before, before + self.step]
        off = local != near[0]
        if off.any():
            local = local.copy()
            for times in near:
                rows = np.flatnonzero(off)
                rows = rows[stands_for(instants[rows], times[rows], self.zone)]
                local[rows] = times[rows]
        return local

    def naive(self, ticks: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """What the stamps of an axis `on_wall` show, in microseconds since 1970, whether or not such times exist."""
        if self.kind == "open":
            assert self.hours is not None
            return self.hours.moments(ticks)
        if self.kind != "month":
            return ticks
        first = (ticks - MONTHS_TO_1970).astype("datetime64[M]")
        if self.hours is not None:
            begin = (first + 1 if self.month_end else first).astype("datetime64[us]").astype(np.int64)
            return self.hours.moments(self.hours.numbers(begin - 1) + (0 if self.month_end else 1))
        last = ((first + 1).astype("datetime64[D]") - 1).astype("datetime64[us]").astype(np.int64)
        if self.month_end:
            return last + self.anchor
        # The 30th of February is its last day.
        return np.minimum(first.astype("datetime64[us]").astype(np.int64) + self.anchor, last + self.anchor % DAY)

    def stamps(self, ticks: Int64[np.ndarray, " rows"], name: str = "time") -> pl.Series:
        """The column, as the user wrote it, that has these ticks; every one of them exists by the local clock."""
        if self.kind == "integer":
            return pl.Series(name, ticks)
        us = self.naive(ticks) if self.on_wall else ticks
        if self.zone is not None and self.on_wall:
            us = to_instants(us, self.zone)
        column = pl.Series(name, us).cast(pl.Datetime("us", self.zone))
        if self.unit == "date":
            return column.cast(pl.Date)
        return column.dt.cast_time_unit(self.unit) if self.unit != "us" else column  # type: ignore[arg-type]

    def tick_of(self, moment: Any) -> int:
        """The tick of one moment: text, a date, a time stamp or a whole number.

        Raises:
            ConfigError: it is not a moment of this axis.
        """
        expected = "a whole number" if self.kind == "integer" else "a time stamp such as 2024-01-31 00:00"
        try:
            if self.kind == "integer":
                if isinstance(moment, float) and not moment.is_integer():
                    raise TypeError
                return int(moment)
            if hasattr(moment, "to_pydatetime"):
                moment = moment.to_pydatetime()
            if isinstance(moment, np.datetime64):
                moment = str(moment)
            if not isinstance(moment, (str, datetime, date)):
                raise TypeError
            column = parse_time(pl.Series("start", [moment]), str)
            if column.dtype.is_integer():
                raise TypeError
        except (TypeError, ValueError, DataError, pl.exceptions.PolarsError) as error:
            raise ConfigError(f"`start` (={moment!r}) must be {expected}, as in the time column") from error
        us = microseconds(column)
        given = getattr(column.dtype, "time_zone", None)
        if given is not None and self.zone is None:
            raise ConfigError(f"`start` (={moment!r}) must be {expected}, as in the time column, without a time zone")
        if self.zone is not None:
            if self.on_wall and given is not None:
                us = self.unshifted(us, self.anchor)
            elif not self.on_wall and given is None:
                us = to_instants(us, self.zone)
        return int(self.numbered(us)[0])

    def translated(self, ticks: Int64[np.ndarray, " rows"], axis: TimeAxis) -> Int64[np.ndarray, " rows"]:
        """What ticks of the same axis with other holidays are on this one."""
        return self.numbered(axis.naive(ticks)) if self.kind == "open" and axis != self else ticks

    def local(self, ticks: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """Microseconds since 1970 by the local clock, which calendar effects follow."""
        if self.kind == "month":
            return (ticks - MONTHS_TO_1970).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        if self.kind == "open":
            return self.naive(ticks)
        if self.zone in (None, "UTC") or self.wall:
            return ticks
        return to_local(ticks.reshape(-1), self.zone or "UTC").reshape(ticks.shape)


def _duration(us: int) -> str:
    for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND)):
        if us % size == 0:
            return counted(us // size, name)
    return counted(us, "microsecond")


def microseconds(column: pl.Series) -> Int64[np.ndarray, " rows"]:
    """Dates and time stamps as microseconds since 1970, in UTC where they have a zone; a view where they are that."""
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    return column.dt.cast_time_unit("us").cast(pl.Int64).to_numpy()


def calendar_periods(axis: TimeAxis, span: int) -> list[tuple[int, int]]:
    """Periods, in microseconds, whose effect `span` steps suffice to learn, each with its number of harmonics.

    A period counts when it is at least two steps long and was seen at least twice: a year's effect cannot be
    told from a trend in thirteen months of data.
    """
    if axis.kind == "integer":
        return []
    step = axis.spacing
    every = [(DAY, 2), (WEEK, 3), (YEAR, 2)]
    return [(period, count) for period, count in every if 2 * step <= period and 2 * period <= span * step]


def calendar_features(
    axis: TimeAxis, periods: list[tuple[int, int]], ticks: Int64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape features"]:
    """Sines and cosines of the place of each tick in its day, week and year, by the local clock."""
    return waves(axis.local(ticks) - MONDAY, periods) if periods else np.empty((*ticks.shape, 0))
