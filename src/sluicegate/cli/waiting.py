"""How PyTorch's threads wait for work: awake, each on a processor of its own, unless they are told to sleep.

After each operation the threads of OpenMP look out for the next one, in a loop. With a processor for each that saves
waking them; beside another program they keep each other from their processors, and every small operation waits until
the system takes the processor away from one that does nothing.
"""

from __future__ import annotations

import os
import sys

POLICY = "OMP_WAIT_POLICY"
BY_THE_USER = (POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables of which any says that somebody has thought of it."""


def let_threads_sleep() -> str | None:
    """Have the threads of OpenMP sleep where they wait, if that can still be said, and nobody has said otherwise.

    It is read once, when PyTorch is imported. With a single thread there is nothing to say.

    Returns:
        What was set, as it is written before a command, or None.
    """
    if "torch" in sys.modules or any(name in os.environ for name in BY_THE_USER) or _threads() == 1:
        return None
    os.environ[POLICY] = "passive"
    return f"{POLICY}=passive"


def _threads() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if told.isdecimal():
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
