"""The time axis: where each row of a table stands, and the regular step between rows.

Time is kept as whole numbers ("ticks"), so that a step is exact and a position is a subtraction:

    kind        a tick is                        a step of 2 is        season found from the step
    integer     the number in the column         every second number   none (looked for in the values)
    clock       a microsecond                    two microseconds      a day of hours, a week of days, ...
    month       a month since January of year 0  every second month    a year of months or quarters

A table in a time zone with summer time keeps `clock` where its instants are regular, and `wall=True` where
the hands of the clock are (a row every midnight).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Float64, Int64

from sluicegate.errors import ConfigError, DataError

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
WEEK, YEAR = 7 * DAY, int(365.2425 * DAY)
MONTHS_TO_1970 = 1970 * 12
_LAST = 2**63 - 1
MONDAY = 4 * DAY  # 1970-01-05, the first Monday of the epoch

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


@dataclass(frozen=True)
class TimeAxis:
    """A regular time axis.

    Args:
        kind: `integer`, `clock` or `month`; see the top of this file.
        step: ticks from one row to the next, at least 1.
        zone: the time zone's name, or None where stamps carry none.
        unit: what the column held: `int`, `date`, or a time stamp's resolution `ms`, `us` or `ns`.
        wall: the hands of the clock are regular, not the instants.
        anchor: for months, microseconds from the first of the month to the stamp.
        month_end: for months, the stamp is on the last day of its month.
    """

    kind: Literal["integer", "clock", "month"]
    step: int
    zone: str | None = None
    unit: str = "int"
    wall: bool = False
    anchor: int = 0
    month_end: bool = False

    @property
    def season(self) -> int | None:
        """Steps in the season that this step suggests, or None where it suggests none."""
        if self.kind == "month":
            return 12 // self.step if 12 % self.step == 0 and self.step < 12 else None
        if self.kind == "clock":
            for below, period in (
                (SECOND, SECOND),
                (MINUTE, HOUR),
                (DAY, DAY),
                (WEEK, WEEK),
                (31 * DAY, YEAR),
            ):
                if self.step < below:
                    return round(period / self.step)
        return None

    def describe_step(self) -> str:
        """The step in words: `1 hour`, `7 days`, `3 months`."""
        if self.kind == "integer":
            return str(self.step)
        if self.kind == "month":
            return _plural(self.step, "month")
        for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND)):
            if self.step % size == 0:
                return _plural(self.step // size, name)
        return _plural(self.step, "microsecond")

    def ticks(self, column: pl.Series) -> Int64[np.ndarray, " rows"]:
        """The ticks of a column that `parse_time` returned."""
        return ticks_of(column, self.kind, wall=self.wall)

    def stamps(self, ticks: Int64[np.ndarray, " rows"], name: str = "time") -> pl.Series:
        """The column, as the user wrote it, that has these ticks."""
        if self.kind == "integer":
            return pl.Series(name, ticks)
        if self.kind == "month":
            first = (ticks - MONTHS_TO_1970).astype("datetime64[M]")
            if self.month_end:
                first = (first + 1).astype("datetime64[D]") - 1
            us = first.astype("datetime64[us]").astype(np.int64) + self.anchor
        else:
            us = ticks
        column = pl.Series(name, us).cast(pl.Datetime("us"))
        if self.unit == "date":
            return column.cast(pl.Date)
        if self.zone is not None:
            if self.wall or self.kind == "month":
                column = column.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
            else:
                column = column.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone)
        return column.dt.cast_time_unit(self.unit) if self.unit != "us" else column  # type: ignore[arg-type]

    def tick_of(self, moment: Any) -> int:
        """The tick of one moment: text, a date, a time stamp or a whole number.

        Raises:
            ConfigError: it is not a moment of this axis.
        """
        expected = "a whole number" if self.kind == "integer" else "a time stamp such as 2024-01-31 00:00"
        try:
            if self.kind == "integer":
                if isinstance(moment, float) and not moment.is_integer():
                    raise TypeError
                return int(moment)
            if hasattr(moment, "to_pydatetime"):
                moment = moment.to_pydatetime()
            if isinstance(moment, np.datetime64):
                moment = str(moment)
            values = [moment] if isinstance(moment, (str, datetime, date)) else None
            if values is None:
                raise TypeError
            column = parse_time(pl.Series("start", values), str)
            zone = getattr(column.dtype, "time_zone", None)
            if zone is None and self.zone is not None:
                column = column.cast(pl.Datetime("us")).dt.replace_time_zone(self.zone)
            elif zone is not None and self.zone is None:
                raise TypeError
            elif zone is not None and self.zone is not None:
                column = column.dt.convert_time_zone(self.zone)
        except (TypeError, ValueError, DataError, pl.exceptions.PolarsError) as error:
            raise ConfigError(f"`start` (={moment!r}) must be {expected}, as in the time column") from error
        return int(self.ticks(column)[0])

    def local(self, ticks: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """Microseconds since 1970 by the local clock, which calendar effects follow."""
        if self.kind == "month":
            return (ticks - MONTHS_TO_1970).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        if self.zone in (None, "UTC") or self.wall:
            return ticks
        flat = pl.Series(ticks.reshape(-1)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        naive = flat.dt.convert_time_zone(self.zone or "UTC").dt.replace_time_zone(None)
        return naive.cast(pl.Int64).to_numpy().reshape(ticks.shape)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def ticks_of(column: pl.Series, kind: str, *, wall: bool) -> Int64[np.ndarray, " rows"]:
    """The ticks of a time column; a view of it where the column is already in ticks."""
    if kind == "integer":
        return column.cast(pl.Int64).to_numpy()
    if kind == "month":
        naive = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column
        return (naive.dt.year().cast(pl.Int64) * 12 + naive.dt.month().cast(pl.Int64) - 1).to_numpy()
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
    if wall:
        column = column.dt.replace_time_zone(None)
    return column.dt.cast_time_unit("us").cast(pl.Int64).to_numpy()


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


def calendar_periods(axis: TimeAxis, span: int) -> list[tuple[int, int]]:
    """Periods, in microseconds, whose effect `span` steps suffice to learn, each with its number of harmonics.

    A period counts when it is at least two steps long and was seen at least twice: a year's effect cannot be
    told from a trend in thirteen months of data.
    """
    if axis.kind == "integer":
        return []
    step = axis.step * (YEAR // 12 if axis.kind == "month" else 1)
    every = [(DAY, 2), (WEEK, 3), (YEAR, 2)]
    return [(period, count) for period, count in every if 2 * step <= period and 2 * period <= span * step]


def calendar_features(
    axis: TimeAxis, periods: list[tuple[int, int]], ticks: Int64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape features"]:
    """Sines and cosines of the place of each tick in its day, week and year, by the local clock."""
    width = 2 * sum(count for _, count in periods)
    features = np.empty((*ticks.shape, width))
    if not periods:
        return features
    local = axis.local(ticks) - MONDAY
    column = 0
    for period, count in periods:
        angle = (local % period) * (2 * np.pi / period)
        for harmonic in range(1, count + 1):
            features[..., column] = np.sin(harmonic * angle)
            features[..., column + 1] = np.cos(harmonic * angle)
            column += 2
    return features
