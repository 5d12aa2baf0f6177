"""From a long table to a panel: many regular series, end to end, checked and without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64

from sluicegate.errors import DataError

from .axis import TimeAxis
from .columns import Source, missing_in, numbers_of, select
from .placing import place

Fill: TypeAlias = Literal["forward", "linear", "zero"]
"""How missing values and missing rows are filled in: the last value before, a straight line, or 0."""

MOST_FILLED = 100
"""How many times as long a table may grow by filling in rows: a mistyped year must not fill the memory."""


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
    """

    axis: TimeAxis
    names: tuple[Any, ...]
    bounds: Int64[np.ndarray, " bounds"]
    starts: Int64[np.ndarray, " series"]
    columns: dict[str, Float64[np.ndarray, " rows"]]
    filled: dict[str, Bool[np.ndarray, " rows"]]

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


def read_panel(
    frame: Any,
    *,
    time: str,
    values: Sequence[str],
    series: str | None = None,
    fill: Fill | None = None,
    axis: TimeAxis | None = None,
    source: Source | None = None,
) -> Panel:
    """Check a long table and lay its series end to end.

    Args:
        frame: a pandas or polars data frame or an Arrow table, one row for each series and time.
        time: the column of times: time stamps of any regular step, or whole numbers.
        values: the columns of numbers to keep.
        series: the column that tells series apart; None for a single series.
        fill: how to fill in missing, NaN and infinite values and missing rows; None refuses them.
        axis: the axis that the table must be on; None finds it.
        source: what the table is called in messages.

    Raises:
        DataError: the table cannot be used as it is; the message names the column, the row and the remedy.
    """
    source = source or Source()
    table = select(frame, [time, *([series] if series is not None else []), *values], source)
    if table.is_empty():
        raise DataError(f"{source.name} holds no rows: expected at least two for each series")
    names, bounds, order = group_rows(table, series, source)

    def where(row: int) -> str:
        return source.row(row if order is None else int(order[row]))

    def column(name: str) -> pl.Series:
        return table[name] if order is None else table[name].gather(order)

    if axis is None and int(np.diff(bounds).max()) < 2:
        raise DataError(f"every series in {source.name} has a single row: the step needs at least two")
    axis, ticks = place(column(time), bounds, axis, filling=fill is not None, where=where, names=names)
    starts = ticks[bounds[:-1]].copy()
    grid = _grid(ticks, bounds, starts, axis.step)
    if grid is not None:
        lengths = (ticks[bounds[1:] - 1] - starts) // axis.step + 1
        if lengths.sum() > MOST_FILLED * len(table):
            raise DataError(
                f"time column {time!r} has gaps of {lengths.sum() - len(table):,} rows in all, where {source.name} has "
                f"{len(table):,}: look for a wrong time, or resample the table to a longer step"
            )
        bounds = np.concatenate([[0], np.cumsum(lengths)])
    columns, filled = {}, {}
    for name in values:
        numbers = numbers_of(column(name), where)
        missing = missing_in(numbers)
        if missing is not None and fill is None:
            row = int(missing.argmax())
            kind = "infinite" if np.isinf(numbers[row]) else "missing"
            raise DataError(
                f"column {name!r} is {kind} in {where(row)} ({int(missing.sum())} such in all): expected a "
                "number in every row; fill them in by `fill` = forward, linear or zero (`--fill`)"
            )
        if grid is not None:
            spread = np.full(int(bounds[-1]), np.nan)
            spread[grid] = numbers
            numbers, missing = spread, ~np.isfinite(spread)
        if missing is not None and missing.any() and fill is not None:
            numbers = _fill_in(numbers, missing, bounds, fill, name, names)
            filled[name] = missing
        columns[name] = numbers
    return Panel(axis, names, bounds, starts, columns, filled)


def group_rows(
    table: pl.DataFrame, series: str | None, source: Source
) -> tuple[tuple[Any, ...], Int64[np.ndarray, " bounds"], Int64[np.ndarray, " rows"] | None]:
    """The series' names, their bounds, and the order of rows that lays them end to end, where one is needed."""
    rows = len(table)
    if series is None:
        return ("",), np.array([0, rows]), None
    column = table[series]
    if column.null_count():
        row = int(column.is_null().arg_true()[0])
        raise DataError(
            f"series column {series!r} is empty in {source.row(row)}: every row must say which series it belongs to"
        )
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if not (column.dtype == pl.String or column.dtype.is_integer()):
        raise DataError(
            f"series column {series!r} is of type {column.dtype}: expected text or whole numbers; convert it"
        )
    runs = np.flatnonzero((column != column.shift(1)).fill_null(True).to_numpy())
    names = column.gather(runs)
    if names.n_unique() == len(names):
        return tuple(names.to_list()), np.append(runs, rows).astype(np.int64), None
    codes = pl.select(pl.lit(column).rank("dense")).to_series().to_numpy() - 1
    _, first = np.unique(codes, return_index=True)
    appearance = np.argsort(np.argsort(first))
    codes = appearance[codes]
    order = np.argsort(codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
    return tuple(column.gather(np.sort(first)).to_list()), bounds, order


def _grid(
    ticks: Int64[np.ndarray, " rows"],
    bounds: Int64[np.ndarray, " bounds"],
    starts: Int64[np.ndarray, " series"],
    step: int,
) -> Int64[np.ndarray, " rows"] | None:
    """Where each row goes in a panel without gaps, or None where there are none."""
    spans = (ticks[bounds[1:] - 1] - starts) // step + 1
    if (spans == np.diff(bounds)).all():
        return None
    begins = np.concatenate([[0], np.cumsum(spans)[:-1]])
    lengths = np.diff(bounds)
    rows: Int64[np.ndarray, " rows"] = np.repeat(begins, lengths) + (ticks - np.repeat(starts, lengths)) // step
    return rows


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
