"""Find the time axis of a table: whole numbers, a clock, months, or open hours such as business days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
from jaxtyping import Int64

from sluicegate.errors import DataError

from .axis import DAY, HOUR, MONDAY, WEEK, TimeAxis, microseconds
from .hours import MOST, OpenHours
from .serial import computed
from .steps import common_step, differences, faults, inside, most_common, usual_step
from .zones import to_local

_CHANCE = 1e-3  # how likely it may be that a moment of the week is missing from the rows by chance alone
_OFF = 20  # one row in twenty at most is off the open hours that the others show
_SHIFTED = 4 * DAY  # how far a month's last business day may lie before its last Monday to Friday
BUSINESS = OpenHours(tuple(day * DAY for day in range(5)))


def find_axis(
    stamps: pl.Series, bounds: Int64[np.ndarray, " bounds"], holidays: Sequence[date], *, filling: bool
) -> TimeAxis:
    """The axis that most rows of a time column are on.

    Args:
        stamps: as `parse_time` returned them.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        holidays: days that do not occur.
        filling: gaps will be filled in.

    Raises:
        DataError: dates are written as whole numbers, or holidays are given for what is no calendar of days.
    """
    if stamps.dtype.is_integer():
        if holidays:
            raise DataError(
                f"time column {stamps.name!r} holds whole numbers: `holidays` (`--holiday`) need dates; give dates or "
                "no holidays"
            )
        ticks = stamps.cast(pl.Int64).to_numpy()
        step = usual_step(ticks, bounds)
        if (wrong := faults(ticks, bounds, step)) != (0, 0):
            _refuse_dates_as_numbers(stamps)
            shortest, divides = common_step(ticks, bounds)
            # Of a ledger with few rows most may be two steps apart, but then many are one apart.
            if filling and wrong[0] and divides and 2 * _count(ticks, bounds, shortest) >= _count(ticks, bounds, step):
                step = shortest
        return TimeAxis("integer", step)
    is_date = stamps.dtype == pl.Date
    zone = None if is_date else stamps.dtype.time_zone  # type: ignore[attr-defined]
    unit = "date" if is_date else stamps.dtype.time_unit  # type: ignore[attr-defined]
    instants = microseconds(stamps)
    local = instants if zone is None else to_local(instants, zone)
    clock, wrong = _clock(stamps, bounds, local, zone, unit, filling=filling)
    if holidays or wrong != (0, 0):
        # Of months where rows are far apart, of open hours where they are not.
        if clock.step >= 28 * DAY:
            found = _months(stamps, bounds, local, zone, unit, holidays)
        elif clock.step <= 4 * DAY:
            found = _open_hours(bounds, local, TimeAxis("open", 1, zone, unit), holidays, filling=filling)
        else:
            found = None
        if found is None and holidays:
            raise DataError(
                f"time column {stamps.name!r} has a row every {clock.describe_step()}: `holidays` (`--holiday`) are "
                "for days, for times of day and for the business days that begin or end a month; give none"
            )
        return found or clock
    return clock


def ticks_on(axis: TimeAxis, stamps: pl.Series, bounds: Int64[np.ndarray, " bounds"]) -> Int64[np.ndarray, " rows"]:
    """The ticks of rows; each series of a clock may stand elsewhere in a step."""
    if not (axis.wall and axis.zone):
        return axis.ticks(stamps)
    instants = microseconds(stamps)
    local = to_local(instants, axis.zone)
    phase = np.full(len(local), axis.anchor)
    off = (local - axis.anchor) % axis.step != 0
    if not off.any():
        return local
    for i in np.unique(np.searchsorted(bounds, np.flatnonzero(off), side="right") - 1):
        begin, end = bounds[i : i + 2]
        if 2 * off[begin:end].sum() > end - begin > 2:
            phase[begin:end] = most_common(local[begin:end] % axis.step)
    return axis.unshifted(instants, phase)


def shown_by(axis: TimeAxis, stamps: pl.Series) -> Int64[np.ndarray, " rows"]:
    """The local times of rows of months or open hours, as they would be if all local times existed."""
    instants = microseconds(stamps)
    return instants if axis.zone is None else axis.unshifted(instants, axis.anchor)


def _clock(
    stamps: pl.Series,
    bounds: Int64[np.ndarray, " bounds"],
    local: Int64[np.ndarray, " rows"],
    zone: str | None,
    unit: str,
    *,
    filling: bool,
) -> tuple[TimeAxis, tuple[int, int]]:
    """The clock that most rows go by, the local one's hands or instants, and how many rows do not."""
    step = usual_step(microseconds(stamps), bounds)
    candidates = [TimeAxis("clock", step, zone, unit)]
    if zone not in (None, "UTC"):
        hands = usual_step(local, bounds)
        days = max(1, round(hands / DAY)) * DAY  # of three midnights, one left out, no step is a day
        for each in (hands, days) if hands >= 22 * HOUR else (hands,):
            anchor = most_common(local % each)
            candidates.append(TimeAxis("clock", each, zone, unit, wall=True, anchor=anchor))
        # A daily table means midnights; an hourly one means instants, with 23 or 25 of them on two days a year.
        if step >= 22 * HOUR:
            candidates.reverse()
    if filling:
        # Of a ledger with few rows most may be two days apart, and yet it is one of days.
        hands = zone not in (None, "UTC")
        shortest, divides = common_step(local, bounds)
        if divides:
            anchor = most_common(local % shortest) if hands else 0
            candidates.append(TimeAxis("clock", shortest, zone, unit, wall=hands, anchor=anchor))
    wrong = [faults(ticks_on(axis, stamps, bounds), bounds, axis.step) for axis in candidates]
    return candidates[wrong.index(min(wrong))], min(wrong)


def _count(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"], step: int) -> int:
    within = inside(bounds)
    return sum(int((within(begin, len(steps)) & (steps == step)).sum()) for begin, steps in differences(ticks))


def _refuse_dates_as_numbers(stamps: pl.Series) -> None:
    """After the 20240131st comes the 20240201st: a gap of 70, which nobody wants filled in."""
    first = str(stamps[0])
    if len(first) != 8:
        return
    dates = computed(stamps, lambda numbers: numbers.cast(pl.String).str.to_date("%Y%m%d", strict=False))
    if not dates.null_count():
        written = f"{first[:4]}-{first[4:6]}-{first[6:]}"
        raise DataError(
            f"time column {stamps.name!r} holds dates as whole numbers, such as {first}: expected dates; write them "
            f"as {written}"
        )


def _months(
    stamps: pl.Series,
    bounds: Int64[np.ndarray, " bounds"],
    local: Int64[np.ndarray, " rows"],
    zone: str | None,
    unit: str,
    holidays: Sequence[date],
) -> TimeAxis | None:
    """The same day of every month, its last day, or its first or last business day."""
    time_of_day = most_common(local % DAY)
    days = pl.Series(local).cast(pl.Datetime("us")).dt.day().cast(pl.Int64).to_numpy()
    usual = TimeAxis("month", 1, zone, unit, anchor=time_of_day + (most_common(days) - 1) * DAY)
    # The 30th is the last of February.
    candidates = [usual, replace(usual, anchor=time_of_day + int(days.max() - 1) * DAY)]
    if (days != days[0]).any():
        candidates.insert(0, replace(usual, anchor=time_of_day, month_end=True))
    for axis in () if holidays else candidates:
        if (axis.naive(axis.numbered(shown := shown_by(axis, stamps))) == shown).all():
            return replace(axis, step=usual_step(axis.numbered(shown), bounds))
    for end in (True, False):
        hours = OpenHours(tuple(time + time_of_day for time in BUSINESS.opens)).without(holidays)
        axis = TimeAxis("month", 1, zone, unit, month_end=end, hours=hours)
        if (fitted := business_months(axis, shown := shown_by(axis, stamps))) is not None:
            return replace(fitted, step=usual_step(fitted.numbered(shown), bounds))
    return None


def business_months(axis: TimeAxis, local: Int64[np.ndarray, " rows"]) -> TimeAxis | None:
    """The axis with those holidays that move a month's first or last business day to where the rows have it.

    Good Friday may be the last weekday of March: exchanges then end the month on Thursday.
    """
    assert axis.hours is not None
    expected = axis.naive(axis.numbered(local))
    early = (expected - local) if axis.month_end else (local - expected)
    moved = early != 0
    # Rows on a Saturday, too far off, or too many.
    regular = axis.hours.timed(axis.hours.counted(local)) == local
    if not regular.all() or (early < 0).any() or (early > _SHIFTED).any() or 3 * moved.sum() > max(3, len(local)):
        return None
    between = [
        np.arange(min(row, due) + DAY, max(row, due) + 1, DAY) if axis.month_end else np.arange(due, row, DAY)
        for row, due in zip(local[moved], expected[moved], strict=True)
    ]
    closed = np.unique(np.concatenate([np.zeros(0, np.int64), *between])) // DAY
    axis = replace(axis, hours=axis.hours.without(closed.astype("datetime64[D]").tolist()))
    return axis if (axis.naive(axis.numbered(local)) == local).all() else None


def _open_hours(
    bounds: Int64[np.ndarray, " bounds"],
    local: Int64[np.ndarray, " rows"],
    axis: TimeAxis,
    holidays: Sequence[date],
    *,
    filling: bool,
) -> TimeAxis | None:
    """Open hours, where a week has moments at which no row ever stands; with holidays, days of any kind."""
    moments = np.unique(local)
    opens, counts = np.unique((moments - MONDAY) % WEEK, return_counts=True)
    if not filling:  # a row that stands alone is a fault; where gaps are filled in, any moment that occurs counts
        opens, counts = opens[2 * counts >= counts.max()], counts[2 * counts >= counts.max()]
    if not 2 <= len(opens) <= MOST:
        return None
    hours = OpenHours(tuple(opens.tolist()))
    if holidays and hours.even:
        hours = hours.without(holidays)
    else:
        weeks = (moments[-1] - moments[0]) / WEEK
        density = min(1.0, counts.sum() / (len(opens) * weeks)) if weeks else 0.0
        by_chance = 7 * max(1e-6, 1 - density) ** weeks
        off = len(moments) - int(counts.sum())
        if hours.even or weeks < 2 or by_chance > _CHANCE or _OFF * off > len(moments):
            return None
        hours = hours.without(holidays)
    numbers = hours.counted(local)
    return replace(axis, step=usual_step(numbers, bounds), hours=hours)
