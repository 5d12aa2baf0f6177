"""Rows of many connections in one step: a thread computes, and the event loop collects and hands out meanwhile.

Rows of different streams of a client are a block. Those clients come first of which the fewest rows were
stepped, counted from when each last had none waiting (start-time fair queueing, Goyal et al. 1996): one that floods the
server delays the others by a step at most, and all that flood it get on evenly. While a step is computed, the next
blocks wait: the more rows come, the more are in a step.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from sluicegate.errors import SluicegateError

from .engine import Engine


@runtime_checkable
class Client(Protocol):
    """Whose blocks are stepped, such as a session: a stream's rows stand in the line of one client alone."""

    keys: list[str]
    """Of its streams, by their numbers."""
    blocks: deque[Block]
    waiting: bool
    """Whether it is in line for a step."""
    turn: float
    """Where it is in line: the rows that were stepped of it, on a clock that all share."""

    @property
    def stalled(self) -> bool:
        """Whether it takes no answers now."""

    def answered(self, block: Block, answers: Any, error: SluicegateError | None) -> None:
        """Take the answers to a block."""


@dataclass(eq=False, slots=True)
class Block:
    """Rows of different streams that came together, or streams that are to end."""

    client: Client
    slots: ndarray
    streams: ndarray
    sequence: ndarray
    rows: Any
    """`[rows columns]` for a numeric engine, else a list; None where the streams are to end."""
    came: float
    """When they came, by the monotonic clock."""
    binary: bool = False
    """Whether they came in a binary frame."""
    faults: list[SluicegateError] | None = None
    """Why each of the rows is refused, in its turn, where they are."""

    def __len__(self) -> int:
        return len(self.slots)


class Stepper:
    """Steps of one engine.

    Args:
        engine: it computes.
        rows: of a step, about.
        stepped: is told of each step: its blocks, their answers, when it began and how long it took.
    """

    def __init__(self, engine: Engine, rows: int, stepped: Callable[[list[Block], Any, float, float], None]) -> None:
        self._engine, self._rows, self._stepped = engine, rows, stepped
        self._line: list[tuple[float, int, Client]] = []
        self._clock, self._comings = 0.0, 0
        self._busy = self._called = self._halted = False
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[list[Block] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._compute, name="sluicegate-steps", daemon=True)
        self._thread.start()

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not (self._busy or self._line)

    def put(self, client: Client) -> None:
        """Let a client that has blocks stand in line."""
        if not client.waiting and client.blocks and not client.stalled:
            client.turn = max(client.turn, self._clock)
            self._stand(client)
        if not self._busy and not self._called:
            self._called = True
            self._loop.call_soon(self._begin)

    def halt(self) -> None:
        """Begin no further step; the one that is computed is handed out."""
        self._halted = True

    @property
    def busy(self) -> bool:
        """Whether a step is computed."""
        return self._busy

    def stop(self) -> None:
        """End the thread, when it has computed what it was given."""
        self._jobs.put(None)
        self._thread.join()

    def _begin(self) -> None:
        """Begin a step, if there is something to do."""
        self._called = False
        if self._busy or self._halted:
            return
        taken: list[Block] = []
        rows = 0
        again: list[Client] = []
        while self._line and rows < self._rows:
            self._clock, _, client = heapq.heappop(self._line)
            client.waiting = False
            if client.blocks and not client.stalled:
                taken.append(client.blocks.popleft())
                rows += len(taken[-1])
                client.turn += len(taken[-1])
                if client.blocks:
                    again.append(client)  # a stream has one row in a step
        for client in again:
            self._stand(client)
        if taken:
            self._busy = True
            self._jobs.put(taken)

    def _stand(self, client: Client) -> None:
        client.waiting = True
        self._comings += 1
        heapq.heappush(self._line, (client.turn, self._comings, client))

    def _compute(self) -> None:
        while (taken := self._jobs.get()) is not None:
            begun = time.monotonic()
            try:
                answers: Any = self._answers(taken)
            except Exception as error:
                answers = error
            took = time.monotonic() - begun
            try:
                self._loop.call_soon_threadsafe(self._end, taken, answers, begun, took)
            except RuntimeError:  # the loop was closed
                return

    def _answers(self, taken: list[Block]) -> list[Any]:
        """The answers to each block."""
        rows = [block for block in taken if block.rows is not None and block.faults is None]
        found: dict[int, Any] = {id(block): block.faults for block in taken if block.faults is not None}
        if rows:
            slots = rows[0].slots if len(rows) == 1 else np.concatenate([block.slots for block in rows])
            if self._engine.numeric:
                values = rows[0].rows if len(rows) == 1 else np.concatenate([block.rows for block in rows])
            else:
                values = [row for block in rows for row in block.rows]
            answers, begin = self._engine.push(slots, values), 0
            for block in rows:
                found[id(block)] = answers[begin : begin + len(block)]
                begin += len(block)
        for block in taken:
            if block.rows is None:
                found[id(block)] = [self._engine.finish(slot) for slot in block.slots.tolist()]
        return [found[id(block)] for block in taken]

    def _end(self, taken: list[Block], answers: Any, begun: float, took: float) -> None:
        self._busy = False
        self._stepped(taken, answers, begun, took)
        if self._line:
            self._begin()
