"""One push at a time: a stream that two threads push at once refuses the second, and keeps its state whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sluicegate.errors import StreamError


class OneAtATime:
    """What a stream holds while it changes its state."""

    def __init__(self) -> None:
        self._held = Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it.

        Raises:
            StreamError: another thread does.
        """
        if not self._held.acquire(blocking=False):
            raise StreamError(
                "the stream is being pushed from another thread: push it from one at a time, or open a stream for each"
            )
        try:
            yield
        finally:
            self._held.release()
