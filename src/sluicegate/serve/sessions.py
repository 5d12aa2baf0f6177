"""Sessions: the streams that a client opened on a connection, found again by a token when that broke."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from sluicegate.errors import SluicegateError, StreamError

from .stepper import Block
from .table import FRESH, Resting
from .version import Version

RESTING, CLOSED = -1, -2
"""What stands in the place of a slot where a stream is in none."""


@runtime_checkable
class Line(Protocol):
    """The connection that a session is told by."""

    @property
    def stalled(self) -> bool:
        """Whether it takes no answers now."""

    def tell(self, block: Block, answers: Any, error: SluicegateError | None) -> None:
        """Say the answers to a block."""

    def give_up(self) -> None:
        """Close, since the client goes on with the session on another connection."""


@dataclass(eq=False)
class Session:
    """Streams of one version of a model, numbered in the order in which they were opened."""

    version: Version
    token: str | None
    """None after a restart, until the client has shown it: the file has its sha256 alone."""
    digest: str
    keys: list[str] = field(default_factory=list)
    slots: ndarray = field(default_factory=lambda: np.full(4, CLOSED, np.int64))
    """Of each stream, or why it has none."""
    resting: dict[int, Resting] = field(default_factory=dict)
    """Streams without a slot, by their numbers."""
    ending: set[int] = field(default_factory=set)
    """Streams whose client has closed them, and which have yet to say what they held back."""
    connection: Line | None = None
    left: float = 0.0
    """When its connection broke."""
    blocks: deque[Block] = field(default_factory=deque)
    under_way: int = 0
    """Rows that were taken and not answered, those that are being stepped included."""
    waiting: bool = False
    turn: float = 0.0

    @classmethod
    def new(cls, version: Version) -> Session:
        """Make one with a token of its own."""
        token = secrets.token_urlsafe(18)
        return cls(version, token, digest_of(token))

    @property
    def stalled(self) -> bool:
        """Whether its client takes no answers now."""
        return self.connection is not None and self.connection.stalled

    def add(self, key: str) -> int:
        """Add a stream that is closed, and return its number."""
        number = len(self.keys)
        self.keys.append(key)
        if number == len(self.slots):
            self.slots = np.concatenate([self.slots, np.full(len(self.slots), CLOSED, np.int64)])
        return number

    def open(self, key: str) -> int:
        """Open a stream, and return its number.

        Raises:
            StreamError: there are too many already.
        """
        version = self.version
        if version.streams >= version.limits.streams:
            raise StreamError(
                f"the model {version.name!r} has {version.streams} streams open, and no more are allowed: close some, "
                "or start the server with a larger `--streams`"
            )
        number = self.add(key)
        version.streams += 1
        version.measures.opened += 1
        self.keep(number, FRESH)
        return number

    def keep(self, number: int, resting: Resting) -> None:
        """Keep a stream that is in no slot."""
        self.slots[number] = RESTING
        self.resting[number] = resting
        self.version.resting_bytes += resting.nbytes

    def rest(self, number: int) -> None:
        """Take the slot of a stream, which has no row under way, and keep its snapshot."""
        slot, table = int(self.slots[number]), self.version.table
        resting = table.rest(slot)
        table.close(slot)
        self.keep(number, resting)
        self.version.measures.evicted += 1

    def wake(self, streams: ndarray) -> bool:
        """Give those of some streams that rest a slot; whether all have one."""
        now, table = time.monotonic(), self.version.table
        slots = self.slots[streams]
        table.used[slots[slots >= 0]] = now
        for number in dict.fromkeys(streams[slots == RESTING].tolist()):
            if not self.version.make_room(now):
                return False
            resting = self.resting[number]
            self.slots[number] = table.open((self, number), now, resting)
            self.version.resting_bytes -= self.resting.pop(number).nbytes
            self.version.measures.restored += resting.snapshot is not None
        return True

    def close(self, number: int) -> None:
        """Let a stream go, which has no row under way."""
        slot = int(self.slots[number])
        if slot == CLOSED:
            return
        if slot == RESTING:
            self.version.resting_bytes -= self.resting.pop(number).nbytes
        else:
            self.version.table.close(slot)
        self.slots[number] = CLOSED
        self.ending.discard(number)
        self.version.streams -= 1
        self.version.measures.closed += 1

    def number_of_answers(self, number: int) -> int:
        """How many rows of a stream were answered."""
        slot = int(self.slots[number])
        return self.resting[number].answered if slot == RESTING else int(self.version.table.answered[slot])

    def next_row(self, number: int) -> int:
        """How many rows of a stream were taken: the number of the next one."""
        slot = int(self.slots[number])
        return self.resting[number].answered if slot == RESTING else int(self.version.table.accepted[slot])

    @property
    def has_read(self) -> bool:
        """Whether any of its streams has read a row."""
        return any(self.next_row(number) > 0 for number in self.open_numbers())

    def kept(self, number: int) -> list[Any]:
        """The last answers of a stream, oldest first: rows of numbers, or what JSON can hold."""
        table, slot = self.version.table, int(self.slots[number])
        return table.answers(self.resting[number]) if slot == RESTING else table.kept(slot)

    def resting_form(self, number: int) -> Resting:
        """What of an open stream would go on elsewhere; no row of it is being stepped."""
        slot = int(self.slots[number])
        return self.resting[number] if slot == RESTING else self.version.table.rest(slot)

    def slots_of(self, streams: ndarray) -> ndarray:
        """The slots of streams by their numbers.

        Raises:
            StreamError: there is no such stream, or it was closed.
        """
        if streams.size and int(streams.max()) >= len(self.keys):
            raise StreamError(
                f"there is no stream {int(streams.max())}, {len(self.keys)} were opened here: open it before rows come"
            )
        found: ndarray = self.slots[streams]
        gone = found == CLOSED
        if self.ending:
            gone |= np.isin(streams, list(self.ending))
        if gone.any():
            raise StreamError(f"stream {int(streams[gone.argmax()])} was closed, and takes no rows: open another one")
        return found

    def open_numbers(self) -> Iterator[int]:
        """The numbers of the streams that were not closed."""
        yield from np.flatnonzero(self.slots[: len(self.keys)] != CLOSED).tolist()

    def put(self, block: Block) -> None:
        """Let a block wait for its step."""
        self.blocks.append(block)
        self.under_way += len(block)
        self.version.put(self)

    def answered(self, block: Block, answers: Any, error: SluicegateError | None) -> None:
        """Take the answers to a block, and say them if the client is there."""
        self.under_way -= len(block)
        if block.rows is None:
            for number in block.streams.tolist():
                self.close(number)
        if self.connection is not None:
            self.connection.tell(block, answers, error)


def digest_of(token: str) -> str:
    """Under what a session is kept."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
