"""Rows of different lengths, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from .words import lengths_of

_ROWS, _VALUES = 100_000, 4_000_000  # that are looked at together, at most


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths, one after the other.

    Args:
        values: of all rows.
        bounds: [rows + 1], where each begins, and the end.
    """

    values: ndarray
    bounds: ndarray

    @classmethod
    def of(cls, rows: Sequence[ndarray]) -> Ragged:
        """Rows put one behind the other."""
        bounds = np.concatenate([[0], np.cumsum(lengths_of(rows))]).astype(np.int64)
        values = np.concatenate(rows) if rows else np.empty(0, dtype=np.int32)
        return cls(values.astype(np.int32), bounds)

    @classmethod
    def joined(cls, several: Sequence[Ragged]) -> Ragged:
        """The rows of the first, then those of the next."""
        ends = np.cumsum([0, *(len(rows.values) for rows in several)])
        bounds = [rows.bounds[:-1] + end for rows, end in zip(several, ends, strict=False)]
        return cls(np.concatenate([rows.values for rows in several]), np.concatenate([*bounds, ends[-1:]]))

    def __len__(self) -> int:
        """How many rows."""
        return len(self.bounds) - 1

    @property
    def lengths(self) -> ndarray:
        """How long each row is."""
        return np.diff(self.bounds)

    @property
    def owner(self) -> ndarray:
        """The row of each value."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: ndarray) -> Ragged:
        """Some of the rows."""
        places, _ = self.places(rows)
        bounds = np.concatenate([[0], np.cumsum(self.lengths[rows])]).astype(np.int64)
        return Ragged(self.values[places], bounds)

    def parts(self) -> Iterator[Ragged]:
        """Some rows at a time, so that what is made of them needs little memory."""
        step = max(1, min(_ROWS, len(self) * _VALUES // max(1, len(self.values))))
        for begin in range(0, len(self), step):
            bounds = self.bounds[begin : begin + step + 1]
            yield Ragged(self.values[bounds[0] : bounds[-1]], bounds - bounds[0])

    def places(self, rows: ndarray) -> tuple[ndarray, ndarray]:
        """Where the values of some rows are, and where each of these rows begins among them."""
        lengths = self.bounds[rows + 1] - self.bounds[rows]
        begins = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        return np.repeat(self.bounds[rows] - begins, lengths) + np.arange(int(lengths.sum())), begins
