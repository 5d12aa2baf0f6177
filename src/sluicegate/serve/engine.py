"""What computes the streams of a model, whatever it is: states in slots, and steps of some of them.

An engine knows nothing of connections. `push` and `finish` are called by one thread; `open`, `snapshot`, `restore` and
`close` by another, of slots that have no row under way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from sluicegate.data.as_json import finite
from sluicegate.data.columns import LARGEST
from sluicegate.errors import DataError, SluicegateError


class Engine(ABC):
    """The streams of a model, in slots numbered from 0."""

    numeric: ClassVar[bool]
    """Whether rows are numbers in columns, and answers too: then they come as arrays, and go in binary frames."""

    columns: tuple[str, ...] = ()
    """Of what a row has numbers, where it has."""
    outputs: tuple[str, ...] = ()
    """Of what an answer has numbers, where it has."""
    dtype: np.dtype[Any] = np.dtype(np.float64)
    """Of a row's numbers."""
    answer_dtype: np.dtype[Any] = np.dtype(np.float64)
    largest: float = LARGEST
    """The size that a number of a row may have at most."""
    fingerprint: str
    """Of the model: snapshots are bound to it."""

    @abstractmethod
    def open(self, slot: int) -> None:
        """Begin a stream in a slot."""

    @abstractmethod
    def close(self, slot: int) -> None:
        """Let a slot go."""

    @abstractmethod
    def push(self, slots: ndarray, rows: Any) -> Any:
        """Take a step in some slots, each once.

        Args:
            slots: `[rows]`, int64.
            rows: `[rows columns]` where the engine is numeric, else a list with what a client sent for each.

        Returns:
            `[rows outputs]`, or a list with an answer for each: what JSON can hold, or the error that refused it.
        """

    def finish(self, slot: int) -> Any:
        """End the stream in a slot; what it held back, as JSON can hold it."""
        del slot
        return None

    @abstractmethod
    def snapshot(self, slot: int) -> bytes:
        """The state of a slot, as the model's own streams write it."""

    @abstractmethod
    def restore(self, slot: int, snapshot: bytes) -> None:
        """Go on in a free slot from a snapshot.

        Raises:
            SnapshotError: it is none of this model.
        """

    def shown(self, answers: ndarray) -> list[Any]:
        """Numeric answers as JSON can hold them."""
        return [{"output": finite(row)} for row in answers.tolist()]

    def read(self, rows: Sequence[Any]) -> tuple[ndarray, dict[int, SluicegateError]]:
        """Rows that came as JSON as numbers, `[rows columns]`, and what is wrong with some, by their places."""
        values = np.full((len(rows), len(self.columns)), np.nan, self.dtype)
        faults: dict[int, SluicegateError] = {}
        for place, row in enumerate(rows):
            try:
                values[place] = self.numbers(row)
            except DataError as error:
                faults[place] = error
        return values, faults

    def refusal(self) -> DataError:
        """Why a row is refused whose numbers are not all finite and of such a size."""
        return DataError(
            f"the row holds a number that is not finite, or above {self.largest:g} in size: fill it in before it is "
            "sent"
        )

    def numbers(self, row: Any) -> list[float]:
        """A row that came as JSON, a mapping or a list, as its numbers.

        Raises:
            DataError: it lacks a column, has another number of them, or something that is no finite number.
        """
        if isinstance(row, Mapping):
            missing = [name for name in self.columns if name not in row]
            if missing:
                raise DataError(
                    f"the row has no column {missing[0]!r}: the model reads {', '.join(self.columns)}, send all of them"
                )
            row = [row[name] for name in self.columns]
        if not isinstance(row, list) or len(row) != len(self.columns):
            found = f"{len(row)} numbers" if isinstance(row, list) else f"a {type(row).__name__}"
            raise DataError(f"the row is {found}: send the {len(self.columns)} numbers of {', '.join(self.columns)}")
        for name, value in zip(self.columns, row, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= self.largest:
                raise DataError(
                    f"column {name!r} holds {value!r:.40}, and must hold a finite number of at most {self.largest:g} "
                    "in size: send one"
                )
        return [float(value) for value in row]
