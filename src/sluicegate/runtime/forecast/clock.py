"""The time axis of a forecaster as far as rows that follow one another need it; see `sluicegate.data.axis`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import ConfigError, DataError

from .calendar import waves

_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
_DAY = 86_400_000_000
_MONDAY = 4 * _DAY  # 1970-01-05, the first Monday of the epoch
_MONTHS_TO_1970 = 1970 * 12
_SHORT = re.compile(r"\d{4}-\d\d")


@dataclass(frozen=True)
class Clock:
    """A regular time axis without time zone and open hours.

    Args:
        kind: `integer`, `clock` or `month`, of which a tick is a whole number, a microsecond or a month.
        step: ticks from one row to the next.
        unit: what the column held: `int`, `date`, or a time stamp's resolution.
        anchor: for months, microseconds from the first of the month to the stamp.
        month_end: for months, the stamp is on the last day of its month.
    """

    kind: str
    step: int
    unit: str
    anchor: int
    month_end: bool

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Clock:
        """The axis that a saved model has.

        Raises:
            ConfigError: it has a time zone or open hours.
        """
        if saved["zone"] is not None or saved["kind"] == "open" or saved.get("hours") is not None:
            what = "open hours" if saved["zone"] is None else f"the time zone {saved['zone']}"
            raise ConfigError(
                f"the model's times have {what}, of which the runtime knows nothing: use `sluicegate.load`, or train "
                "on times in UTC without a zone"
            )
        return cls(saved["kind"], saved["step"], saved["unit"], saved["anchor"], saved["month_end"])

    def tick(self, moment: Any, place: str) -> int:
        """The tick of a moment.

        Args:
            moment: a whole number, or a date or time stamp of the standard library, of NumPy's, or in ISO 8601.
            place: what names its row in a message.

        Raises:
            DataError: it is none of this axis.
        """
        if isinstance(moment, np.integer):
            moment = int(moment)
        if self.kind == "integer":
            if isinstance(moment, bool) or not isinstance(moment, int):
                raise DataError(f"the time in {place} is {moment!r}: expected a whole number, as in training")
            return moment
        local = (_datetime_of(moment, place) - _EPOCH) // _MICROSECOND
        if self.kind == "clock":
            return local
        months = int(np.int64(local).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64))
        tick = months + _MONTHS_TO_1970
        if self._shown(tick) != local:
            raise DataError(
                f"the time in {place} is {moment}: expected {self.stamp(tick)}, as the rows of training are"
            )
        return tick

    def stamp(self, tick: int) -> int | date | datetime:
        """The moment that has this tick, as the column of training held it."""
        if self.kind == "integer":
            return tick
        moment = _EPOCH + (self._shown(tick) if self.kind == "month" else tick) * _MICROSECOND
        return moment.date() if self.unit == "date" else moment

    def features(self, ticks: ndarray, periods: Sequence[tuple[int, int]]) -> ndarray:
        """The calendar at these ticks, as the network sees it."""
        local = ticks
        if self.kind == "month":
            local = (ticks - _MONTHS_TO_1970).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        found: ndarray = waves(local - _MONDAY, periods).astype(np.float32)
        return found

    def _shown(self, tick: int) -> int:
        """Microseconds from 1970 to the stamp of a month."""
        first = np.int64(tick - _MONTHS_TO_1970).astype("datetime64[M]")
        last = int(((first + 1).astype("datetime64[D]") - 1).astype("datetime64[us]").astype(np.int64))
        if self.month_end:
            return last + self.anchor
        # The 30th of February is its last day.
        return min(int(first.astype("datetime64[us]").astype(np.int64)) + self.anchor, last + self.anchor % _DAY)


def _datetime_of(moment: Any, place: str) -> datetime:
    if isinstance(moment, np.datetime64):
        moment = str(moment.astype("datetime64[us]"))
    if hasattr(moment, "to_pydatetime"):
        moment = moment.to_pydatetime()
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(f"{moment}-01" if _SHORT.fullmatch(moment) else moment)
        except ValueError:
            raise DataError(
                f"the time in {place} is {moment[:40]!r}: expected a time stamp such as 2024-01-31 00:00"
            ) from None
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if not isinstance(moment, datetime) or moment.tzinfo is not None:
        raise DataError(f"the time in {place} is {moment!r}: expected a time stamp without a zone, as in training")
    return moment
