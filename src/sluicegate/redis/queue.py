"""Rows in and answers out, in partitions: a key is always in the same one, and one worker at a time is there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.exceptions import ResponseError

from sluicegate.errors import ConfigError, DataError

GROUP = "sluicegate"
"""The consumer group that the workers are in."""


class Answer(NamedTuple):
    """What a worker wrote of a row."""

    id: str
    """Its place in the answers of its partition: `Queue.answers` goes on after it."""
    row: str
    """The id of the row, as `Queue.send` returned it."""
    key: str
    """The row's key."""
    answer: Any
    """What the stream said, as JSON has it; `{"error": sentence}` where the row was refused."""


class Queue:
    """Rows and answers in Redis, for those who send rows, for those who read answers, and for `Worker`.

    In Redis, version 7 or later, the partition `p` is made of the streams `{name:p}:rows` and `{name:p}:answers`, of
    the states `{name:p}:state:KEY`, and of `{name:p}:lease`; the braces keep it on one machine of a cluster. Whoever
    sends rows from elsewhere adds `key` and `row`, an object in JSON, to the partition `crc32(key) % partitions`.

    Args:
        client: A connection to Redis, which gives bytes, as `redis.Redis(host, port)` does.
        name: Of the queue. A model that was trained again needs a queue of another name, since states are bound to
            their model.
        partitions: How many there are: no more workers than these work at once. They stay what they were at first.

    Raises:
        ConfigError: The client decodes what it reads, `name` is empty or has braces, or `partitions` is no whole number
            from 1 up or not what the queue was made with.
    """

    def __init__(self, client: Redis, name: str, *, partitions: int = 16) -> None:
        if client.get_encoder().decode_responses:
            raise ConfigError(
                "`client` decodes what it reads, and states are bytes: make it without `decode_responses=True`"
            )
        if not name or set("{}") & set(name):
            raise ConfigError(f"`name` (={name!r}) must be a text without braces, which tells this queue from others")
        if isinstance(partitions, bool) or not isinstance(partitions, int) or partitions < 1:
            raise ConfigError(f"`partitions` (={partitions!r}) must be a whole number from 1 up")
        self.client, self.name, self.partitions = client, name, partitions
        client.set(f"{{{name}}}:partitions", partitions, nx=True)
        there = int(cast(bytes, client.get(f"{{{name}}}:partitions")))
        if there != partitions:
            raise ConfigError(
                f"`partitions` (={partitions}) of the queue {name!r} must be {there}, which it was made with: keys "
                "would be in others, and their rows out of order"
            )
        for partition in range(partitions):
            try:
                client.xgroup_create(self.place(partition, "rows"), GROUP, "0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):  # else it is there
                    raise

    def place(self, partition: int, part: str) -> str:
        """The key in Redis of a part of a partition: `rows`, `answers`, `lease`, or `state:` and a key."""
        return f"{{{self.name}:{partition}}}:{part}"

    def partition_of(self, key: str) -> int:
        """The partition of a key, from 0 up."""
        return zlib.crc32(key.encode()) % self.partitions

    def send(self, key: str, row: Mapping[str, Any]) -> str:
        """Put a row behind the others of its key.

        Args:
            key: Of the stream that the row is of, such as the name of a sensor.
            row: What the model's stream takes: a mapping from the names of columns to what JSON can hold.

        Returns:
            The id of the row, which its answer has.

        Raises:
            DataError: The row holds what JSON does not.
        """
        try:
            content = json.dumps(dict(row), ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise DataError(f"the row of {key!r} cannot be written as JSON ({error}): send numbers and texts") from None
        number = self.client.xadd(self.place(self.partition_of(key), "rows"), {"key": key, "row": content})
        return cast(bytes, number).decode()

    def waiting(self) -> int:
        """How many rows have no answer yet."""
        lengths: list[Any] = [self.client.xlen(self.place(number, "rows")) for number in range(self.partitions)]
        return sum(lengths)

    def answers(self, partition: int, *, after: str = "0-0", count: int = 1000) -> list[Answer]:
        """Read the answers of a partition, in the order of its rows.

        Args:
            partition: Which, from 0 up.
            after: The id of the last answer that was read before.
            count: How many at most.

        Returns:
            Those that are there; none where there is nothing new.
        """
        entries: Any = self.client.xrange(self.place(partition, "answers"), min=f"({after}", count=count)
        return [
            Answer(number.decode(), fields[b"row"].decode(), fields[b"key"].decode(), json.loads(fields[b"answer"]))
            for number, fields in entries
        ]

    def drop_answers(self, partition: int, *, before: str) -> int:
        """Delete the answers of a partition before that with the id `before`; how many there were.

        Nothing else deletes them: without it they fill the memory of Redis.
        """
        dropped: Any = self.client.xtrim(self.place(partition, "answers"), minid=before, approximate=False)
        return int(dropped)
