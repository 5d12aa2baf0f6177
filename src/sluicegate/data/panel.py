"""From a long table to a panel: many regular series, end to end, checked and without gaps."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Bool, Float64, Int64
from narwhals.exceptions import DuplicateError

from sluicegate.errors import DataError

from .axis import DAY, HOUR, TimeAxis, parse_time, ticks_of

Fill: TypeAlias = Literal["forward", "linear", "zero"]
"""How missing values and missing rows are filled in: the last value before, a straight line, or 0."""

LARGEST = 1e30
"""Values beyond this are refused: their squares would not fit into a 32-bit float's range with room to spare."""

MOST_FILLED = 100
"""How many times as long a table may grow by filling in rows: a mistyped year must not fill the memory."""

_CHUNK = 1 << 20  # rows looked at together, so that checks need little memory beside the table


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


@dataclass(frozen=True)
class Source:
    """What a table is called in messages: a file with line numbers, or a frame with row numbers."""

    name: str = "the table"
    first_line: int | None = None

    def row(self, index: int) -> str:
        """How a reader finds the row."""
        return f"row {index}" if self.first_line is None else f"line {index + self.first_line} of {self.name}"


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
    table = _select(frame, [time, *([series] if series is not None else []), *values], source)
    if table.is_empty():
        raise DataError(f"{source.name} holds no rows: expected at least two for each series")
    names, bounds, order = _group(table, series, source)

    def where(row: int) -> str:
        return source.row(row if order is None else int(order[row]))

    def column(name: str) -> pl.Series:
        return table[name] if order is None else table[name].gather(order)

    if axis is None and int(np.diff(bounds).max()) < 2:
        raise DataError(f"every series in {source.name} has a single row: the step needs at least two")
    axis, ticks = _place(column(time), bounds, axis, fill, where, names)
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
        numbers = _numbers(column(name), where)
        missing = _missing(numbers)
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


def _select(frame: Any, wanted: list[str], source: Source) -> pl.DataFrame:
    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        remedy = "; call `.collect()` first" if isinstance(frame, pl.LazyFrame) else "; convert it"
        raise DataError(
            f"expected a pandas or polars data frame or an Arrow table, not {type(frame).__name__}{remedy}"
        ) from error
    except DuplicateError as error:
        raise DataError(f"{source.name} has two columns of one name: rename one of them") from error
    for name in wanted:
        if name not in table.columns:
            raise DataError(f"there is no column {name!r} in {source.name}: {_near(name, table)}")
    repeated = sorted({name for name in wanted if wanted.count(name) > 1})
    if repeated:
        raise DataError(f"column {repeated[0]!r} is asked for twice: give each column one role")
    if table.implementation.is_polars():
        # Column by column: `select` goes through the query engine, whose threads take a millisecond to wake.
        native: pl.DataFrame = table.to_native()
        return pl.DataFrame([native[name] for name in wanted])
    table = table.select(wanted)
    for name in wanted:
        if table[name].dtype == nw.Object:
            _refuse_mixed_zones(table[name].to_list(), name, source)
        elif re.search(r"[+-]\d{2}:\d{2}", getattr(table[name].dtype, "time_zone", None) or ""):
            # An offset is no zone: such times are read as UTC, as they are from text.
            table = table.with_columns(nw.col(name).dt.convert_time_zone("UTC"))
    try:
        converted = pl.DataFrame([_to_polars(table[name]) for name in wanted])
    except Exception as error:  # pyarrow raises many kinds; each means a column of mixed types
        raise DataError(
            f"{_mixed(table)} in {source.name} holds values of mixed types ({error}): make them all of one type"
        ) from error
    return converted


def _to_polars(column: nw.Series[Any]) -> pl.Series:
    native = column.to_native()
    if column.implementation.is_pandas() and isinstance(native.dtype, np.dtype) and native.dtype.kind in "iufM":
        # These lie in memory as they are needed; the way over Arrow takes milliseconds.
        return pl.Series(column.name, native.to_numpy())
    return column.to_polars()


def _mixed(table: nw.DataFrame[Any]) -> str:
    """The column that cannot be converted."""
    for name in table.columns:
        try:
            table.select(name).to_polars()
        except Exception:  # the same kinds as for the whole table
            return f"column {name!r}"
    return "a column"


def _near(name: str, table: nw.DataFrame[Any]) -> str:
    """What a missing column may have been meant to be."""
    index = nw.maybe_get_index(table)  # of pandas alone
    if index is not None and (name in index.names or str(index.dtype).startswith("datetime64")):
        return "the table's index holds the times; make it a column by `reset_index()`"
    columns = [str(column) for column in table.columns]
    near = difflib.get_close_matches(str(name), columns, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(columns) - 20} more" if len(columns) > 20 else ""
    return f"its columns are {', '.join(columns[:20])}{more}; name one of them"


def _refuse_mixed_zones(values: list[Any], name: str, source: Source) -> None:
    seen: tuple[int, object] | None = None
    for row, value in enumerate(values):
        zone = getattr(value, "tzinfo", None)
        if not hasattr(value, "tzinfo"):
            return
        if seen is None:
            seen = (row, zone)
        elif str(zone) != str(seen[1]):
            raise DataError(
                f"time column {name!r} mixes time zones: {seen[1]} in {source.row(seen[0])}, {zone} in "
                f"{source.row(row)}; write all of them in one zone, UTC for instance"
            )


def _group(
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


def _place(
    column: pl.Series,
    bounds: Int64[np.ndarray, " bounds"],
    axis: TimeAxis | None,
    fill: Fill | None,
    where: Callable[[int], str],
    names: tuple[Any, ...],
) -> tuple[TimeAxis, Int64[np.ndarray, " rows"]]:
    """The axis of a time column and the tick of each of its rows, both checked."""
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
        fault = bad & ((steps <= 0) | (steps % axis.step != 0)) if fill is not None else bad
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


def _numbers(column: pl.Series, where: Callable[[int], str]) -> Float64[np.ndarray, " rows"]:
    """A column as 64-bit floats, a view of it where it is that already; missing values become NaN."""
    if column.dtype == pl.String:
        parsed = column.str.strip_chars().cast(pl.Float64, strict=False)
        bad = parsed.is_null() & column.is_not_null()
        if bad.any():
            row = int(bad.arg_true()[0])
            comma = "write it without thousands separators and with a decimal point"
            raise DataError(
                f"column {column.name!r} holds the text {column[row]!r} in {where(row)} ({int(bad.sum())} such "
                f"in all): expected a number; {comma if ',' in column[row] else 'correct or remove it'}"
            )
        column = parsed
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise DataError(f"column {column.name!r} is of type {column.dtype}: expected numbers")
    numbers = column.cast(pl.Float64).to_numpy()
    for begin in range(0, len(numbers), _CHUNK):
        part = np.abs(numbers[begin : begin + _CHUNK])
        large = (part > LARGEST) & np.isfinite(part)
        if large.any():
            row = begin + int(large.argmax())
            raise DataError(
                f"column {column.name!r} holds {numbers[row]:g} in {where(row)}: expected values of at most "
                f"{LARGEST:g} in size; rescale the column or remove the row"
            )
    return numbers


def _missing(numbers: Float64[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"] | None:
    for begin in range(0, len(numbers), _CHUNK):
        if not np.isfinite(numbers[begin : begin + _CHUNK]).all():
            missing: Bool[np.ndarray, " rows"] = ~np.isfinite(numbers)
            return missing
    return None


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
