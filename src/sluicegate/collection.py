"""How often a process of the command line looks for garbage."""

from __future__ import annotations

import atexit
import gc

_ALLOCATIONS = 10_000  # between two looks, where Python has 700; 100,000 save no more


def collect_rarely() -> None:
    """Look for garbage less often, and not at the end: nearly all that a short command makes are modules, which stay.

    A fifth of the processor time of a short `fit` and a quarter of that of `predict` were spent on looking through
    them, half of the latter at the very end.
    """
    gc.set_threshold(_ALLOCATIONS, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
