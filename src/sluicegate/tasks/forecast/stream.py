"""The stream of a forecaster: a row in, the forecast of the next horizon of its series out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from sluicegate.data import Panel, Source
from sluicegate.data.columns import LARGEST, numbers_of, select
from sluicegate.data.frames import kind_named, like
from sluicegate.data.headings import headed
from sluicegate.errors import DataError
from sluicegate.streaming.guarding import GuardedStream, alone
from sluicegate.tasks.config import listed

from .batches import Columns
from .forecasting import forecast_next, last_rows
from .past import Past, restored, taken
from .trained import Trained

KIND = "forecast"
_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?")
_SOURCE = Source("what was pushed", place=lambda row: f"row {row}")

Row = Mapping[str, Any]
Read = Callable[[Any, Columns, Source], Panel]


class ForecastStream(GuardedStream):
    """A stream of rows: each is answered by the forecast of the horizon that follows it in its series.

    The forecast is that of `predict` of all rows that the series has had so far, to the bit. For a series that training
    did not have, whose scale is that of its rows, it is that of `predict` of the rows that are kept. Each series is a
    stream for itself: what comes of one says nothing of another.

    Of each series the last `context` rows are kept, eight bytes for each column and row, and nothing else. A row that
    does not follow the one before, or has no number where one must be, is filled in as the model's `fill` says or
    refused, by the sentence that `predict` has for such a table.

    Open it by `Forecaster.open_stream`.
    """

    def __init__(self, trained: Trained, read: Read, fill: str | None, fingerprint: str, *, warm: bool) -> None:
        self._trained, self._read, self._fill, self.fingerprint = trained, read, fill, fingerprint
        self._context = trained.shape.context
        self._warm = warm
        self._pasts = self._first()
        self.notes: tuple[str, ...] = ()
        """What must be known of the last forecast, a sentence each: which series is new, short, of another scale."""

    @property
    def nbytes(self) -> int:
        """The memory of all series, in bytes."""
        return sum(values.nbytes for past in self._pasts.values() for values in past.panel.columns.values())

    @alone
    def push(self, x: Any, *, future: Any = None) -> Any:
        """Read a row, or a chunk of them.

        Args:
            x: a mapping from the names of the columns to values, which may hold others too; or a chunk: a sequence of
                such, or a data frame, in order of time within each series.
            future: where there are columns known in advance: these for the rows of the horizon, as a mapping for each
                or as a data frame; of a chunk, for those after its last row, since its own rows say it of theirs. They
                need not name the series where `x` is of one.

        Returns:
            The forecast that follows the row, a frame as `Forecaster.predict` gives it without data; of a chunk, a list
            of them, one for each row.

        Raises:
            DataError: it is something else, or is refused; the state is as it was.
            StreamError: the stream was finished.
        """
        self.require_running()
        rows, pasts, frames = _rows_of(x), dict(self._pasts), []
        ahead = [] if future is None else _rows_of(future)
        for number, row in enumerate(rows):
            past = self._extended(pasts, row)
            (name,) = past.panel.names
            pasts[name] = past
            frames.append(self._forecast(past, row, [*rows[number + 1 :], *ahead]))
        self._pasts = pasts
        return frames[0] if isinstance(x, Mapping) else frames

    @alone
    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        self.require_running()
        self.finished = True

    @alone
    def reset(self) -> None:
        """Begin anew, as the stream was opened."""
        self._pasts, self.finished = self._first(), False

    def snapshot(self) -> bytes:
        """Write down the rows that are kept, as `Stream.snapshot` says."""
        return taken(KIND, self.fingerprint, self._pasts, self._trained.columns.values, finished=self.finished)

    @alone
    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        columns, axis = self._trained.columns.values, self._trained.axis
        self._pasts, self.finished = restored(KIND, self.fingerprint, snapshot, columns, axis, self._context)

    def _first(self) -> dict[Any, Past]:
        if not self._warm:
            return {}
        tail, pasts = self._trained.tail, {}
        for number, name in enumerate(tail.names):
            panel = last_rows(tail.take(np.arange(len(tail.names)) == number), self._context)
            pasts[name] = Past(panel, panel.rows, {})
        return pasts

    def _extended(self, pasts: Mapping[Any, Past], row: Row) -> Past:
        """What is remembered of the row's series when it has been read."""
        name = self._plain_name(row)
        past = pasts.get(name)
        if past is not None and (numbers := self._next(past, row)) is not None:
            return past.followed_by(numbers, self._context)
        return self._read_carefully(pasts, row)

    def _plain_name(self, row: Row) -> Any:
        """The series as an ordinary row names it."""
        series = self._trained.columns.series
        if series is None:
            return ""
        parts = tuple(row.get(part) for part in listed(series))
        if not all(type(part) is str or type(part) is int for part in parts):
            return None
        return parts[0] if isinstance(series, str) else parts

    def _next(self, past: Past, row: Row) -> dict[str, float] | None:
        """The numbers of a row at the next step in which nothing is missing; None leaves others to the readers."""
        axis, time = past.panel.axis, row.get(self._trained.columns.time)
        if axis.kind == "integer":
            tick = time if type(time) is int else None
        elif axis.kind == "clock" and axis.zone is None and axis.unit != "date":
            if type(time) is str and _STAMP.fullmatch(time):
                try:
                    time = datetime.fromisoformat(time)
                except ValueError:
                    return None
            tick = (time - _EPOCH) // _MICROSECOND if type(time) is datetime and time.tzinfo is None else None
        else:
            tick = None
        if tick is None or tick != past.panel.starts[0] + past.panel.rows * axis.step:
            return None
        numbers = {}
        for name in self._trained.columns.values:
            number = row.get(name)
            if not (isinstance(number, float) or type(number) is int) or not abs(number) <= LARGEST:
                return None
            numbers[name] = float(number)
        return numbers

    def _read_carefully(self, pasts: Mapping[Any, Past], row: Row) -> Past:
        """The same by the readers of tables, which fill in what is missing or say what is wrong."""
        columns = self._trained.columns
        roles = Columns(columns.time, (), columns.series, columns.values)
        table = _table_of([row], (columns.time, *listed(columns.series), *columns.values))
        where = Source("the stream", place=lambda number: f"row {number}")
        place = self._read(table, Columns(columns.time, (), columns.series), where)
        (name,) = place.names
        past = pasts.get(name)
        count = 0 if past is None else past.rows
        found = select(table, list(columns.values), where)
        numbers = {column: float(numbers_of(found[column], lambda _: where.row(count))[0]) for column in columns.values}
        if columns.known and not any(np.isfinite(numbers[target]) for target in columns.targets):
            raise DataError(
                f"{', '.join(columns.targets)} is missing in {where.row(count)}: push a row when it has come, and give "
                "what is known of it in advance as `future` before"
            )
        if past is None:
            panel = self._read(table, roles, where)
            return Past(panel, 1, {})
        before, apart = past.panel, listed(columns.series)
        begin = count - before.rows
        stamps = before.axis.stamps(before.starts[0] + np.arange(before.rows) * before.axis.step)
        last = place.axis.stamps(place.starts)
        joined = {columns.time: pl.concat([stamps, last.cast(stamps.dtype)])}
        for part, value in zip(apart, name if isinstance(name, tuple) else (name,) * len(apart), strict=True):
            joined[part] = pl.Series(part, [value] * (before.rows + 1))
        for column in columns.values:
            joined[column] = pl.Series(column, np.append(before.columns[column], numbers[column]))
        source = Source("the stream", place=lambda number: f"row {begin + number}")
        panel = self._read(pl.DataFrame(joined), roles, source)
        if self._fill == "linear":
            guessed = {c: (float(before.columns[c][-1]), 0) for c, n in numbers.items() if not np.isfinite(n)}
            past = Past(before, past.rows, {**guessed, **past.guessed})
        return past.read_again(panel, numbers, self._context)

    def _forecast(self, past: Past, row: Row, after: Sequence[Row]) -> Any:
        trained, ahead = self._trained, None
        if known := trained.columns.known:
            ahead = self._ahead(past, row, after, known)
        frame, notes = forecast_next(trained, past.panel, ahead)
        self.notes = tuple(notes)
        return like(frame, kind_named(trained.frame))

    def _ahead(self, past: Past, row: Row, after: Sequence[Row], known: Sequence[str]) -> Panel:
        """What is known of the horizon of a row, from those that follow it."""
        columns = self._trained.columns
        apart = {part: row[part] for part in listed(columns.series)}
        names = (columns.time, *apart, *known)
        found = [{**apart, **other} for other in after]
        rows = [other for other in found if all(other[part] == value for part, value in apart.items())]
        if not rows:
            raise DataError(
                f"the model knows {', '.join(known)} in advance: give these of the next {self._trained.shape.horizon} "
                f"rows as `future` with row {past.rows - 1} of the stream"
            )
        roles = Columns(columns.time, (), columns.series, (), tuple(known))
        return self._read(_table_of(rows, names), roles, Source("`future`"))


def _rows_of(x: Any) -> list[Row]:
    """Rows as mappings, from one, from several or from a data frame."""
    if isinstance(x, Mapping):
        return [x]
    if isinstance(x, Sequence) and not isinstance(x, str | bytes) and all(isinstance(row, Mapping) for row in x):
        return list(x)
    try:
        return list(nw.from_native(headed(x), eager_only=True).rows(named=True))
    except TypeError as error:
        raise DataError(
            f"expected a row, as a mapping from the names of its columns, or several as a list of these or a data "
            f"frame, not {type(x).__name__}"
        ) from error


def _table_of(rows: Sequence[Row], names: Sequence[str]) -> pl.DataFrame:
    """The columns that are wanted of some rows; one that no row has is left for the reader to miss."""
    found = [name for name in names if any(name in row for row in rows)]
    try:
        return pl.DataFrame({name: pl.Series(name, [row.get(name) for row in rows]) for name in found})
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{_SOURCE.name} is no row of a table ({' '.join(str(error).split())}): give numbers, texts and times"
        ) from error
