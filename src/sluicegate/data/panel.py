"""From a long table to a panel: many regular series, end to end, checked and without gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64

from sluicegate.errors import DataError
from sluicegate.types import Fill

from .axis import TimeAxis
from .columns import Source, missing_in, numbers_of, select
from .counted import counted
from .future import coming_rows
from .grid import grid_rows, require_dense
from .ledger import NEVER, Since, ledger_span, told_until
from .names import SERIES, named
from .serial import changes, codes
from .time_index import place


@dataclass(frozen=True)
class Panel:
    """Many regular series, end to end.

    Args:
        axis: the time axis that all series share.
        names: what tells the series apart, in order of first appearance; `("",)` for a single one.
        bounds: series `i` is rows `bounds[i]` to `bounds[i + 1]`.
        starts: the tick of each series' first row.
        columns: values by column name; views of the caller's table where nothing had to be changed.
        filled: for each column in which values were filled in, the rows where that happened.
        future: the rows at the end whose targets are empty, with what is known of them in advance.
        notes: what a reader should know of how the table was read.
        zeros: rows that the table lacks, and that say 0.
    """

    axis: TimeAxis
    names: tuple[Any, ...]
    bounds: Int64[np.ndarray, " bounds"]
    starts: Int64[np.ndarray, " series"]
    columns: dict[str, Float64[np.ndarray, " rows"]]
    filled: dict[str, Bool[np.ndarray, " rows"]]
    future: Panel | None = None
    notes: tuple[str, ...] = ()
    zeros: int = 0

    @property
    def rows(self) -> int:
        """Number of rows of all series together."""
        return int(self.bounds[-1])

    @property
    def lengths(self) -> Int64[np.ndarray, " series"]:
        """Number of rows of each series."""
        return np.diff(self.bounds)

    def ticks(self, series: Int64[np.ndarray, "*#shape"], rows: Int64[np.ndarray, "*#shape"]) -> Int64[np.ndarray, ...]:
        """The ticks of these series' rows, counted over the whole panel; rows past the end go on in time."""
        ticks: Int64[np.ndarray, ...] = self.starts[series] + (rows - self.bounds[series]) * self.axis.step
        return ticks

    def renamed(self, names: Mapping[Any, Any]) -> Panel:
        """The panel with other names for some of its series, in its future too."""
        future = None if self.future is None else self.future.renamed(names)
        return replace(self, names=tuple(names.get(name, name) for name in self.names), future=future)

    def take(self, keep: Bool[np.ndarray, " series"]) -> Panel:
        """The panel with only the series marked."""
        rows = np.repeat(keep, self.lengths)
        return replace(
            self,
            names=tuple(name for name, kept in zip(self.names, keep, strict=True) if kept),
            bounds=np.concatenate([[0], np.cumsum(self.lengths[keep])]),
            starts=self.starts[keep],
            columns={name: values[rows] for name, values in self.columns.items()},
            filled={name: mask[rows] for name, mask in self.filled.items()},
        )

    def cut(self, coming: Bool[np.ndarray, " rows"], known: Sequence[str]) -> Panel:
        """The panel up to where the future of each series begins, which is kept beside with its known columns."""
        counts = np.add.reduceat(coming.astype(np.int64), self.bounds[:-1])
        history, future = self.lengths - counts, self.take(counts > 0)
        rows = coming[np.repeat(counts > 0, self.lengths)]
        counts = counts[counts > 0]
        which = "the table" if self.names == ("",) else f"{len(counts)} series"
        note = f"The last rows of {which}, {counts.sum()} in all, have no target: they are taken for the future."
        future = replace(
            future,
            bounds=np.concatenate([[0], np.cumsum(counts)]),
            starts=future.starts + (future.lengths - counts) * self.axis.step,
            columns={name: future.columns[name][rows] for name in known},
            filled={},
            notes=(),
        )
        return replace(
            self,
            bounds=np.concatenate([[0], np.cumsum(history)]),
            columns={name: values[~coming] for name, values in self.columns.items()},
            filled={name: mask[~coming] for name, mask in self.filled.items()},
            future=future,
            notes=(*self.notes, note),
        )

    def on(self, axis: TimeAxis) -> Panel:
        """The panel on the same axis with other holidays.

        Raises:
            DataError: a holiday lies between its rows.
        """
        starts = axis.translated(self.starts, self.axis)
        ends = axis.translated(self.starts + (self.lengths - 1) * self.axis.step, self.axis)
        gaps = np.flatnonzero(ends - starts != (self.lengths - 1) * axis.step)
        if len(gaps):
            i = int(gaps[0])
            first, last = self.axis.stamps(np.array([self.starts[i], self.starts[i] + self.lengths[i] - 1]))
            label = f" of series {self.names[i]!r}" if self.names != ("",) else ""
            raise DataError(
                f"the rows{label} from {first} to {last} hold days that the other table leaves out, or leave out days "
                "that it holds: give both tables rows of the same days"
            )
        return replace(self, axis=axis, starts=starts)


def read_panel(
    frame: Any,
    *,
    time: str,
    values: Sequence[str],
    series: str | Sequence[str] | None = None,
    fill: Fill | None = None,
    axis: TimeAxis | None = None,
    holidays: Sequence[date] = (),
    targets: Sequence[str] = (),
    known: Sequence[str] = (),
    since: Since | None = None,
    source: Source | None = None,
) -> Panel:
    """Check a long table and lay its series end to end.

    Args:
        frame: a pandas or polars data frame or an Arrow table, one row for each series and time.
        time: the column of times: time stamps of any regular step, or whole numbers.
        values: the columns of numbers to keep.
        series: the column that tells series apart, or several that do so together; None for a single series.
        fill: how to fill in missing, NaN and infinite values and missing rows; None refuses them. With `zero` a row
            that is not there says 0, and so do those that a series lacks up to the table's last one.
        axis: the axis that the table must be on; None finds it.
        holidays: days on which there is nothing, where the axis is to be found.
        targets: columns among `values`; where all of them are empty at the end of a series, its future begins. With
            `fill`, only where there are columns known in advance.
        known: columns among `values` that are known in advance.
        since: with `zero`, since when series are known to have been there; None knows of none before its first row.
        source: what the table is called in messages.

    Raises:
        DataError: the table cannot be used as it is; the message names the column, the row and the remedy.
    """
    source = source or Source()
    roles = [] if series is None else [series] if isinstance(series, str) else series
    table = select(frame, [time, *roles, *values], source)
    if table.is_empty():
        raise DataError(f"{source.name} holds no rows: expected at least two for each series")
    names, bounds, order = group_rows(table, series, source)

    def where(row: int) -> str:
        return source.row(row if order is None else int(order[row]))

    def column(name: str) -> pl.Series:
        return table[name] if order is None else table[name].gather(order)

    if axis is None and int(np.diff(bounds).max()) < 2:
        raise DataError(f"every series in {source.name} has a single row: the step needs at least two")
    base = axis
    axis, ticks = place(
        column(time), bounds, axis, filling=fill is not None, where=where, names=names, holidays=holidays
    )
    numbers = {name: numbers_of(column(name), where) for name in values}
    starts, ends, last = ticks[bounds[:-1]].copy(), ticks[bounds[1:] - 1], int(ticks.max())
    if fill == "zero" and targets:
        last = told_until(ticks, [numbers[name] for name in targets] if known else [])
        there = np.full(len(names), NEVER) if since is None else since(names)
        starts, ends = ledger_span(ticks, bounds, axis.step, last, there)
    spans = (ends - starts) // axis.step + 1
    require_dense(ticks, spans, axis.step, time, source, ledger=fill == "zero" and bool(targets))
    grid = grid_rows(ticks, bounds, starts, spans, axis.step)
    bounds = np.concatenate([[0], np.cumsum(spans)])

    def read(name: str) -> Float64[np.ndarray, " rows"]:
        if grid is None:
            return numbers[name]
        spread = np.full(int(bounds[-1]), np.nan)
        spread[grid] = numbers.pop(name)
        return spread

    columns = {name: read(name) for name in values}
    coming = None
    if known or fill is None:
        coming = coming_rows([columns[name] for name in targets], bounds)
    if coming is not None and fill == "zero":
        place_in_time = np.arange(int(bounds[-1])) - np.repeat(bounds[:-1], spans)
        coming &= np.repeat(starts, spans) + place_in_time * axis.step > last
        coming = coming if coming.any() else None
    filled: dict[str, Bool[np.ndarray, " rows"]] = {}
    for name, column_values in columns.items():
        empty = missing_in(column_values)
        if empty is None:
            continue
        missing = empty if coming is None or name in known else empty & ~coming
        if fill is not None:
            columns[name] = _fill_in(column_values, empty, bounds, fill, name, names)
            # No row says 0, and so does an empty cell; what is infinite was something else.
            guessed = missing if fill != "zero" else missing & np.isinf(column_values)
            if fill != "zero" or guessed.any():
                filled[name] = guessed
        elif missing.any():
            row = int(missing.argmax())
            kind = "infinite" if np.isinf(column_values[row]) else "missing"
            raise DataError(
                f"column {name!r} is {kind} in {where(row)} ({int(missing.sum())} such in all): expected a "
                f"number in every row; {_remedy(trained=base is not None)}"
            )
    zeros = int(bounds[-1]) - len(table) if fill == "zero" else 0
    notes = _holidays_found(axis, base, holidays)
    panel = Panel(axis, names, bounds, starts, columns, filled, notes=notes, zeros=zeros)
    return panel if coming is None else panel.cut(coming, known)


def _remedy(*, trained: bool) -> str:
    if trained:
        return "write it in, or train with `fill` = forward, linear or zero (`--fill`), which fills it in"
    return "fill them in by `fill` = forward, linear or zero (`--fill`)"


def _holidays_found(axis: TimeAxis, base: TimeAxis | None, holidays: Sequence[date]) -> tuple[str, ...]:
    if axis.hours is None:
        return ()
    given = replace(axis.hours, closed=()).without(holidays)
    if base is not None and base.hours is not None:
        given = base.hours
    days = axis.hours.days_closed(given)
    if not days:
        return ()
    if axis.kind == "month":
        return (
            f"A weekday such as {days[0]} is taken for a holiday ({len(days)} such in all), for its month begins or "
            "ends on another: `holidays` (`--holiday`) names coming ones.",
        )
    return (
        f"Rows of {counted(len(days), 'day')} of {axis.hours.describe()}, such as {days[0]}, are missing in every "
        "series and taken for holidays: `holidays` (`--holiday`) names coming ones, and training with `fill` fills "
        "such rows in.",
    )


def group_rows(
    table: pl.DataFrame, series: str | Sequence[str] | None, source: Source
) -> tuple[tuple[Any, ...], Int64[np.ndarray, " bounds"], Int64[np.ndarray, " rows"] | None]:
    """The series' names, their bounds, and the order of rows that lays them end to end, where one is needed.

    A name is a tuple where several columns tell series apart.
    """
    rows = len(table)
    if series is None:
        return ("",), np.array([0, rows]), None
    columns = [named(table[name], SERIES, source.row) for name in ([series] if isinstance(series, str) else series)]

    def names_at(places: Int64[np.ndarray, " series"]) -> tuple[Any, ...]:
        found = [column.gather(places).to_list() for column in columns]
        return tuple(found[0]) if isinstance(series, str) else tuple(zip(*found, strict=True))

    runs = np.flatnonzero(np.logical_or.reduce([changes(column) for column in columns]))
    # Of the runs, which are many where rows stand in the order of time: a Python object for each would fill the memory.
    numbers = codes(*(column.gather(runs) for column in columns))
    ends = np.append(runs, rows).astype(np.int64)
    if numbers.max() + 1 == len(runs):
        return names_at(runs), ends, None
    numbers = np.repeat(numbers, np.diff(ends))
    _, first = np.unique(numbers, return_index=True)
    appearance = np.argsort(np.argsort(first))
    numbers = appearance[numbers]
    order = np.argsort(numbers, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(numbers))]).astype(np.int64)
    return names_at(np.sort(first)), bounds, order


def _fill_in(
    numbers: Float64[np.ndarray, " rows"],
    missing: Bool[np.ndarray, " rows"],
    bounds: Int64[np.ndarray, " bounds"],
    fill: Fill,
    name: str,
    names: tuple[Any, ...],
) -> Float64[np.ndarray, " rows"]:
    """Fill in what is missing, within each series; rows before the first value take that value."""
    result = numbers.copy()
    if fill == "zero":
        result[missing] = 0.0
        return result
    for index in np.unique(np.searchsorted(bounds, np.flatnonzero(missing), side="right") - 1):
        part = slice(int(bounds[index]), int(bounds[index + 1]))
        gone = missing[part]
        known = np.flatnonzero(~gone)
        if not len(known):
            label = f" of series {names[index]!r}" if names != ("",) else ""
            raise DataError(f"column {name!r}{label} has no value at all: remove the series or the column")
        values = numbers[part]
        if fill == "linear":
            result[part][gone] = np.interp(np.flatnonzero(gone), known, values[known])
        else:
            before = np.maximum(np.searchsorted(known, np.flatnonzero(gone)) - 1, 0)
            result[part][gone] = values[known[before]]
    return result
