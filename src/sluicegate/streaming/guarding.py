"""One push at a time: a stream that two threads push at once refuses the second, and keeps its state whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

from sluicegate.errors import StreamError

from .stream import Stream

Guarded = TypeVar("Guarded", bound="GuardedStream")
P = ParamSpec("P")
R = TypeVar("R")


class OneAtATime:
    """What a stream holds while it changes its state."""

    def __init__(self) -> None:
        self._held = RLock()

        self.release = self._held.release

    def take(self) -> None:
        """Hold it until as many calls of `release`, which the thread that does so may do again.

        Raises:
            StreamError: another thread does.
        """
        if not self._held.acquire(blocking=False):
            raise StreamError(
                "the stream is being pushed from another thread: push it from one at a time, or open a stream for each"
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it within a block, as `take` says."""
        self.take()
        try:
            yield
        finally:
            self.release()


class GuardedStream(Stream):
    """A stream whose methods with `alone` before them run in one thread at a time."""

    _one: OneAtATime

    def __new__(cls, *_: Any, **__: Any) -> GuardedStream:
        """Make it with what it holds meanwhile, before its constructor runs."""
        made = super().__new__(cls)
        made._one = OneAtATime()
        return made


def alone(method: Callable[Concatenate[Guarded, P], R]) -> Callable[Concatenate[Guarded, P], R]:
    """Have a method of a stream refuse to run while another thread runs one, which goes on undisturbed."""

    @wraps(method)
    def guarded(stream: Guarded, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with stream._one.held():
            return method(stream, *args, **kwargs)

    return guarded
