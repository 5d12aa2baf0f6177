"""Rows of a session on their way in: those whose turn it is are taken, and wait for their step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from sluicegate.errors import SluicegateError, StreamError

from .sessions import RESTING, Session
from .stepper import Block
from .table import ranked

_FEW, _FRESH = 16, 256  # streams that are given a slot at once: which rested, and which have read nothing
_PATIENCE = 5.0  # seconds for a slot to become free


class Came(NamedTuple):
    """Rows of one message."""

    streams: ndarray
    sequence: ndarray
    rows: Any
    """`[rows columns]` for a numeric engine, else a list."""
    at: float
    """When they came, by the monotonic clock."""
    binary: bool = False
    faults: Mapping[int, SluicegateError] = {}
    """What is wrong with some of the rows, by their places."""

    def part(self, begin: int, end: int) -> Came:
        """Some of the rows."""
        faults = {place - begin: fault for place, fault in self.faults.items() if begin <= place < end}
        some = slice(begin, end)
        return Came(self.streams[some], self.sequence[some], self.rows[some], self.at, self.binary, faults)


class Intake:
    """Takes the rows of a session.

    Args:
        session: whose streams they are of.
        refuse: is told of rows that are answered by an error before their step: the error, streams and numbers.
        note_gaps: is told once of a message in which rows came before their turn: the stream and number of the first,
            and of each such stream the number that is due.
    """

    def __init__(
        self,
        session: Session,
        refuse: Callable[[SluicegateError, ndarray, ndarray], None],
        note_gaps: Callable[[int, int, dict[int, int]], None],
    ) -> None:
        self._session, self._refuse, self._note_gaps = session, refuse, note_gaps
        self._engine = session.version.engine

    async def take(self, came: Came) -> None:
        """Accept rows whose turn it is; those that came before are dropped, and those that come too early refused.

        Raises:
            StreamError: a stream is not open, and no row was taken; or no slot became free.
        """
        if len(came.streams) == 1 and not came.faults and self._take_one(came):
            return
        slots = self._session.slots_of(came.streams)
        if (slots >= 0).all():
            self._accept(came, slots)
            return
        few = self._at_once(came.streams)
        for begin in range(0, len(slots), few):
            part = came.part(begin, begin + few)
            await self.wake(part.streams)
            self._accept(part, self._session.slots_of(part.streams))
            await asyncio.sleep(0)

    async def wake(self, streams: ndarray) -> None:
        """Give a few streams a slot where they have none.

        Raises:
            StreamError: none became free.
        """
        end = time.monotonic() + _PATIENCE
        while not self._session.wake(streams):
            if time.monotonic() > end:
                version = self._session.version
                raise StreamError(
                    f"all {version.limits.slots} slots of the model {version.name!r} have rows under way: send fewer "
                    "streams at once, or start the server with a larger `--slots`"
                )
            await asyncio.sleep(0.005)

    async def end(self, streams: Sequence[int]) -> None:
        """End streams when their rows are answered; they say then what they held back."""
        session = self._session
        few = self._at_once(np.array(streams, np.int64))
        for begin in range(0, len(streams), few):
            part = np.array(streams[begin : begin + few])
            await self.wake(part)
            slots = session.slots_of(part)
            session.version.table.used[slots] = np.inf  # it is not to rest any more
            session.ending.update(part.tolist())
            session.put(Block(session, slots, part, np.zeros(len(part), np.int64), None, time.monotonic()))
            await asyncio.sleep(0)

    def _at_once(self, streams: ndarray) -> int:
        """How many streams are given a slot at once, so that others are heard meanwhile."""
        session = self._session
        resting = streams[session.slots[streams] == RESTING]
        if not len(resting):
            return max(len(streams), 1)
        fresh = all(session.resting[number].snapshot is None for number in resting.tolist())
        return min(_FRESH if fresh else _FEW, session.version.limits.slots)

    def drop_oldest(self) -> None:
        """Leave out the rows that wait longest, until no more wait than may."""
        session, version = self._session, self._session.version
        error = StreamError("the row was dropped, since too many waited: send fewer at once")
        while session.under_way > version.limits.inbox and session.blocks and session.blocks[0].rows is not None:
            block = session.blocks.popleft()
            session.under_way -= len(block)
            version.measures.dropped += len(block)
            version.refuse(block.slots, block.sequence, error)
            self._refuse(error, block.streams, block.sequence)

    def _take_one(self, came: Came) -> bool:
        """Take a single row that is in order; whether it is.

        What else it comes to took a third of the time for all rows when each came alone.
        """
        session, table = self._session, self._session.version.table
        stream = int(came.streams[0])
        if stream >= len(session.keys) or (slot := int(session.slots[stream])) < 0 or stream in session.ending:
            return False
        if table.accepted[slot] != came.sequence[0] or not self._good(came.rows).all():
            return False
        table.accepted[slot] += 1
        table.used[slot] = came.at
        slots = session.slots[stream : stream + 1].copy()
        session.put(Block(session, slots, came.streams, came.sequence, came.rows, came.at, came.binary))
        return True

    def _accept(self, came: Came, slots: ndarray) -> None:
        """Take rows of streams that have slots."""
        table = self._session.version.table
        rank, several = ranked(slots)
        fit = came.sequence == table.accepted[slots] + rank
        if not fit.all():
            rank, fit = self._in_turn(came, slots)
        table.used[slots] = came.at
        for turn in range(int(rank.max()) + 1 if len(rank) else 0):
            which = np.flatnonzero((rank == turn) & fit) if several or not fit.all() else np.arange(len(slots))
            if len(which):
                self._put(came, slots, which)

    def _put(self, came: Came, slots: ndarray, which: ndarray) -> None:
        """Let rows of different streams wait for their step, and those that are none for being refused."""
        session = self._session
        session.version.table.accepted[slots[which]] += 1
        good = self._good(came.rows)
        if good.all() and len(which) == len(slots):
            session.put(Block(session, slots, came.streams, came.sequence, came.rows, came.at, came.binary))
            return
        if len(fine := which[good[which]]):
            session.put(self._some(came, slots, fine))
        if len(bad := which[~good[which]]):
            block, general = self._some(came, slots, bad), self._engine.refusal()
            block.faults = [came.faults.get(place, general) for place in bad.tolist()]
            session.put(block)

    def _some(self, came: Came, slots: ndarray, places: ndarray) -> Block:
        rows = came.rows[places] if self._engine.numeric else [came.rows[place] for place in places.tolist()]
        streams, sequence = came.streams[places], came.sequence[places]
        return Block(self._session, slots[places], streams, sequence, rows, came.at, came.binary)

    def _good(self, rows: Any) -> ndarray:
        """Which rows are numbers that the engine takes."""
        if not self._engine.numeric:
            return np.ones(len(rows), bool)
        good: ndarray = (np.abs(rows) <= self._engine.largest).all(1)
        return good

    def _in_turn(self, came: Came, slots: ndarray) -> tuple[ndarray, ndarray]:
        """In which round each row is taken, and which are taken at all."""
        table, measures = self._session.version.table, self._session.version.measures
        due: dict[int, int] = {}
        early: dict[int, tuple[int, int]] = {}
        rank, fit = np.zeros(len(slots), np.int64), np.zeros(len(slots), bool)
        for place, (slot, number) in enumerate(zip(slots.tolist(), came.sequence.tolist(), strict=True)):
            first = int(table.accepted[slot])
            expected = due.get(slot, first)
            if number == expected:
                rank[place], fit[place] = expected - first, True
                due[slot] = expected + 1
            elif number < expected:
                measures.duplicates += 1
            else:
                early.setdefault(int(came.streams[place]), (number, expected))
                measures.gaps += 1
        if early:
            stream, (number, _) = next(iter(early.items()))
            self._note_gaps(stream, number, {one: due for one, (_, due) in early.items()})
        return rank, fit
