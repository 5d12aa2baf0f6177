"""Place the rows of a table on a time axis: find the axis, or hold them to the one that a model was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

from sluicegate.errors import DataError

from .axis import DAY, HOUR, TimeAxis, microseconds
from .times import parse_time
from .zones import to_local

_CHUNK = 1 << 20  # rows looked at together, so that checks need little memory beside the table


def place(
    column: pl.Series,
    bounds: Int64[np.ndarray, " bounds"],
    axis: TimeAxis | None,
    *,
    filling: bool,
    where: Callable[[int], str],
    names: tuple[Any, ...],
) -> tuple[TimeAxis, Int64[np.ndarray, " rows"]]:
    """The axis of a time column and the tick of each of its rows, both checked.

    Args:
        column: times as users have them, series after series.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        axis: the axis that the rows must be on; None finds it.
        filling: gaps will be filled in, so that they are no fault.
        where: called with a row's position, names that row for a message.
        names: what tells the series apart.

    Raises:
        DataError: the times are not in order, not regular, or not on the axis; the message names the row.
    """
    stamps = parse_time(column, where)
    if axis is not None:
        _require_same_kind(axis, stamps)
    else:
        axis = _find_axis(stamps, bounds)
    ticks = _ticks(stamps, bounds, axis)
    within = _inside(bounds)
    for begin, steps in _differences(ticks):
        inside = within(begin, len(steps))
        bad = inside & (steps != axis.step)
        if not bad.any():
            continue
        # Where gaps are to be filled they are no fault: look for the first step that remains one.
        fault = bad & ((steps <= 0) | (steps % axis.step != 0)) if filling else bad
        if not fault.any():
            continue
        row = begin + int(fault.argmax())
        step, (before, after) = int(steps[row - begin]), (stamps[row], stamps[row + 1])
        label = f" of series {names[int(np.searchsorted(bounds, row, side='right')) - 1]!r}" if names != ("",) else ""
        here = f"time column {column.name!r}"
        if step == 0:
            raise DataError(
                f"{here} repeats {after}{label} in {where(row)} and {where(row + 1)}: expected each time once "
                "in a series; remove the duplicate, or name the column that tells series apart (`series`)"
            )
        if step < 0:
            raise DataError(
                f"{here} goes back from {before} to {after}{label} in {where(row + 1)}: expected rows in order "
                f"of time; sort the table by {column.name!r}"
            )
        if step % axis.step == 0:
            raise DataError(
                f"{here} has a gap from {before} to {after}{label} before {where(row + 1)}: expected a row "
                f"every {axis.describe_step()}; fill it in by `fill` = forward, linear or zero (`--fill`)"
            )
        raise DataError(
            f"{here} is irregular: {before} is followed by {after}{label} in {where(row + 1)}, where most rows "
            f"are {axis.describe_step()} apart; resample the table to a regular step"
        )
    return axis, ticks


def _inside(bounds: Int64[np.ndarray, " bounds"]) -> Callable[[int, int], Bool[np.ndarray, " steps"]]:
    """Which of the differences `begin` to `begin + count` lie within one series."""

    def within(begin: int, count: int) -> Bool[np.ndarray, " steps"]:
        inside = np.ones(count, bool)
        low, high = np.searchsorted(bounds, [begin + 1, begin + count + 1])
        inside[bounds[low:high] - 1 - begin] = False
        return inside

    return within


def _differences(ticks: Int64[np.ndarray, " rows"]) -> Any:
    for begin in range(0, len(ticks) - 1, _CHUNK):
        yield begin, np.diff(ticks[begin : begin + _CHUNK + 1])


def _find_axis(stamps: pl.Series, bounds: Int64[np.ndarray, " bounds"]) -> TimeAxis:
    if stamps.dtype.is_integer():
        ticks = stamps.cast(pl.Int64).to_numpy()
        if not _is_regular(ticks, bounds):
            _refuse_dates_as_numbers(stamps)
        return TimeAxis("integer", _usual_step(ticks, bounds))
    is_date = stamps.dtype == pl.Date
    zone = None if is_date else stamps.dtype.time_zone  # type: ignore[attr-defined]
    unit = "date" if is_date else stamps.dtype.time_unit  # type: ignore[attr-defined]
    instants = microseconds(stamps)
    step = _usual_step(instants, bounds)
    candidates = [TimeAxis("clock", step, zone, unit)]
    if zone not in (None, "UTC"):
        local = to_local(instants, zone)
        hands = _usual_step(local, bounds)
        days = max(1, round(hands / DAY)) * DAY  # of three midnights, one left out, no step is a day
        for each in (hands, days) if hands >= 22 * HOUR else (hands,):
            candidates.append(TimeAxis("clock", each, zone, unit, wall=True, anchor=_phase(local, each)))
        # A daily table means midnights; an hourly one means instants, with 23 or 25 of them on two days a year.
        if step >= 22 * HOUR:
            candidates.reverse()
    faults = [_faults(_ticks(stamps, bounds, axis), bounds, axis.step) for axis in candidates]
    best = candidates[faults.index(min(faults))]
    if min(faults) != (0, 0) and step >= 28 * DAY:
        return _month_axis(stamps, bounds, zone, unit) or best
    return best


def _ticks(stamps: pl.Series, bounds: Int64[np.ndarray, " bounds"], axis: TimeAxis) -> Int64[np.ndarray, " rows"]:
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
            phase[begin:end] = _phase(local[begin:end], axis.step)
    return axis.unshifted(instants, phase)


def _phase(ticks: Int64[np.ndarray, " rows"], step: int) -> int:
    """Where in a step most rows stand."""
    values, counts = np.unique(ticks % step, return_counts=True)
    return int(values[counts.argmax()])


def _faults(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"], step: int) -> tuple[int, int]:
    """How many rows are off the grid of their series, and how many gaps there are."""
    within, off, gaps = _inside(bounds), 0, 0
    for begin, steps in _differences(ticks):
        wrong = within(begin, len(steps)) & (steps != step)
        faulty = wrong & ((steps <= 0) | (steps % step != 0))
        off, gaps = off + int(faulty.sum()), gaps + int((wrong & ~faulty).sum())
    return off, gaps


def _refuse_dates_as_numbers(stamps: pl.Series) -> None:
    """After the 20240131st comes the 20240201st: a gap of 70, which nobody wants filled in."""
    first = str(stamps[0])
    if len(first) == 8 and stamps.cast(pl.String).str.to_date("%Y%m%d", strict=False).null_count() == 0:
        written = f"{first[:4]}-{first[4:6]}-{first[6:]}"
        raise DataError(
            f"time column {stamps.name!r} holds dates as whole numbers, such as {first}: expected dates; write them "
            f"as {written}"
        )


def _month_axis(
    stamps: pl.Series, bounds: Int64[np.ndarray, " bounds"], zone: str | None, unit: str
) -> TimeAxis | None:
    instants = microseconds(stamps)
    local = instants if zone is None else to_local(instants, zone)
    naive = pl.Series(local).cast(pl.Datetime("us"))
    times = (naive - naive.dt.truncate("1d")).dt.total_microseconds().to_numpy()
    time_of_day = _most_common(times)
    ends = (naive.dt.month_end().dt.day() == naive.dt.day()).to_numpy()
    days = naive.dt.day().to_numpy()
    # The last day of every month, or the same day of every month: the 30th is the last of February.
    month_end = bool((ends | (times != time_of_day)).all()) and bool((days != _most_common(days)).any())
    anchor = time_of_day + (0 if month_end else int(days.max() - 1) * DAY)
    for day in (anchor, time_of_day + (_most_common(days) - 1) * DAY):
        axis = TimeAxis("month", 1, zone, unit, False, day, month_end)
        ticks = axis.ticks(stamps)
        shown = local if zone is None else axis.unshifted(instants, 0)
        if (axis.naive(ticks) == shown).all():
            step = _usual_step(ticks, bounds)
            return replace(axis, step=step)
    return None


def _most_common(values: np.ndarray[Any, np.dtype[Any]]) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])


def _usual_step(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"]) -> int:
    """The step most often seen in the first rows; at least 1, so that a fault is found where it stands."""
    within = _inside(bounds)
    for begin, steps in _differences(ticks):
        positive = steps[within(begin, len(steps)) & (steps > 0)]
        if len(positive):
            values, counts = np.unique(positive, return_counts=True)
            return int(values[counts.argmax()])
    return 1


def _is_regular(ticks: Int64[np.ndarray, " rows"], bounds: Int64[np.ndarray, " bounds"]) -> bool:
    step, within = _usual_step(ticks, bounds), _inside(bounds)
    return all(((steps == step) | ~within(begin, len(steps))).all() for begin, steps in _differences(ticks))


def _require_same_kind(axis: TimeAxis, stamps: pl.Series) -> None:
    is_integer = stamps.dtype.is_integer()
    if is_integer != (axis.kind == "integer"):
        expected = "whole numbers" if axis.kind == "integer" else "time stamps"
        raise DataError(
            f"time column {stamps.name!r} holds {stamps.dtype}: the model was trained on {expected}; give the same"
        )
    if not is_integer:
        zone = getattr(stamps.dtype, "time_zone", None)
        if zone != axis.zone:
            raise DataError(
                f"time column {stamps.name!r} is in time zone {zone}: the model was trained in {axis.zone}; "
                "convert the column"
            )
