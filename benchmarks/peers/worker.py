"""The process of one library: it reads a request a line, computes, and answers in a line; in between it sleeps.

    python -m peers.worker LIBRARY THREADS

{"problem": FILE, "mode": "forward" | "training"}
    gets ready, holds the result to the right answer, and chooses the fastest way
    -> {"deviation": ..., "way": NAME, "seconds": a first estimate}, or {"refused": what the library says}
{"problem": FILE, "mode": ..., "repeats": N}
    -> {"seconds": the mean time of N runs after one that is not counted}
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from peers.problem import Mode, Peer, Problem, Way


def seconds(way: Way, repeats: int) -> float:
    """The mean time of a run; one before these brings the data back into the caches and wakes the library's threads."""
    way.run()
    begin = time.perf_counter()
    for _ in range(repeats):
        way.run()
    return (time.perf_counter() - begin) / repeats


def estimate(way: Way) -> float:
    """The fastest of five tries of 20 ms or one run."""
    repeats = max(1, int(0.02 / seconds(way, 1)))
    return min(seconds(way, repeats) for _ in range(5))


def prepare(peer: Peer, path: Path, mode: Mode) -> tuple[Way, dict[str, Any]]:
    """The fastest way to compute the problem, every one of which must come to the right answer."""
    problem = Problem.load(path)
    ways = peer.ways(problem, mode)
    deviations = {name: problem.deviation(way.read(way.run())) for name, way in ways.items()}
    for name, deviation in deviations.items():
        if not deviation <= (most := ways[name].tolerance):
            sys.exit(f"{peer.version}, {problem.cell} {mode} ({name}) is {deviation:.1e} off, more than {most}")
    times = {name: estimate(way) for name, way in ways.items()}
    best = min(times, key=lambda name: times[name])
    return ways[best], {"deviation": max(deviations.values()), "way": best, "seconds": times[best]}


def main(library: str, threads: int) -> None:
    """Answer requests until there are no more."""
    # What the libraries print goes to standard error; standard output is for the answers alone.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    # So that no library can take more than its share, whatever its settings are.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        peer: Peer = import_module(f"peers.by_{library}").Peer(threads)
    except ModuleNotFoundError as error:
        print(json.dumps({"missing": error.name}), file=answers)
        return
    print(json.dumps({"version": peer.version}), file=answers)
    ready: dict[tuple[str, Mode], Way] = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = request["problem"], request["mode"]
        if "repeats" in request:
            answer = {"seconds": seconds(ready[key], request["repeats"])}
        else:
            try:
                ready[key], answer = prepare(peer, Path(key[0]), key[1])
            except RuntimeError as error:  # oneDNN has no LSTM in bfloat16 for every processor
                answer = {"refused": str(error).splitlines()[0]}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
