"""Read the times of a table, as users have them: whole numbers, dates, time stamps, or text."""

from __future__ import annotations

from typing import Any

import polars as pl

from sluicegate.errors import DataError

_LAST = 2**63 - 1

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
)
_OFFSET = r"(?i)(?:Z|[+-]\d{2}:?\d{2})$"


def parse_time(column: pl.Series, where: Any) -> pl.Series:
    """Turn a time column as users have it into whole numbers, dates or time stamps.

    Args:
        column: whole numbers, dates, time stamps, or text in one of the year-first forms of ISO 8601.
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
        return column
    if column.dtype == pl.String:
        return _parse_text(column, where)
    raise DataError(
        f"time column {column.name!r} is of type {column.dtype}: expected time stamps, dates or whole numbers; "
        "convert it"
    )


def _parse_text(column: pl.Series, where: Any) -> pl.Series:
    column = column.str.strip_chars()
    offsets = column.str.extract(f"({_OFFSET})").str.to_uppercase()
    # A date such as 2024-01-31 ends like an offset of -01:31 would; an offset follows a time of day.
    offsets = pl.select(pl.when(column.str.contains(":")).then(offsets)).to_series()
    kinds = offsets.unique()
    if len(kinds) > 1:
        row = int((offsets != offsets[0]).fill_null(True).arg_true()[0])
        raise DataError(
            f"time column {column.name!r} mixes time zones: {column[0]!r} in {where(0)}, {column[row]!r} in "
            f"{where(row)}; write all of them in one zone, UTC for instance"
        )
    zoned = kinds[0] is not None
    if zoned:
        column = pl.select(pl.lit(column).str.replace(r"(?i)Z$", "+00:00")).to_series().rename(column.name)
    sample = column.head(1000)
    forms = [form + "%#z" if zoned else form for form in _FORMATS]
    # The form that most of the first rows have, so that a row that has another is the one that is named.
    form = min(forms, key=lambda form: sample.str.to_datetime(form, time_unit="us", strict=False).null_count())
    parsed = column.str.to_datetime(form, time_unit="us", strict=False)
    if parsed.null_count():
        row = int(parsed.is_null().arg_true()[0])
        raise DataError(
            f"time column {column.name!r} holds {column[row]!r} in {where(row)}: expected a time stamp with "
            "the year first, such as 2024-01-31 or 2024-01-31 13:00, of the same form in every row"
        )
    if "%H" not in form:
        return parsed.cast(pl.Date)
    return parsed
