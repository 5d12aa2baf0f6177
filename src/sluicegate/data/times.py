"""Read the times of a table, as users have them: whole numbers, dates, time stamps, or text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from sluicegate.errors import DataError

from .serial import changes, computed

_LAST = 2**63 - 1
_FIRST_DAY, _LAST_DAY = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (date.min, date.max))

# The forms in which time stamps are read from text: year first, so that day and month cannot be mixed up.
_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
)
_MONTH = (
    r"(?i:(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?)"
)
# What names a whole month or week, or has its month in letters, and how it is written out so that one form reads it.
_SHORT = (
    (r"^(\d{4})[-/](\d{2})$", "${1}-${2}-01", "%Y-%m-%d"),
    (r"^(\d{4})[-/ ]?[Mm](\d{2})$", "${1}-${2}-01", "%Y-%m-%d"),
    (r"^(\d{4})-?W(\d{2})$", "${1}-W${2}-1", "%G-W%V-%u"),
    (rf"^{_MONTH}[-/ ](\d{{4}})$", "1 ${1} ${2}", "%d %b %Y"),
    (rf"^(\d{{4}})[-/ ]{_MONTH}$", "1 ${2} ${1}", "%d %b %Y"),
    (rf"^(\d{{1,2}})[-/ ]{_MONTH}[-/ ](\d{{4}})$", "${1} ${2} ${3}", "%d %b %Y"),
    (rf"^{_MONTH} (\d{{1,2}}),? (\d{{4}})$", "${2} ${1} ${3}", "%d %b %Y"),
)
_QUARTERS = ((r"^(\d{4})[-/ ]?[Qq]([1-4])$", 1, 2), (r"^[Qq]([1-4])[-/ ](\d{4})$", 2, 1))
_NUMBER = r"^[+-]?\d{1,18}$"
_OFFSET = r"(?i)(?:Z|[+-]\d{2}:?\d{2})$"


def parse_time(column: pl.Series, where: Any) -> pl.Series:
    """Turn a time column as users have it into whole numbers, dates or time stamps.

    Args:
        column: whole numbers, dates, time stamps, or text: one of the year-first forms of ISO 8601, months (`1949-01`,
            `Jan 1949`), quarters (`1949Q1`), weeks (`2024-W05`), days such as `Jan 1 2000`, or whole numbers.
        where: called with a row's position, names that row for a message.

    Raises:
        DataError: a value is missing or not a time, or time zones are mixed.
    """
    missing = column.null_count()
    if missing:
        row = int(column.is_null().arg_true()[0])
        raise DataError(
            f"time column {column.name!r} is empty in {where(row)} ({missing} such in all): "
            "every row needs a time; remove these rows or fill the time in"
        )
    if column.dtype.is_integer():
        if column.dtype == pl.UInt64 and (column > _LAST).any():
            raise DataError(
                f"time column {column.name!r} holds numbers beyond {_LAST}: expected numbers up to it; number the "
                "rows 0, 1, 2, ..."
            )
        return column
    if column.dtype.is_float():
        whole = (column == column.round()) & column.is_finite()
        if whole.all():
            return column.cast(pl.Int64)
        row = int((~whole).arg_true()[0])
        raise DataError(
            f"time column {column.name!r} holds {column[row]} in {where(row)}: expected whole numbers or "
            "time stamps; number the rows 0, 1, 2, ... or give time stamps"
        )
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        _require_years(column, where)
        return column
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        return _parse_text(column, where)
    raise DataError(
        f"time column {column.name!r} is of type {column.dtype}: expected time stamps, dates or whole numbers; "
        "convert it"
    )


def _require_years(column: pl.Series, where: Any) -> None:
    """Refuse years that no calendar of Python's has: a number was taken for a time of another unit."""
    unit = "d" if column.dtype == pl.Date else column.dtype.time_unit  # type: ignore[attr-defined]
    if unit == "ns":
        return  # 64 bits of them reach from 1677 to 2262
    a_day = {"d": 1, "ms": 86_400_000, "us": 86_400_000_000}[unit]
    ticks = column.to_physical()
    beyond = (ticks < _FIRST_DAY * a_day) | (ticks >= (_LAST_DAY + 1) * a_day)
    if beyond.any():
        row = int(beyond.arg_true()[0])
        raise DataError(
            f"time column {column.name!r} holds a year before 1 or after 9999 in {where(row)} ({int(beyond.sum())} "
            "such in all): look whether numbers were converted from the right unit, such as milliseconds"
        )


def _parse_text(column: pl.Series, where: Any) -> pl.Series:
    column = computed(column, lambda text: text.str.strip_chars())
    for parsed in _short_forms(column):
        _require_parsed(parsed, column, where)
        return parsed
    # A date such as 2024-01-31 ends like an offset of -01:31 would; an offset follows a time of day.
    offsets = computed(
        column,
        lambda text: pl.when(text.str.contains(":")).then(text.str.extract(f"({_OFFSET})").str.to_uppercase()),
    )
    kinds = offsets.unique()
    if len(kinds) > 1:
        row = int(changes(offsets)[1:].argmax()) + 1
        raise DataError(
            f"time column {column.name!r} mixes time zones: {column[0]!r} in {where(0)}, {column[row]!r} in "
            f"{where(row)}; write all of them in one zone, UTC for instance, and days by their date alone"
        )
    zoned = kinds[0] is not None
    if zoned:
        column = computed(column, lambda text: text.str.replace(r"(?i)Z$", "+00:00"))
    sample = column.head(1000)
    forms = [form + "%#z" if zoned else form for form in _FORMATS]
    # The form that most of the first rows have, so that a row that has another is the one that is named.
    form = min(forms, key=lambda form: _read(sample, form).null_count())
    parsed = _read(column, form)
    _require_parsed(parsed, column, where)
    if ":" not in form:
        return parsed.cast(pl.Date)
    return parsed


def _read(column: pl.Series, form: str) -> pl.Series:
    """Texts of one form as times; those of another are missing."""
    return computed(column, lambda text: text.str.to_datetime(form, time_unit="us", strict=False))


def _short_forms(column: pl.Series) -> Iterator[pl.Series]:
    """The times where most rows are of a short form or whole numbers; rows that are not are missing from them."""
    sample = column.head(1000)

    def usual(pattern: str) -> bool:
        return 2 * int(computed(sample, lambda text: text.str.contains(pattern)).sum()) > len(sample)

    def where(pattern: str, then: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
        return computed(column, lambda text: pl.when(text.str.contains(pattern)).then(then(text)))

    if usual(_NUMBER):
        yield where(_NUMBER, lambda text: text.str.to_integer(strict=False))
    for pattern, written, form in _SHORT:
        if usual(pattern):
            full = where(pattern, partial(_replaced, pattern=pattern, by=written))
            yield computed(full, partial(_date, form=form))
    for pattern, year, quarter in _QUARTERS:
        if usual(pattern):
            yield computed(column, partial(_quarter, pattern=pattern, year=year, quarter=quarter))


def _replaced(text: pl.Expr, pattern: str, by: str) -> pl.Expr:
    return text.str.replace(pattern, by)


def _date(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.to_date(form, strict=False)


def _quarter(text: pl.Expr, pattern: str, year: int, quarter: int) -> pl.Expr:
    number = text.str.extract(pattern, quarter).cast(pl.Int32)
    return pl.date(text.str.extract(pattern, year).cast(pl.Int32), number * 3 - 2, 1)


def _require_parsed(parsed: pl.Series, column: pl.Series, where: Any) -> None:
    if parsed.null_count():
        row = int(parsed.is_null().arg_true()[0])
        raise DataError(
            f"time column {column.name!r} holds {column[row]!r} in {where(row)}: expected a time stamp with "
            "the year first, such as 2024-01-31 or 2024-01-31 13:00, of the same form in every row"
        )
