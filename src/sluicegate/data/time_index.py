"""Place the rows of a table on a time axis: find the axis, or hold them to the one that a model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from sluicegate.errors import DataError

from .axis import HOUR, TimeAxis
from .finding import business_months, find_axis, shown_by, ticks_on
from .hours import NAMES
from .steps import differences, inside, usual_step
from .times import parse_time


@dataclass(frozen=True)
class Table:
    """What messages say of a table's times.

    Args:
        times: the column as it was read.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        names: what tells the series apart.
        where: called with a row's position, names that row.
        trained: the rows are held to the axis of a model.
        filling: gaps will be filled in, so that they are no fault.
    """

    times: pl.Series
    bounds: Int64[np.ndarray, " bounds"]
    names: tuple[Any, ...]
    where: Callable[[int], str]
    trained: bool
    filling: bool

    @property
    def here(self) -> str:
        """The column."""
        return f"time column {self.times.name!r}"

    def of_series(self, row: int) -> str:
        """The series of a row, where there are several."""
        if self.names == ("",):
            return ""
        return f" of series {self.names[int(np.searchsorted(self.bounds, row, side='right')) - 1]!r}"


def place(
    column: pl.Series,
    bounds: Int64[np.ndarray, " bounds"],
    axis: TimeAxis | None,
    *,
    filling: bool,
    where: Callable[[int], str],
    names: tuple[Any, ...],
    holidays: Sequence[date] = (),
) -> tuple[TimeAxis, Int64[np.ndarray, " rows"]]:
    """The axis of a time column and the tick of each of its rows, both checked.

    Args:
        column: times as users have them, series after series.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        axis: the axis that the rows must be on, with holidays of their own; None finds it.
        filling: gaps will be filled in, so that they are no fault.
        where: called with a row's position, names that row for a message.
        names: what tells the series apart.
        holidays: days on which there is nothing, where the axis is to be found.

    Raises:
        DataError: the times are not in order, not regular, or not on the axis; the message names the row.
    """
    stamps = parse_time(column, where)
    table = Table(stamps, bounds, names, where, axis is not None, filling)
    if axis is not None:
        _require_same_kind(axis, stamps)
    else:
        axis = find_axis(stamps, bounds, holidays, filling=filling)
    if axis.kind == "open":
        axis = _open_where_rows_are(axis, table)
    elif axis.kind == "month":
        axis = _month_as_in(axis, table)
    ticks = ticks_on(axis, stamps, bounds)
    _require_steps(axis, ticks, table)
    return axis, ticks


def _open_where_rows_are(axis: TimeAxis, table: Table) -> TimeAxis:
    """The axis with the table's own holidays; every row must be in its open hours."""
    assert axis.hours is not None
    local = shown_by(axis, table.times)
    regular = axis.hours.timed(axis.hours.counted(local)) == local
    if not regular.all():
        row = int((~regular).argmax())
        day = NAMES[int(local[row] // 86_400_000_000 + 3) % 7]
        who = "the model was trained on" if table.trained else "most rows are of"
        raise DataError(
            f"{table.here} holds {table.times[row]}, a {day},{table.of_series(row)} in {table.where(row)} "
            f"({int((~regular).sum())} such in all): {who} {axis.hours.describe()}; leave such rows out"
        )
    closed = ~axis.hours.hold(local)
    if closed.any() and not table.trained:
        row = int(closed.argmax())
        raise DataError(
            f"{table.here} holds {table.times[row]}{table.of_series(row)} in {table.where(row)} ({int(closed.sum())} "
            "such in all), a day that `holidays` (`--holiday`) names: leave that day out of the holidays"
        )
    usual = usual_step(axis.hours.numbers(local), table.bounds) == axis.step == 1
    return replace(axis, hours=axis.hours.fitted(local, find=usual and not table.filling))


def _month_as_in(axis: TimeAxis, table: Table) -> TimeAxis:
    """The axis, where the table has one row a month, always on the same day of it."""
    local = shown_by(axis, table.times)
    if axis.hours is not None and (fitted := business_months(axis, local)) is not None:
        return fitted
    off = axis.naive(axis.numbered(local)) != local
    if off.any() and table.trained:
        # Another day of the month names the month as well, as long as it is always the same.
        found = find_axis(table.times, table.bounds, (), filling=table.filling)
        if found.kind != "month" and len(local) > 1:
            row = int(off.argmax())
            expected = axis.stamps(axis.numbered(local[row : row + 1]))[0]
            raise DataError(
                f"{table.here} holds {table.times[row]}{table.of_series(row)} in {table.where(row)}: the model was "
                f"trained on a row every {axis.describe_step()}, such as {expected}; sum or average the rows of each "
                f"{axis.describe_step().removeprefix('1 ')}"
            )
    return axis


def _require_steps(axis: TimeAxis, ticks: Int64[np.ndarray, " rows"], table: Table) -> None:
    within = inside(table.bounds)
    for begin, steps in differences(ticks):
        bad = within(begin, len(steps)) & (steps != axis.step)
        if not bad.any():
            continue
        # Where gaps are to be filled they are no fault: look for the first step that remains one.
        fault = bad & ((steps <= 0) | (steps % axis.step != 0)) if table.filling else bad
        if fault.any():
            row = begin + int(fault.argmax())
            raise DataError(f"{table.here} {_fault(axis, int(steps[row - begin]), row, table)}")


def _fault(axis: TimeAxis, step: int, row: int, table: Table) -> str:
    """What is wrong between a row and the next, and what to do."""
    before, after, label = table.times[row], table.times[row + 1], table.of_series(row)
    this, following = table.where(row), table.where(row + 1)
    utc = (
        "; if clocks were changed there, write the times in UTC instead" if _clocks_changed(axis, step, before) else ""
    )
    if step == 0:
        return (
            f"repeats {after}{label} in {this} and {following}: expected each time once in a series; remove the "
            f"duplicate, or name the column that tells series apart (`series`){utc}"
        )
    if step < 0:
        return (
            f"goes back from {before} to {after}{label} in {following}: expected rows in order of time; sort the "
            f"table by {table.times.name!r}{utc}"
        )
    if step % axis.step == 0:
        remedy = (
            "add the missing rows, or train with `fill` = forward, linear or zero (`--fill`), which fills them in"
            if table.trained
            else "fill it in by `fill` = forward, linear or zero (`--fill`)"
        )
        days = f" of {axis.hours.describe()}" if axis.kind == "open" and axis.hours is not None else ""
        return (
            f"has a gap from {before} to {after}{label} before {following}: expected a row every "
            f"{axis.describe_step()}{days}; {remedy}{utc}"
        )
    most = "the model was trained on rows" if table.trained else "where most rows are"
    return (
        f"is irregular: {before} is followed by {after}{label} in {following}, {most} {axis.describe_step()} apart; "
        "resample the table to a regular step"
    )


def _clocks_changed(axis: TimeAxis, step: int, before: Any) -> bool:
    """Whether a clock without a time zone seems to have been set forward or back: by an hour, in a Sunday's first ones.

    To take such rows out, or to fill such a gap in, would do harm.
    """
    hourly = axis.kind == "clock" and axis.zone is None and axis.step <= HOUR and axis.unit != "date"
    by_an_hour = step in (axis.step - HOUR, axis.step + HOUR)
    return hourly and by_an_hour and before.weekday() == 6 and before.hour <= 3


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
