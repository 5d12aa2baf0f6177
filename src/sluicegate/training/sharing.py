"""PyTorch's threads beside other programs: how they are kept from holding processors that they do not use."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import torch

ENOUGH = 1 << 17
"""Numbers of a tensor that PyTorch shares out among threads."""

SECOND_TEAM = "sluicegate-second-team"
"""The name of the thread that calls it."""

_EVERY = 0.25  # seconds between two looks at who else computes
_SPARE = 0.25  # of a processor, which others may take before it is one too few


@contextmanager
def sharing_processors() -> Iterator[None]:
    """Where other programs compute beside it, have the threads of GNU's OpenMP wait for a moment only.

    They are PyTorch's on Linux. After each operation they look out for the next one, awake, for milliseconds. With
    nothing beside that is quickest: sleeping threads take a quarter longer. Beside another program they keep each other
    from their processors so: an epoch of small batches took two threads 2.9 s, and one 0.4 s. How long they look out is
    said when PyTorch is imported (OMP_WAIT_POLICY), and cannot be changed then. But where the runtime has more threads
    than there are processors, it has all of them wait for a three-hundredth of that and then sleep. So while others
    compute on our processors a second team is there, which has nothing to do: with it the epoch takes 0.4 s on two
    threads as well.

    With a single thread nothing is done. What is computed does not change.
    """
    threads = torch.get_num_threads()
    if threads == 1 or not sys.platform.startswith("linux"):
        yield
        return
    over = Event()
    watch = Thread(target=_watch, args=(threads, over), name="sluicegate-watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(threads: int, over: Event) -> None:
    """Call for a second team while others leave too few processors, until it is over."""
    team: tuple[Thread, Event] | None = None
    before = taken()
    while not over.wait(_EVERY):
        now = taken()
        seconds, others = now[0] - before[0], now[1] - before[1]
        crowded = others / seconds > now[2] - threads + _SPARE
        before = now
        if crowded and team is None:
            team = _second_team(threads)
        elif not crowded and team is not None:
            _dismiss(team)
            team = None
    if team is not None:
        _dismiss(team)


def taken() -> tuple[float, float, int]:
    """Seconds on the clock, seconds of our processors that other programs have had, and how many are ours.

    Ours are those that this process may run on, so that a part of a large machine is looked at alone.
    """
    ours = os.sched_getaffinity(0)
    busy = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *counted = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in ours:
            user, nice, system, _, _, interrupts, soft, stolen = map(int, counted[:8])
            busy += user + nice + system + interrupts + soft + stolen
    return time.monotonic(), busy / os.sysconf("SC_CLK_TCK") - time.process_time(), len(ours)


def _second_team(threads: int) -> tuple[Thread, Event]:
    called, over = Event(), Event()

    def call() -> None:
        try:
            torch.set_num_threads(threads)  # of this thread: a new one has what was said when PyTorch was imported
            torch.zeros(ENOUGH).add_(1)
        finally:
            called.set()
        over.wait()

    second = Thread(target=call, name=SECOND_TEAM, daemon=True)
    second.start()
    called.wait()
    return second, over


def _dismiss(team: tuple[Thread, Event]) -> None:
    second, over = team
    over.set()
    second.join()
