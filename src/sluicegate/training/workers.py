"""Work that falls into parts which have nothing to do with each other, in threads side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Threads, as many as PyTorch may use, each of which computes with one thread; to be used in a `with` block.

    Most operations of a small network are too small to be shared by threads: side by side, the networks of a text
    classifier took five sixths of the time of a step that two threads took for one after the other. What a part
    computes has the same bits on any number of threads. A single part is computed by the caller, with all threads.

    Args:
        parts: that there will be at a time, at most.
    """

    def __init__(self, parts: int) -> None:
        self._threads = torch.get_num_threads()
        self._size = min(parts, self._threads)
        self._pool: ThreadPoolExecutor | None = None
        if self._size > 1:
            self._pool = ThreadPoolExecutor(self._size, initializer=torch.set_num_threads, initargs=(1,))

    def map(self, work: Callable[[Item], Result], parts: Iterable[Item]) -> list[Result]:
        """What the work makes of each part; grad mode is PyTorch's default in it."""
        return [*map(work, parts)] if self._pool is None else [*self._pool.map(work, parts)]

    def rounds(self, work: Callable[[Item, int], None], parts: Iterable[Item], numbers: range) -> None:
        """Do the work for each part and each number: for a part in the numbers' order, and parts do not wait."""
        waiting = deque((part, iter(numbers)) for part in parts)
        over = Event()

        def work_off() -> None:
            try:
                while not over.is_set():
                    try:
                        part, left = waiting.popleft()
                    except IndexError:  # others have the rest in their hands
                        return
                    for number in left:
                        work(part, number)
                        waiting.append((part, left))
                        break
            except BaseException:
                over.set()
                raise

        if self._pool is None:
            work_off()
            return
        try:
            for done in [self._pool.submit(work_off) for _ in range(self._size)]:
                done.result()
        finally:  # where the caller is interrupted, the others stop too
            over.set()

    def __enter__(self) -> Workers:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what has begun, and give PyTorch its threads back: their number is the process's as well."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            torch.set_num_threads(self._threads)
