"""The columns of a table as users have it, pandas, polars or Arrow: those that are wanted, and their numbers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Bool, Float64
from narwhals.exceptions import DuplicateError

from sluicegate.errors import DataError

from .headings import headed
from .names import quoted
from .serial import computed

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None")
"""Words for a missing number; in a column of ids, classes or texts they are what they are, and only "" is missing."""

LARGEST = 1e30
"""Values beyond this are refused: their squares would not fit into a 32-bit float's range with room to spare."""

_LIKE = 0.75  # how like a name is to what may have been meant; with 0.6, "text" was taken for a slip of "target"
_CHUNK = 1 << 20  # rows looked at together, so that checks need little memory beside the table


@dataclass(frozen=True)
class Source:
    """What a table is called in messages: a file with line numbers, or a frame with row numbers.

    Args:
        name: of the table.
        first_line: the line number of the first row, in a file with a line for each row.
        recordings: the names of what stands for rows, where these are recordings.
        place: called with a row's position, says where it stands, such as `line 7`; for a file whose rows may have
            several lines.
    """

    name: str = "the table"
    first_line: int | None = None
    recordings: tuple[Any, ...] | None = None
    place: Callable[[int], str] | None = None

    def row(self, index: int) -> str:
        """How a reader finds the row."""
        if self.recordings is not None:
            return f"recording {self.recordings[index]!r} of {self.name}"
        if self.place is not None:
            return f"{self.place(index)} of {self.name}"
        return f"row {index}" if self.first_line is None else f"line {index + self.first_line} of {self.name}"


def select(frame: Any, wanted: list[str], source: Source) -> pl.DataFrame:
    """The columns that are wanted, in this order, without a copy where there need not be one.

    Raises:
        DataError: it is no table, or a column is missing, asked for twice, or of mixed types.
    """
    try:
        table = nw.from_native(headed(frame, source.name), eager_only=True)
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
        return pl.DataFrame({name: native[name] for name in wanted})  # of a list, a column without a name would get one
    table = table.select(wanted)
    for name in wanted:
        if table[name].dtype == nw.Object:
            _refuse_mixed_zones(table[name].to_list(), name, source)
        elif re.search(r"[+-]\d{2}:\d{2}", getattr(table[name].dtype, "time_zone", None) or ""):
            # An offset is no zone: such times are read as UTC, as they are from text.
            table = table.with_columns(nw.col(name).dt.convert_time_zone("UTC"))
    try:
        converted = pl.DataFrame({name: _to_polars(table[name]) for name in wanted})
    except Exception as error:  # pyarrow raises many kinds; each means a column of mixed types
        name, examples = _mixed(table, source)
        raise DataError(
            f"{name} in {source.name} holds values of mixed types ({examples or error}): make them all of one type"
        ) from error
    return converted


def _to_polars(column: nw.Series[Any]) -> pl.Series:
    native = _without_periods(column)
    if column.implementation.is_pandas() and isinstance(native.dtype, np.dtype) and native.dtype.kind in "iufM":
        # These lie in memory as they are needed; the way over Arrow takes milliseconds.
        values = native.to_numpy()
        return pl.Series(column.name, values.astype("datetime64[ms]") if values.dtype == "datetime64[s]" else values)
    if native is not column.to_native():
        column = nw.from_native(native, series_only=True)
    return column.to_polars()


def _without_periods(column: nw.Series[Any]) -> Any:
    """The column as it is; the periods of pandas become the times at which they begin."""
    native = column.to_native()
    if not column.implementation.is_pandas():
        return native
    if str(native.dtype).startswith("period"):
        return native.dt.to_timestamp()
    if native.dtype == object and len(native) and hasattr(native.iloc[0], "to_timestamp"):
        return native.map(lambda value: value.to_timestamp() if hasattr(value, "to_timestamp") else value)
    return native


def _mixed(table: nw.DataFrame[Any], source: Source) -> tuple[str, str]:
    """The column that cannot be converted, and two of its values that cannot stand together."""
    for name in table.columns:
        try:
            table.select(name).to_polars()
        except Exception:  # the same kinds as for the whole table
            first: dict[type, int] = {}
            values = table[name].to_list()
            for row, value in enumerate(values):
                if value is not None and value == value:
                    first.setdefault(type(value), row)
            rows = sorted(first.values())[:2]
            examples = " and ".join(f"{quoted(values[row])} in {source.row(row)}" for row in rows)
            return f"column {name!r}", examples if len(rows) > 1 else ""
    return "a column", ""


def _near(name: str, table: nw.DataFrame[Any]) -> str:
    """What a missing column may have been meant to be."""
    index = nw.maybe_get_index(table)  # of pandas alone
    if index is not None and name in index.names:
        return "the table's index holds it; make it a column by `reset_index()`"
    columns = [str(column) for column in table.columns]
    cased = [column for column in columns if column.lower() == str(name).lower()]
    near = cased or difflib.get_close_matches(str(name), columns, n=1, cutoff=_LIKE)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(columns) - 20} more" if len(columns) > 20 else ""
    listed = f"its columns are {', '.join(columns[:20])}{more}; name one of them"
    if index is not None and str(index.dtype).startswith(("datetime64", "period")):
        return f"{listed}, or make the index, which holds times, a column by `reset_index(names={name!r})`"
    return listed


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


def numbers_of(column: pl.Series, where: Callable[[int], str]) -> Float64[np.ndarray, " rows"]:
    """A column as 64-bit floats, a view of it where it is that already; missing values become NaN.

    Args:
        column: numbers, truth values, or text that is numbers.
        where: called with a row's position, names that row for a message.

    Raises:
        DataError: a value is no number, or larger than `LARGEST`.
    """
    if column.dtype == pl.String:
        written = computed(column, lambda text: text.str.strip_chars())
        parsed = written.cast(pl.Float64, strict=False)
        bad = parsed.is_null() & column.is_not_null()
        if bad.any():
            bad &= ~computed(written, lambda text: text.is_in(MISSING))
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


def missing_in(numbers: Float64[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"] | None:
    """The rows without a finite number, or None where every row has one."""
    for begin in range(0, len(numbers), _CHUNK):
        if not np.isfinite(numbers[begin : begin + _CHUNK]).all():
            missing: Bool[np.ndarray, " rows"] = ~np.isfinite(numbers)
            return missing
    return None
