"""Messages on their way out: sent at once while the reader keeps up, and kept in a bounded box while it does not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from typing import Any, TypeAlias

Message: TypeAlias = Mapping[str, Any]


class Sender:
    """The messages of one connection, in order.

    Args:
        send: takes a message, and waits while the reader is behind.
        most: bytes that wait; one message may go beyond.
        policy: what is done when there are more: `drop-oldest` leaves the oldest answers out, `close` closes; with
            `block` nothing is, and whoever sends looks at `full` before.
        dropped: is told of how many rows answers were left out.
        drained: is called when the box is no longer full.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        most: int,
        policy: str,
        dropped: Callable[[int], None],
        drained: Callable[[], None],
    ) -> None:
        self._send, self._most, self._policy, self._dropped, self._drained = send, most, policy, dropped, drained
        self._box: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._over = self._closing = False

    @property
    def full(self) -> bool:
        """Whether there is no room for answers."""
        return self._bytes >= self._most and not self._over

    @property
    def quiet(self) -> bool:
        """Whether all went out."""
        return self._over or (not self._box and self._task is None)

    def send(self, message: Message, rows: int = 0) -> None:
        """Send a message; `rows` is how many rows it answers. Behind a close nothing is sent."""
        if self._over or self._closing:
            return
        if self._task is None:
            self._task = begun(self._send(message), self._went)
            return
        self._put(message, rows)
        while self._bytes > self._most and self._policy == "drop-oldest" and self._drop_oldest():
            pass
        if self._bytes > self._most and self._policy == "close":
            self._dropped(sum(rows for _, rows in self._box))
            self._box.clear()
            self._bytes = 0
            self.close(1008, "answers are not read fast enough: read faster, then resume")

    def close(self, code: int, reason: str) -> None:
        """Close when all that waits went out."""
        if self._over or self._closing:
            return
        self._closing = True
        message = {"type": "websocket.close", "code": code, "reason": reason[:120]}
        if self._task is None:
            self._task = begun(self._send(message), self._went)
        else:
            self._put(message, 0)

    def stop(self) -> None:
        """Send nothing more: the reader went."""
        self._over = True
        self._box.clear()
        self._bytes = 0

    def _put(self, message: Message, rows: int) -> None:
        self._box.append((message, rows))
        self._bytes += _size(message)

    def _drop_oldest(self) -> bool:
        """Leave out the oldest answers that wait; whether there were any."""
        for place, (message, rows) in enumerate(self._box):
            if rows:
                del self._box[place]
                self._bytes -= _size(message)
                self._dropped(rows)
                return True
        return False

    def _went(self, task: asyncio.Task[None]) -> None:
        """Go on with what waits, after a message that had to wait itself."""
        self._task = None
        full = self.full
        if task.cancelled() or task.exception() is not None:
            self.stop()
        while self._box and self._task is None:
            message, _ = self._box.popleft()
            self._bytes -= _size(message)
            self._task = begun(self._send(message), self._went)
        if full and not self.full:
            self._drained()


def _size(message: Message) -> int:
    """Of a message in bytes, about."""
    return len(message.get("text") or message.get("bytes") or "") + 100


class _Rest:
    """What is left of a coroutine that was begun and has to wait."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._coroutine, self._waits_for = coroutine, waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, sent)
            try:
                waits_for = step()
            except StopIteration:
                return


async def _awaited(rest: _Rest) -> None:
    await rest


def begun(awaitable: Awaitable[None], then: Callable[[asyncio.Task[None]], None]) -> asyncio.Task[None] | None:
    """Begin a coroutine at once, and go on with it in a task only if it has to wait.

    A task for each message took as long as sending it.

    Returns:
        The task, which calls `then` at its end; None where the coroutine is done already, well or not.
    """
    assert isinstance(awaitable, Coroutine)
    try:
        waits_for = awaitable.send(None)
    except StopIteration:
        return None
    except Exception:
        return None
    task = asyncio.get_running_loop().create_task(_awaited(_Rest(awaitable, waits_for)))
    task.add_done_callback(then)
    return task
