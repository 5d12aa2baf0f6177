"""What several networks are trained on in a step, made once: the networks take their steps side by side."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Shared(Generic[Made]):
    """Makes what a step needs when it is asked for first, and lets it go when all have had it.

    Args:
        takers: how many ask for each step.
        make: given the number of a step, makes what it needs, by which no more is told than by the number.
    """

    def __init__(self, takers: int, make: Callable[[int], Made]) -> None:
        self._takers, self._make = takers, make
        self._lock = Lock()
        self._held: dict[int, tuple[Made, int]] = {}

    def of(self, step: int) -> Made:
        """What a step needs."""
        with self._lock:
            made, left = self._held.pop(step, (None, self._takers))
            if made is None:
                made = self._make(step)
            if left > 1:
                self._held[step] = (made, left - 1)
        return made
