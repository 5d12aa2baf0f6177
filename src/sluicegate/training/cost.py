"""What training costs: for whoever compares models, and nobody else."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Cost:
    """What the training within a block cost.

    Args:
        seconds: of wall time in the training loop, validation checks included.
        steps: optimiser steps.
        epoch: steps of an epoch.
        peak: the most memory that the process has held until the loop's end, in bytes.
    """

    seconds: float = 0.0
    steps: int = 0
    epoch: int = 1
    peak: int = 0


_WATCHED: ContextVar[Cost | None] = ContextVar("_WATCHED", default=None)


@contextmanager
def watched() -> Iterator[Cost]:
    """Measure what the training within the block costs."""
    cost = Cost()
    token = _WATCHED.set(cost)
    try:
        yield cost
    finally:
        _WATCHED.reset(token)


def note_cost(seconds: float, steps: int, epoch: int) -> None:
    """Tell whoever watches what a training loop took."""
    cost = _WATCHED.get()
    if cost is not None:
        cost.seconds += seconds
        cost.steps += steps
        cost.epoch, cost.peak = epoch, peak_memory()


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
