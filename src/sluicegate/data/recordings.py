"""Recordings: several channels over time, of different lengths, from arrays or from a long table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from jaxtyping import Float32, Float64, Int64
from narwhals.exceptions import DuplicateError

from sluicegate.errors import DataError

from .ascending import require_ascending
from .columns import LARGEST, Source, missing_in, numbers_of, select
from .counted import counted
from .for_each import for_each
from .headings import headed
from .panel import group_rows
from .serial import changes

Values: TypeAlias = Float64[np.ndarray, "_ channels"] | Float32[np.ndarray, "_ channels"]


@dataclass(frozen=True)
class Recordings:
    """Recordings of the same channels, each with a row at least and a finite number everywhere.

    Args:
        values: of each recording.
        names: of the recordings, as the user has them; a struct where several columns tell them apart.
        channels: the names of the channels.
        labels: the class of each recording, where it is known.
        groups: the group of each recording, where there are groups.
    """

    values: tuple[Values, ...]
    names: pl.Series
    channels: tuple[str, ...]
    labels: pl.Series | None = None
    groups: pl.Series | None = None

    def __len__(self) -> int:
        """How many recordings."""
        return len(self.values)

    @property
    def lengths(self) -> Int64[np.ndarray, " recordings"]:
        """How many steps each recording has."""
        return np.fromiter((len(part) for part in self.values), dtype=np.int64, count=len(self.values))

    @classmethod
    def of_arrays(
        cls,
        arrays: Any,
        *,
        labels: Any = None,
        groups: Any = None,
        channels: Sequence[str] | None = None,
        source: Source | None = None,
    ) -> Recordings:
        """Check arrays.

        Args:
            arrays: a sequence of `[time, channels]` arrays, of a single channel `[time]` too; or one array
                `[recordings, time, channels]`. Steps at the end that are NaN (or masked) in all channels pad a
                recording and are left out.
            labels: a class for each.
            groups: a group for each.
            channels: the names of the channels; None numbers them.
            source: what the recordings are called in messages.

        Raises:
            DataError: they cannot be used as they are; the message says which one and what to do.
        """
        source = source or Source("the recordings")
        if isinstance(arrays, str | bytes | dict) or not hasattr(arrays, "__len__"):
            raise DataError(
                f"expected a sequence of [time, channels] arrays or a long table, not {type(arrays).__name__}: put a "
                "single recording into a list"
            )
        if isinstance(arrays, np.ndarray) and arrays.ndim in (1, 2) and arrays.dtype != object:
            raise DataError(
                f"expected a sequence of [time, channels] arrays or one of [recordings, time, channels], not an array "
                f"of shape {arrays.shape}: put a single recording into a list"
                + (", and give several of a single channel as `array[:, :, None]`" if arrays.ndim == 2 else "")
            )
        if not len(arrays):
            raise DataError(f"there are no recordings in {source.name}: give one at least")
        values = [_array(array, number, source) for number, array in enumerate(arrays)]
        width = values[0].shape[1] if channels is None else len(channels)
        for number, part in enumerate(values):
            if part.shape[1] != width:
                raise DataError(
                    f"recording {number} in {source.name} has {counted(part.shape[1], 'channel')} "
                    f"where {width} were expected: all must have the same ones, in [time, channels] order"
                )
        return cls(
            tuple(values),
            pl.Series("recording", range(len(values)), dtype=pl.Int64),
            tuple(channels) if channels is not None else tuple(f"channel {k}" for k in range(width)),
            for_each(labels, "labels", "label", len(values)),
            for_each(groups, "groups", "group", len(values)),
        )

    @classmethod
    def of_table(
        cls,
        frame: Any,
        *,
        series: str | Sequence[str],
        time: str | None = None,
        label: str | None = None,
        group: str | None = None,
        channels: Sequence[str] | None = None,
        source: Source | None = None,
    ) -> Recordings:
        """Cut a long table into recordings.

        Args:
            frame: a pandas or polars data frame or an Arrow table, a row for each recording and step, in order of
                time within each recording; rows at the end of one that have no number in any channel pad it and are
                left out.
            series: the column that tells recordings apart, or several that do so together.
            time: the column of times, which must ascend within each recording; None takes the rows as they come.
            label: the column of classes, of which each recording has one.
            group: the column of groups, of which each recording has one.
            channels: the columns of numbers; None takes all others.
            source: what the table is called in messages.

        Raises:
            DataError: the table cannot be used as it is; the message says where and what to do.
        """
        source = source or Source()
        apart = [series] if isinstance(series, str) else list(series)
        roles = [*apart, *(name for name in (time, label, group) if name is not None)]
        if channels is None:
            channels = [name for name in _columns(frame) if name not in roles]
        table = select(frame, [*roles, *channels], source)
        if not channels:
            raise DataError(f"{source.name} has no columns beside {', '.join(roles)}: expected channels of numbers")
        if table.is_empty():
            raise DataError(f"{source.name} holds no rows: expected a row for each recording and step")
        names, bounds, order = group_rows(table, series, source)

        def column(name: str) -> pl.Series:
            return table[name] if order is None else table[name].gather(order)

        def where(row: int) -> str:
            return source.row(row if order is None else int(order[row]))

        numbers = np.empty((len(table), len(channels)))
        for k, name in enumerate(channels):
            numbers[:, k] = numbers_of(column(name), where)
        kept, bounds = _without_padding(numbers, bounds, names)
        if len(kept) < len(numbers):
            numbers, order = numbers[kept], kept if order is None else order[kept]
        if time is not None:
            require_ascending(column(time), bounds, where)
        for k, name in enumerate(channels):
            missing = missing_in(numbers[:, k])
            if missing is not None:
                raise DataError(
                    f"channel {name!r} has no finite number in {where(int(missing.argmax()))} ({int(missing.sum())} "
                    "such in all), with numbers in later rows or other channels of the recording: fill these in, or "
                    "leave the recordings out"
                )
        return cls(
            tuple(numbers[begin:end] for begin, end in pairwise(bounds)),
            pl.Series(apart[0], names) if isinstance(series, str) else _together(apart, names),
            tuple(channels),
            None if label is None else _constant(column(label), bounds, names, where),
            None if group is None else _constant(column(group), bounds, names, where),
        )

    @property
    def called(self) -> tuple[Any, ...]:
        """The names as Python has them: tuples where several columns tell recordings apart."""
        return tuple(tuple(name.values()) if isinstance(name, dict) else name for name in self.names.to_list())

    def take(self, rows: Int64[np.ndarray, " rows"]) -> Recordings:
        """Some of the recordings."""
        return Recordings(
            tuple(self.values[i] for i in rows.tolist()),
            self.names.gather(rows),
            self.channels,
            None if self.labels is None else self.labels.gather(rows),
            None if self.groups is None else self.groups.gather(rows),
        )

    def with_labels(self, labels: Any, groups: Any) -> Recordings:
        """The same recordings, with a class and a group for each where they are given."""
        return replace(
            self,
            labels=self.labels if labels is None else for_each(labels, "labels", "label", len(self)),
            groups=self.groups if groups is None else for_each(groups, "groups", "group", len(self)),
        )


class Gap(NamedTuple):
    """The first value of a recording that is no finite number.

    Args:
        step: where it is.
        channel: likewise.
        all: how many such there are in the recording.
    """

    step: int
    channel: int
    all: int


def first_gap(part: Values) -> Gap | None:
    """Where a recording has no finite number, if anywhere."""
    finite = np.isfinite(part)
    if finite.all():
        return None
    step, channel = (int(i) for i in np.argwhere(~finite)[0])
    return Gap(step, channel, int((~finite).sum()))


def without_padding(part: Values) -> Values:
    """A recording without the steps at its end that are NaN in all channels, which only make it as long as others."""
    if not len(part) or not np.isnan(part[-1]).all():
        return part
    there = np.flatnonzero(~np.isnan(part).all(axis=1))
    return part[: int(there[-1]) + 1] if len(there) else part[:0]


def _without_padding(
    numbers: Float64[np.ndarray, "rows channels"], bounds: Int64[np.ndarray, " bounds"], names: Sequence[Any]
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, " bounds"]]:
    """The rows that pad no recording, and where among them each recording begins."""
    lengths = np.array([len(without_padding(numbers[begin:end])) for begin, end in pairwise(bounds)], dtype=np.int64)
    if not lengths.all():
        raise DataError(
            f"recording {names[int(lengths.argmin())]!r} has no number in any row and channel: leave it out"
        )
    kept = np.concatenate([np.arange(begin, begin + length) for begin, length in zip(bounds, lengths, strict=False)])
    return kept, np.concatenate([[0], np.cumsum(lengths)])


def _array(array: Any, number: int, source: Source) -> Values:
    try:
        part = np.asarray(np.ma.filled(array.astype(np.float64), np.nan) if np.ma.isMaskedArray(array) else array)
        if part.dtype not in (np.float32, np.float64):
            part = part.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"recording {number} in {source.name} is not an array of numbers ({error}): expected [time, channels]"
        ) from error
    part = part[:, None] if part.ndim == 1 else part
    if part.ndim != 2:
        raise DataError(f"recording {number} in {source.name} is of shape {part.shape}: expected [time, channels]")
    if not len(part):
        raise DataError(f"recording {number} in {source.name} has no rows: leave it out")
    if not part.shape[1]:
        raise DataError(f"recording {number} in {source.name} has no channels: expected one at least")
    part = without_padding(part)
    if not len(part):
        raise DataError(f"recording {number} in {source.name} holds no values but missing ones: leave it out")
    gap = first_gap(part)
    if gap is not None:
        raise DataError(
            f"recording {number} in {source.name} holds {float(part[gap.step, gap.channel])} at step {gap.step}, "
            f"channel {gap.channel} ({gap.all} such in all), and numbers at later steps or in other channels: fill "
            "these in, or leave the recording out"
        )
    size = np.abs(part)
    if not (size <= LARGEST).all():
        step, channel = (int(i) for i in np.argwhere(~(size <= LARGEST))[0])
        raise DataError(
            f"recording {number} in {source.name} holds {float(part[step, channel]):g} at step {step}, channel "
            f"{channel}: expected values of at most {LARGEST:g} in size; rescale the channel or leave the recording out"
        )
    return part


def _columns(frame: Any) -> list[str]:
    try:
        return list(nw.from_native(headed(frame), eager_only=True).columns)
    except (TypeError, DuplicateError):
        return []  # `select` says what is wrong


def _together(columns: list[str], names: Sequence[tuple[Any, ...]]) -> pl.Series:
    """Names of several columns as one."""
    return pl.DataFrame(names, schema=columns, orient="row").to_struct("recording")


def _constant(column: pl.Series, bounds: Int64[np.ndarray, " bounds"], names: tuple[Any, ...], where: Any) -> pl.Series:
    """The one value that each recording has in a column."""
    changed = changes(column)
    changed[bounds[:-1]] = False
    if changed.any():
        row = int(changed.argmax())
        number = int(np.searchsorted(bounds, row, side="right")) - 1
        raise DataError(
            f"column {column.name!r} changes within recording {names[number]!r}, to {column[row]!r} in {where(row)}: "
            "expected one value in all rows of a recording; cut it where the value changes"
        )
    return column.gather(bounds[:-1])
