"""The process that tells what the machine can do at best: `python -m peers.limits THREADS`, an answer for every line.

`product` is the rate of a large matrix product with all threads, `registers` that of multiply-adds that never touch
memory, on one thread, both in GFLOP/s. The machine is shared, so both are asked for many times.
"""

from __future__ import annotations

import json
import os
import sys
import time

import torch

from sluicegate import _core

SIDE = 2048


def product_rate() -> float:
    """GFLOP/s of the second of two products of `SIDE` x `SIDE` matrices."""
    a = torch.ones(SIDE, SIDE)
    torch.mm(a, a)
    begin = time.perf_counter()
    torch.mm(a, a)
    return 2e-9 * SIDE**3 / (time.perf_counter() - begin)


def main(threads: int) -> None:
    """Answer every line of the input."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    torch.set_num_threads(threads)
    print(json.dumps({"version": f"torch {torch.__version__}"}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"product": product_rate(), "registers": _core.fma_rate()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
