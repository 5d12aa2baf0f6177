"""A GRU in JAX: our kernels against a scan that JAX compiles, forward and in training.

    python benchmarks/jax_layers.py [--only 0 2] [--threads 1] [--rounds 7] [--write docs/benchmarks.md]

The sizes, the problems and the processes are those of `layers.py`: both are compiled as a whole with the loss, are
first held to the numbers of `torch.nn.GRU` in double precision, and take turns. The scan goes one step at a time or
four, whichever is faster; training is `jax.value_and_grad` by the weights. Of the rounds, the fastest counts: what
else runs on the machine makes a measurement longer, and never shorter.
"""

from __future__ import annotations

import math
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from document import machine, measure_sections
from layers import CASES, LONG_ENOUGH
from peers.answer import pose
from peers.problem import MODES, Case, Mode
from peers.process import Process

PEERS = ("sluicegate_jax", "jax")


def figures(processes: list[Process], path: Path, mode: Mode, rounds: int) -> list[float]:
    """The milliseconds of each, who take turns."""
    ready = [process.ask(problem=str(path), mode=mode) for process in processes]
    best = [math.inf] * len(processes)
    for _ in range(rounds):
        for i, process in enumerate(processes):
            repeats = math.ceil(LONG_ENOUGH / ready[i]["seconds"])
            best[i] = min(best[i], process.ask(problem=str(path), mode=mode, repeats=repeats)["seconds"])
    return [1e3 * seconds for seconds in best]


def row(processes: list[Process], case: Case, rounds: int) -> str:
    """A size in the table."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "problem.npz"
        pose(case, "gru").save(path)
        for mode in MODES:
            ours, scan = figures(processes, path, mode, rounds)
            found += [f"{ours:.3g}", f"{scan:.3g}", f"**{scan / ours:.1f}x**"]
    line = f"| {case.input} → {case.hidden}, batch {case.batch}, {case.steps} steps | {' | '.join(found)} |"
    print(line, file=sys.stderr, flush=True)
    return line


def section(options: Namespace) -> Iterator[str]:
    """A table for each number of threads."""
    for threads in options.threads:
        processes = [Process(sys.executable, "peers.worker", name, threads=threads) for name in PEERS]
        yield f"| threads: {threads} | forward, ms: ours | scan | | training, ms: ours | scan | |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        yield from (row(processes, CASES[int(i)], options.rounds) for i in options.only)
        yield ""
        versions = " and ".join(process.hello["version"] for process in processes)
        for process in processes:
            process.close()
    called = f"`python {' '.join(sys.argv)}`"
    yield f"The fastest of {options.rounds} rounds, measured by {called} on {machine()}; {versions}."


if __name__ == "__main__":
    measure_sections({"jax-layers": section}, __doc__, only=tuple(map(str, range(len(CASES)))), threads=(1,), rounds=7)
