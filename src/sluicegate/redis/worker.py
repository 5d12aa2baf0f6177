"""A worker: it takes rows of a partition, answers them, and writes answers, states and acknowledgements as one step."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError
from sluicegate.streaming.keyed import KeyedStream
from sluicegate.streaming.stream import Stream

from . import scripts
from .queue import GROUP, Queue
from .rows import answer_of, row_of


class _Entry(NamedTuple):
    id: bytes
    key: bytes
    row: bytes | None


class Worker:
    """Answers the rows of a queue, beside any number of other workers.

    It visits one partition after the other and takes a lease on each, for one batch. What it did not write before it
    died is done anew by the next one, from the state before it: no row is lost, and none is answered twice.

    Args:
        queue: Of rows and answers.
        stream: Of the model, from its `open_stream()`; all workers of a queue have the very same model.
        name: Of the worker, for those who watch Redis; by default that of the machine.
        batch: How many rows it takes at once, from 1 up: they are written together.
        lease: Seconds after which a worker that is silent is taken for dead. One that is slower than this between two
            keys does its batch in vain.
        forget_after: Seconds after its last row in which the state of a key is forgotten, and its next row begins anew;
            None keeps it.

    Raises:
        ConfigError: An argument is out of its range.
    """

    def __init__(
        self,
        queue: Queue,
        stream: Stream,
        *,
        name: str | None = None,
        batch: int = 100,
        lease: float | int = 30,
        forget_after: float | int | None = None,
    ) -> None:
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise ConfigError(f"`batch` (={batch!r}) must be a whole number from 1 up")
        self._queue, self._keyed, self._batch = queue, KeyedStream(stream), batch
        self._name = name or socket.gethostname()
        self._lease = _milliseconds("lease", lease)
        self._life = 0 if forget_after is None else _milliseconds("forget_after", forget_after)
        register: Any = queue.client.register_script
        self._take, self._commit = register(scripts.TAKE), register(scripts.COMMIT)
        self._renew, self._release = register(scripts.RENEW), register(scripts.RELEASE)
        self._next = uuid.uuid4().int % queue.partitions  # so that workers which begin together begin apart

    def work(self) -> int:
        """Visit each partition once.

        Returns:
            How many rows were answered; none where there are none, or others have them.

        Raises:
            SnapshotError: The state of a key is damaged or of another model; its rows wait.
            redis.exceptions.RedisError: Redis cannot be reached, or refuses; nothing is lost, and `work` may be called
                again.
        """
        first = self._next
        self._next = (first + 1) % self._queue.partitions
        return sum(self._visit((first + place) % self._queue.partitions) for place in range(self._queue.partitions))

    def run(self, until: Callable[[], bool] = lambda: False, *, pause: float | int = 0.01) -> None:
        """Work on and on.

        Args:
            until: Is asked between two rounds whether to end.
            pause: Seconds to sleep where there was nothing to do.

        Raises:
            SnapshotError: As `work` does.
            redis.exceptions.RedisError: As `work` does.
        """
        while not until():
            if not self.work():
                time.sleep(pause)

    def _visit(self, partition: int) -> int:
        """Answer a batch of a partition; how many rows were answered."""
        queue, token = self._queue, uuid.uuid4().hex
        lease, rows = queue.place(partition, "lease"), queue.place(partition, "rows")
        found = self._take([lease, rows], [token, self._lease, GROUP, self._name, self._batch])
        if not found:
            return 0
        try:
            answers, states = self._answered(partition, token, [_entry(*one) for one in found])
            places = [queue.place(partition, "state:").encode() + key for key in states]
            keys = [lease, rows, queue.place(partition, "answers"), *places]
            written = self._commit(keys, [token, GROUP, self._life, *states.values(), *answers])
        except _LostLease:
            return 0
        except BaseException:
            self._release([lease], [token])
            raise
        return len(found) if written else 0

    def _answered(self, partition: int, token: str, entries: list[_Entry]) -> tuple[list[bytes], dict[bytes, bytes]]:
        """Id, key and answer of each row, one behind the other, and the state of each key after them."""
        by_key: dict[bytes, list[_Entry]] = {}
        for entry in entries:
            by_key.setdefault(entry.key, []).append(entry)
        place, lease = self._queue.place(partition, "state:").encode(), self._queue.place(partition, "lease")
        before: Any = self._queue.client.mget([place + key for key in by_key])
        answers: dict[bytes, bytes] = {}
        states: dict[bytes, bytes] = {}
        renewed = time.monotonic()
        for (key, own), state in zip(by_key.items(), before, strict=True):
            if (time.monotonic() - renewed) * 3000 > self._lease:
                renewed = time.monotonic()
                if not self._renew([lease], [token, self._lease]):
                    raise _LostLease
            said, states[key] = self._of_key(key, own, state)
            answers.update(zip((entry.id for entry in own), said, strict=True))
        return [part for entry in entries for part in (entry.id, entry.key, answers[entry.id])], states

    def _of_key(self, key: bytes, entries: list[_Entry], state: bytes | None) -> tuple[list[bytes], bytes]:
        """The answers to the rows of a key, and the state after them."""
        rows: list[Any] = []
        for entry in entries:
            try:
                rows.append(row_of(entry.row))
            except DataError as error:
                rows.append(error)
        try:
            said, state = self._keyed.answer([row for row in rows if not isinstance(row, DataError)], state)
        except (SnapshotError, StreamError) as error:
            name = key.decode(errors="replace")
            raise SnapshotError(f"the state of the key {name!r} cannot be gone on from: {error}") from None
        answered = iter(said)
        return [answer_of({"error": str(row)} if isinstance(row, DataError) else next(answered)) for row in rows], state


class _LostLease(Exception):  # noqa: N818 - it is no error: another worker has the partition
    """Another worker was given the partition."""


def _entry(number: bytes, fields: list[bytes]) -> _Entry:
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return _Entry(number, named.get(b"key", b""), named.get(b"row"))


def _milliseconds(name: str, seconds: float | int) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.001 <= seconds < 1e9:
        raise ConfigError(f"`{name}` (={seconds!r}) must be seconds, from 0.001 up to a billion")
    return int(seconds * 1000)
