"""The streams of a model that are in memory: the place of each in its sequence, and its last answers.

A stream's rows are numbered from 0. `accepted` counts those that were taken, `answered` those whose answer there is;
the last answers are kept, so that a client whose connection broke can be told them again.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from .engine import Engine


class Resting(NamedTuple):
    """A stream that is not in a slot."""

    snapshot: bytes | None
    """None of a stream that has read nothing."""
    answered: int
    kept: bytes | tuple[Any, ...]
    """Its last answers: the numbers of a numeric engine, or what JSON can hold."""

    @property
    def nbytes(self) -> int:
        """Its memory in bytes, about."""
        return (
            len(self.snapshot or b"") + (len(self.kept) if isinstance(self.kept, bytes) else 500 * len(self.kept)) + 200
        )


FRESH = Resting(None, 0, b"")


@runtime_checkable
class Owner(Protocol):
    """Whose a stream is."""

    def rest(self, number: int) -> None:
        """Let one of its streams give up its slot."""


class Table:
    """The slots of an engine.

    Args:
        engine: it keeps the states.
        slots: how many there are.
        window: how many of its last answers a stream keeps.
    """

    def __init__(self, engine: Engine, slots: int, window: int) -> None:
        self.engine, self.window = engine, window
        self.accepted = np.zeros(slots, np.int64)
        self.answered = np.zeros(slots, np.int64)
        self.used = np.full(slots, np.inf)
        """When each was last heard of; infinite where there is no stream."""
        self.owners: list[tuple[Owner, int] | None] = [None] * slots
        """Whose each is, and its number there."""
        self._free = list(range(slots - 1, -1, -1))
        shape = (slots, window, len(engine.outputs))
        self._numbers = np.zeros(shape, engine.answer_dtype) if engine.numeric else None
        self._others: dict[int, list[Any]] = {}

    @property
    def live(self) -> int:
        """How many streams are in slots."""
        return len(self.owners) - len(self._free)

    @property
    def full(self) -> bool:
        """Whether no slot is free."""
        return not self._free

    def open(self, owner: tuple[Owner, int], now: float, resting: Resting) -> int:
        """Take a free slot for a stream.

        Raises:
            SnapshotError: it rested with a state of another model.
        """
        slot = self._free[-1]
        if resting.snapshot is None:
            self.engine.open(slot)
        else:
            self.engine.restore(slot, resting.snapshot)
        self._free.pop()
        self.accepted[slot] = self.answered[slot] = resting.answered
        self.used[slot], self.owners[slot] = now, owner
        self._keep_again(slot, resting)
        return slot

    def rest(self, slot: int) -> Resting:
        """What of a stream goes on elsewhere; no row of it is being stepped."""
        snapshot, answered, kept = self.engine.snapshot(slot), int(self.answered[slot]), self.kept(slot)
        if self._numbers is None:
            return Resting(snapshot, answered, tuple(kept))
        return Resting(snapshot, answered, b"".join(row.tobytes() for row in kept))

    def kept(self, slot: int) -> list[Any]:
        """The last answers of a stream, oldest first: rows of numbers, or what JSON can hold."""
        answered = int(self.answered[slot])
        count = min(answered, self.window)
        places = (answered - count + np.arange(count)) % self.window
        if self._numbers is None:
            return [self._others[slot][place] for place in places.tolist()]
        return list(self._numbers[slot, places])

    def close(self, slot: int) -> None:
        """Let a slot go."""
        self.engine.close(slot)
        self._others.pop(slot, None)
        self.used[slot], self.owners[slot] = np.inf, None
        self._free.append(slot)

    def keep(self, slots: ndarray, sequence: ndarray, answers: Any) -> None:
        """Note the answers to a row of each of some slots, of these numbers; None stands for an error of numbers."""
        places = sequence % self.window
        if self._numbers is None:
            for slot, place, answer in zip(slots.tolist(), places.tolist(), answers, strict=True):
                self._others[slot][place] = answer
        else:
            self._numbers[slots, places] = np.nan if answers is None else answers
        self.answered[slots] += 1

    def answers(self, resting: Resting) -> list[Any]:
        """The last answers of a stream that rests, likewise."""
        if isinstance(resting.kept, bytes) and self._numbers is not None:
            return list(np.frombuffer(resting.kept, self._numbers.dtype).reshape(-1, self._numbers.shape[2]))
        return list(resting.kept)

    def idle(self, before: float) -> list[int]:
        """The slots of streams last heard of before a time that have no row under way, longest ago first."""
        found = np.flatnonzero((self.used < before) & (self.accepted == self.answered))
        ordered: list[int] = found[np.argsort(self.used[found], kind="stable")].tolist()
        return ordered

    def _keep_again(self, slot: int, resting: Resting) -> None:
        into: Any = self._numbers
        if into is None:
            into = self._others
            into[slot] = [None] * self.window
        kept = self.answers(resting)
        for number, answer in enumerate(kept[-self.window :], resting.answered - min(len(kept), self.window)):
            into[slot][number % self.window] = answer


def ranked(slots: ndarray) -> tuple[ndarray, bool]:
    """How many rows of the same stream come before each row of a message, and whether any does."""
    rank = np.zeros(len(slots), np.int64)
    if len(slots) < 2:
        return rank, False
    order = np.argsort(slots, kind="stable")
    same = slots[order[1:]] == slots[order[:-1]]
    if not same.any():
        return rank, False
    place = np.arange(len(slots))
    begins = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), place, 0))
    rank[order] = place - begins
    return rank, True
