"""Place the rows of a table on a time axis: find the axis, or hold them to the one that a model was trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64

from sluicegate.errors import DataError

from .axis import DAY, HOUR, TimeAxis, parse_time, ticks_of

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
    ticks = axis.ticks(stamps)
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
    instants = ticks_of(stamps, "clock", wall=False)
    step = _usual_step(instants, bounds)
    if zone in (None, "UTC"):
        candidates = [(instants, False)]
    else:
        hands = (ticks_of(stamps, "clock", wall=True), True)
        # A daily table means midnights; an hourly one means instants, with 23 or 25 of them on two days a year.
        candidates = [hands, (instants, False)] if step >= 23 * HOUR else [(instants, False), hands]
    for ticks, wall in candidates:
        if _is_regular(ticks, bounds):
            return TimeAxis("clock", _usual_step(ticks, bounds), zone, unit, wall)
    ticks, wall = candidates[0]
    step = _usual_step(ticks, bounds)
    months = _month_axis(stamps, bounds, zone, unit) if step >= 28 * DAY else None
    return months or TimeAxis("clock", step, zone, unit, wall)


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
    naive = stamps.dt.replace_time_zone(None) if zone else stamps
    naive = naive.cast(pl.Datetime("us"))
    end = bool((naive.dt.month_end() == naive).all()) and not bool((naive.dt.month_start() == naive).all())
    from_first = (naive - naive.dt.truncate("1mo")).dt.total_microseconds()
    time_of_day = (naive - naive.dt.truncate("1d")).dt.total_microseconds()
    anchor = time_of_day if end else from_first
    if anchor.n_unique() != 1:
        return None
    step = _usual_step(ticks_of(naive, "month", wall=False), bounds)
    return TimeAxis("month", step, zone, unit, False, int(anchor[0]), end) if step > 0 else None


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
