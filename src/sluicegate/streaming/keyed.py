"""Streams told apart by keys, whose states are kept elsewhere: what an engine for many machines asks of a model."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from sluicegate.errors import SluicegateError

from .stream import Stream


class KeyedStream:
    """The streams of all keys of one model, one at a time: a state and rows in, answers and the state after them out.

    Nothing is remembered between two calls, so that any process with the same model can make the next one: an engine
    such as Redis Streams or Kafka keeps the state of each key, brings the rows of a key in order, and writes answers
    and state together. Cut into calls as they may be, the answers have the bits of one stream of all rows of the key.

    Args:
        stream: Of the model, from its `open_stream()`; nobody else pushes it. A key begins as this stream does after
            `reset()`.

    Example:
        >>> import torch
        >>> from sluicegate.nn import GRU
        >>> from sluicegate.streaming import KeyedStream, LayerStream
        >>> layer, rows = GRU(3, 5), torch.randn(4, 3)
        >>> keyed = KeyedStream(LayerStream(layer))
        >>> _, state = keyed.answer(rows[:2], None)
        >>> answers, state = keyed.answer(rows[2:], state)
        >>> torch.equal(answers[1], layer(rows)[0][3])
        True
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._takes_future = "future" in inspect.signature(stream.push).parameters

    def answer(self, rows: Iterable[Any], state: bytes | None) -> tuple[list[Any], bytes]:
        """Push the rows of a key, one by one.

        Args:
            rows: What the stream takes, in order. In a mapping the list `future` is what is known in advance, where
                the stream takes such.
            state: Of the key, as the last call for it returned it; None begins anew.

        Returns:
            For each row what `push` gave, or `{"error": sentence}` of one that was refused, which leaves no trace in
            the state; and the state after them.

        Raises:
            SnapshotError: The state is damaged, or of another model; nothing was read.
            StreamError: It is that of a stream that was finished.
        """
        if state is None:
            self._stream.reset()
        else:
            self._stream.restore(state)
            self._stream.require_running()
        return [self._push(row) for row in rows], self._stream.snapshot()

    def _push(self, row: Any) -> Any:
        future = {}
        if self._takes_future and isinstance(row, Mapping) and isinstance(row.get("future"), list):
            future = {"future": row["future"]}
            row = {name: value for name, value in row.items() if name != "future"}
        try:
            return self._stream.push(row, **future)
        except SluicegateError as error:
            return {"error": " ".join(str(error).split())}
