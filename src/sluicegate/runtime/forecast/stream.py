"""The stream of a saved forecaster: a row in, the forecast of the next horizon of its series out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import DataError
from sluicegate.runtime.rows import Row, key_of, numbers_of, rows_of
from sluicegate.streaming.guarding import OneAtATime
from sluicegate.streaming.stream import Stream

from .past import Key, Past, restored, taken
from .trained import Trained


class ForecastStream(Stream):
    """A stream of rows, each answered by the forecast of the horizon that follows it in its series.

    Its snapshots are those of the stream that `sluicegate.load(folder).open_stream()` opens, and go there and back. A
    row must be complete and the next of its series: nothing is filled in here.

    Open it by `Forecaster.open_stream`.
    """

    def __init__(self, model: Trained, *, warm: bool = False) -> None:
        self._model, self._warm, self._one = model, warm, OneAtATime()
        self._pasts = dict(model.tails) if warm else {}

    @property
    def fingerprint(self) -> str:
        """The sha256 of all that answers hang on, to which snapshots are bound."""
        return self._model.fingerprint

    @property
    def nbytes(self) -> int:
        """The memory of all series, in bytes."""
        return sum(past.values.nbytes for past in self._pasts.values())

    def push(self, x: Any, *, future: Any = None) -> Any:
        """Read a row, or a chunk of them.

        Args:
            x: a mapping from the names of the columns to values, which may hold others too; or a sequence of these, in
                order of time within each series.
            future: where there are columns known in advance: these for the rows of the horizon, likewise; of a chunk,
                for those after its last row, since its own rows say it of theirs.

        Returns:
            The forecast that follows the row: a mapping from the names of the columns that `Forecaster.predict` gives,
            `time`, `target`, `mean`, `q10` and so on, to their values; of a chunk, a list of them.

        Raises:
            DataError: it is something else, does not follow, or lacks a number; the state is as it was.
            StreamError: the stream was finished, or another thread is pushing it.
        """
        with self._one.held():
            self.require_running()
            rows, pasts, found = rows_of(x), dict(self._pasts), []
            ahead = [] if future is None else rows_of(future, "`future`")
            for place, row in enumerate(rows):
                key = self._read(pasts, row, place)
                known = self._known(key, pasts[key], [*rows[place + 1 :], *ahead])
                found.append(self._frame({key: self._model.forecast(key, pasts[key], known)}, pasts))
            self._pasts = pasts
            return found[0] if isinstance(x, Mapping) else found

    def read(self, x: Any) -> None:
        """Read rows as `push` does, without forecasts after them.

        Raises:
            DataError: as `push` does.
            StreamError: as `push` does.
        """
        with self._one.held():
            self.require_running()
            pasts = dict(self._pasts)
            for place, row in enumerate(rows_of(x)):
                self._read(pasts, row, place)
            self._pasts = pasts

    def forecasts(self, future: Any = None) -> dict[str, Any]:
        """The forecasts that follow the last rows of all series, as `push` gives those of one.

        Raises:
            DataError: `future` does not say what is known in advance.
        """
        ahead = [] if future is None else rows_of(future, "`future`")
        pasts = self._pasts
        found = {key: self._model.forecast(key, past, self._known(key, past, ahead)) for key, past in pasts.items()}
        return self._frame(found, pasts)

    def finish(self) -> None:
        """End the stream, which holds nothing back."""
        with self._one.held():
            self.require_running()
            self.finished = True

    def reset(self) -> None:
        """Begin anew, as the stream was opened."""
        with self._one.held():
            self._pasts, self.finished = dict(self._model.tails) if self._warm else {}, False

    def snapshot(self) -> bytes:
        """Write down the rows that are kept, as `Stream.snapshot` says."""
        model = self._model
        return taken(model.fingerprint, self._pasts, model.columns, model.apart, finished=self.finished)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot, as `Stream.restore` says."""
        model = self._model
        with self._one.held():
            found = restored(model.fingerprint, snapshot, model.columns, model.apart, model.shape.context)
            self._pasts, self.finished = found

    def _read(self, pasts: dict[Key, Past], row: Row, place: int) -> Key:
        """Put a row behind the others of its series."""
        model, where = self._model, f"row {place} of what was pushed"
        key = key_of(row, model.told_apart_by, where)
        if model.time not in row:
            raise DataError(f"there is no column {model.time!r} in {where}: it has {', '.join(map(str, row))}")
        tick, step = model.clock.tick(row[model.time], where), model.clock.step
        numbers = numbers_of([row], model.columns, "what was pushed")[0]
        past = pasts.get(key)
        if past is None:
            pasts[key] = Past(numbers[:, None], tick, 1, {})
            return key
        due = past.start + past.values.shape[1] * step
        if tick != due:
            raise DataError(
                f"the time in {where} is {row[model.time]}, and the next row of its series is due at "
                f"{model.clock.stamp(due)}: push each row once and in order, and fill in those that are missing"
            )
        pasts[key] = past.followed_by(numbers, model.shape.context, step)
        return key

    def _known(self, key: Key, past: Past, after: Sequence[Row]) -> ndarray:
        """What is known in advance of the horizon of a series, from the rows that follow."""
        model, horizon = self._model, self._model.shape.horizon
        found = np.zeros((len(model.known), horizon))
        if not model.known:
            return found
        apart, step = model.told_apart_by, model.clock.step
        begin = past.start + past.values.shape[1] * step
        mine = [row for row in after if all(row.get(part, own) == own for part, own in zip(apart, key, strict=True))]
        ticks = {model.clock.tick(row.get(model.time), "a row of `future`"): row for row in mine}
        for number in range(horizon):
            row = ticks.get(begin + number * step)
            if row is None:
                stamp = model.clock.stamp(begin + number * step)
                raise DataError(
                    f"the model knows {', '.join(model.known)} in advance, and there is no row for {stamp}: give these "
                    f"of the next {horizon} rows as `future`"
                )
            found[:, number] = numbers_of([row], model.known, "`future`")[0]
        return found

    def _frame(self, found: Mapping[Key, tuple[ndarray, ndarray]], pasts: Mapping[Key, Past]) -> dict[str, Any]:
        """Forecasts as the columns of a long table."""
        model, horizon = self._model, self._model.shape.horizon
        each = len(model.targets) * horizon
        columns: dict[str, Any] = {}
        for number, part in enumerate(model.told_apart_by):
            name = "series" if isinstance(model.apart, str) else part
            columns[name] = [key[number] for key in found for _ in range(each)]
        stamps = []
        for key in found:
            begin = pasts[key].start + pasts[key].values.shape[1] * model.clock.step
            stamps += [model.clock.stamp(begin + n * model.clock.step) for n in range(horizon)] * len(model.targets)
        columns |= {"time": stamps, "target": [name for _ in found for name in model.targets for _ in range(horizon)]}
        columns["mean"] = np.concatenate([mean.reshape(-1) for mean, _ in found.values()] or [np.empty(0)])
        for number, q in enumerate(model.quantiles):
            parts = [spread[..., number].reshape(-1) for _, spread in found.values()]
            columns[f"q{100 * q:g}"] = np.concatenate(parts or [np.empty(0)])
        return columns
