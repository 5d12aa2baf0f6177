"""What a stream of forecasts remembers of a series: its last rows, and which of them are guesses; its snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from sluicegate.data import Panel, TimeAxis
from sluicegate.data.columns import LARGEST
from sluicegate.streaming.snapshots import damaged, read, require, write

from .forecasting import last_rows


@dataclass(frozen=True)
class Past:
    """What is remembered of a series."""

    panel: Panel  # its last rows, as many as a forecast looks back on at most
    rows: int  # how many were pushed
    # With `fill="linear"`, for each column whose last values are guesses, the last value that was there and how
    # many steps ago that was: the next one draws a straight line from it.
    guessed: Mapping[str, tuple[float, int]]

    def followed_by(self, numbers: Mapping[str, float], context: int) -> Past:
        """The same with an ordinary row at the next step, in which nothing is missing."""
        panel = self.panel
        drop = max(0, panel.rows + 1 - context)
        columns = {name: np.append(values[drop:], numbers[name]) for name, values in panel.columns.items()}
        length = panel.rows + 1 - drop
        longer = replace(
            panel, bounds=np.array([0, length]), starts=panel.starts + drop * panel.axis.step, columns=columns
        )
        return replace(self, panel=longer, rows=self.rows + 1).straightened(numbers, 1)

    def read_again(self, panel: Panel, numbers: Mapping[str, float], context: int) -> Past:
        """The same with a row that was read behind the others, with what was filled in between."""
        added = panel.rows - self.panel.rows
        longer = replace(self, panel=last_rows(panel, context), rows=self.rows + 1)
        return longer.straightened(numbers, added)

    def straightened(self, numbers: Mapping[str, float], added: int) -> Past:
        """Guesses before the new row, of which `numbers` are as they came, replaced by straight lines."""
        if not self.guessed:
            return self
        columns, left = dict(self.panel.columns), {}
        for name, (known, ago) in self.guessed.items():
            total = ago + added
            if not np.isfinite(numbers[name]):
                left[name] = (known, total)
                columns[name] = columns[name].copy()
                columns[name][-min(added, self.panel.rows) :] = known
                continue
            inside = np.arange(max(1, total - self.panel.rows + 1), total)
            values = columns[name].copy()
            values[len(values) - 1 - len(inside) : -1] = np.interp(inside, [0, total], [known, numbers[name]])
            columns[name] = values
        return replace(self, panel=replace(self.panel, columns=columns), guessed=left)


def taken(kind: str, fingerprint: str, pasts: Mapping[Any, Past], columns: tuple[str, ...], *, finished: bool) -> bytes:
    """Write a snapshot of all series."""
    about, arrays = [], {}
    for number, (name, past) in enumerate(pasts.items()):
        hours = past.panel.axis.hours
        about.append(
            {
                "name": list(name) if isinstance(name, tuple) else name,
                "start": int(past.panel.starts[0]),
                "rows": past.rows,
                "closed": [] if hours is None else [list(part) for part in hours.closed],
                "guessed": {column: list(guess) for column, guess in past.guessed.items()},
            }
        )
        arrays[str(number)] = np.stack([past.panel.columns[column] for column in columns])
    return write(kind, fingerprint, {"finished": finished, "series": about}, arrays)


def restored(
    kind: str, fingerprint: str, snapshot: bytes, columns: tuple[str, ...], axis: TimeAxis, context: int
) -> tuple[dict[Any, Past], bool]:
    """Read it again.

    Raises:
        SnapshotError: it is none of such a stream.
    """
    settings, arrays = read(snapshot, kind, fingerprint)
    match settings:
        case {"finished": bool(finished), "series": list(about)}:
            pass
        case _:
            raise damaged("it does not say whether the stream was finished, and of which series it is")
    pasts: dict[Any, Past] = {}
    for number, one in enumerate(about):
        values = require(arrays, str(number), (len(columns), None), np.float64)
        if not 1 <= values.shape[1] <= context or not (np.abs(values) <= LARGEST).all():
            raise damaged(f"the array '{number}' must hold from 1 to {context} rows of finite numbers")
        name, past = _past(one, number, values, columns, axis)
        if name in pasts:
            raise damaged(f"it holds the series {name!r} twice")
        pasts[name] = past
    return pasts, finished


def _past(
    one: Any, number: int, values: Float64[np.ndarray, "columns rows"], columns: tuple[str, ...], axis: TimeAxis
) -> tuple[Any, Past]:
    match one:
        case {
            "name": str() | int() | list() as name,
            "start": int(start),
            "rows": int(rows),
            "closed": list(closed),
            "guessed": dict(guessed),
        }:
            pass
        case _:
            raise damaged(f"it does not say what series {number} is")
    parts = tuple(name) if isinstance(name, list) else (name,)
    if not all(isinstance(part, str | int) for part in parts) or abs(start) > 2**62 or rows < 1:
        raise damaged(f"the name, the beginning or the length of series {number} is none")
    if axis.hours is not None:
        try:
            ranges = tuple((int(begin), int(end)) for begin, end in closed)
            axis = replace(axis, hours=replace(axis.hours, closed=ranges))
        except (TypeError, ValueError, OverflowError) as error:
            raise damaged(f"the holidays of series {number} are none ({error})") from error
    for column, guess in guessed.items():
        match guess:
            case [int() | float() as known, int(ago)] if column in columns and abs(known) <= LARGEST and ago > 0:
                pass
            case _:
                raise damaged(f"a guess in series {number} is none")
    called = parts if isinstance(name, list) else name
    held = dict(zip(columns, values, strict=True))
    panel = Panel(axis, (called,), np.array([0, values.shape[1]]), np.array([start]), held, {})
    return called, Past(panel, rows, {column: (float(known), ago) for column, (known, ago) in guessed.items()})
