"""What a stream of forecasts remembers of a series, and its snapshot, which is that of `sluicegate.tasks.forecast`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from sluicegate.runtime.rows import LARGEST
from sluicegate.streaming.snapshots import damaged, read, require, write

KIND = "forecast"
Key: TypeAlias = tuple[str | int, ...]
"""What names a series; nothing where there is one only."""


@dataclass(frozen=True)
class Past:
    """What is remembered of a series."""

    values: ndarray  # of its last rows, doubles [columns rows]
    start: int  # the tick of the first of them
    rows: int  # how many were pushed
    # For each column whose last values are guesses, by its number, the last value that was there and how many steps ago
    # that was; only of streams of `sluicegate.load`, which fills in: the next row draws a straight line from it.
    guessed: Mapping[int, tuple[float, int]]

    def followed_by(self, numbers: ndarray, context: int, step: int) -> Past:
        """The same with a row more."""
        values = np.append(self.values, numbers[:, None], axis=1)
        for column, (known, ago) in self.guessed.items():
            inside = np.arange(max(1, ago + 1 - self.values.shape[1] + 1), ago + 1)
            values[column, -1 - len(inside) : -1] = np.interp(inside, [0, ago + 1], [known, numbers[column]])
        drop = max(0, values.shape[1] - context)
        return replace(self, values=values[:, drop:], start=self.start + drop * step, rows=self.rows + 1, guessed={})


def taken(fingerprint: str, pasts: Mapping[Key, Past], columns: Sequence[str], form: Any, *, finished: bool) -> bytes:
    """Write a snapshot of all series; `form` is what tells them apart in training."""
    about, arrays = [], {}
    for number, (key, past) in enumerate(pasts.items()):
        guessed = {columns[column]: list(guess) for column, guess in past.guessed.items()}
        name = "" if form is None else key[0] if isinstance(form, str) else list(key)
        about.append({"name": name, "start": past.start, "rows": past.rows, "closed": [], "guessed": guessed})
        arrays[str(number)] = past.values
    return write(KIND, fingerprint, {"finished": finished, "series": about}, arrays)


def restored(
    fingerprint: str, snapshot: bytes, columns: Sequence[str], form: Any, context: int
) -> tuple[dict[Key, Past], bool]:
    """Read it again.

    Raises:
        SnapshotError: it is none of such a stream.
    """
    settings, arrays = read(snapshot, KIND, fingerprint)
    match settings:
        case {"finished": bool(finished), "series": list(about)}:
            pass
        case _:
            raise damaged("it does not say whether the stream was finished, and of which series it is")
    pasts: dict[Key, Past] = {}
    for number, one in enumerate(about):
        values = require(arrays, str(number), (len(columns), None), np.float64)
        if not 1 <= values.shape[1] <= context or not (np.abs(values) <= LARGEST).all():
            raise damaged(f"the array '{number}' must hold from 1 to {context} rows of finite numbers")
        key, past = _past(one, number, values, columns, form)
        if key in pasts:
            raise damaged(f"it holds the series {key!r} twice")
        pasts[key] = past
    return pasts, finished


def _past(one: Any, number: int, values: ndarray, columns: Sequence[str], form: Any) -> tuple[Key, Past]:
    match one:
        case {
            "name": str() | int() | list() as name,
            "start": int(start),
            "rows": int(rows),
            "guessed": dict(guessed),
        }:
            pass
        case _:
            raise damaged(f"it does not say what series {number} is")
    key = () if form is None else tuple(name) if isinstance(name, list) else (name,)
    whole = isinstance(name, list) == (form is not None and not isinstance(form, str))
    if not whole or not all(isinstance(part, str | int) for part in key) or abs(start) > 2**62 or rows < 1:
        raise damaged(f"the name, the beginning or the length of series {number} is none")
    held: dict[int, tuple[float, int]] = {}
    for column, guess in guessed.items():
        match guess:
            case [int() | float() as known, int(ago)] if column in columns and abs(known) <= LARGEST and ago > 0:
                held[list(columns).index(column)] = (float(known), ago)
            case _:
                raise damaged(f"a guess in series {number} is none")
    return key, Past(values, start, rows, held)
