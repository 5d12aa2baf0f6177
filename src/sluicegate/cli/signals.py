"""The signals that end a stream: between two answers, never within one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stopped(Exception):  # noqa: N818 - it is no error
    """The stream was asked to end, by a signal."""

    def __init__(self, by: signal.Signals) -> None:
        self.by = by


class Signals:
    """While it is entered, SIGTERM and SIGINT end the process where `ending` is entered, and else wait for that."""

    def __init__(self) -> None:
        self._waiting = False
        self._came: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Where a signal ends the process."""
        self._waiting = True
        try:
            if self._came is not None:
                raise Stopped(self._came)
            yield
        finally:
            self._waiting = False

    def _note(self, number: int, _: object) -> None:
        self._came = signal.Signals(number)
        if self._waiting:
            self._waiting = False
            raise Stopped(self._came)
