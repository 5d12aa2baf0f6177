"""PyTorch's threads beside other programs: how they are kept from holding processors that they do not use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import torch

ENOUGH = 1 << 17
"""Numbers of a tensor that PyTorch shares out among threads."""


@contextmanager
def sharing_processors() -> Iterator[None]:
    """Have the threads of GNU's OpenMP, which is PyTorch's on Linux, wait for a moment only while the block runs.

    After each operation they look out for the next one, awake, for milliseconds; beside another program they keep each
    other from their processors so: an epoch of small batches took two threads 2.9 s, and one 0.4 s. How long they look
    out is said when PyTorch is imported (OMP_WAIT_POLICY), and cannot be changed then. But where the runtime has more
    threads than there are processors, it has all of them wait for a three-hundredth of that and then sleep. So a second
    team is called for here, which has nothing to do: with it the epoch takes 0.4 s on two threads as well.

    With a single thread nothing is done. What is computed does not change.
    """
    threads = torch.get_num_threads()
    if threads == 1 or not sys.platform.startswith("linux"):
        yield
        return
    called, over = Event(), Event()

    def call() -> None:
        try:
            torch.set_num_threads(threads)  # of this thread: a new one has what was said when PyTorch was imported
            torch.zeros(ENOUGH).add_(1)
        finally:
            called.set()
        over.wait()

    second = Thread(target=call, name="sluicegate-second-team", daemon=True)
    second.start()
    called.wait()
    try:
        yield
    finally:
        over.set()
        second.join()
