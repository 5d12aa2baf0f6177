"""Whether our layers learn to remember over thousands of steps.

    python benchmarks/memory.py [--only adding copying] [--seeds 5] [--write docs/benchmarks.md]

The problems are the adding problem (Hochreiter & Schmidhuber 1997) and the copy problem (Arjovsky et al. 2016), see
`sluicegate.study.problems`. Training begins on short sequences and goes on to ever longer ones, each twice as long;
what is reported is measured at the full length, on 500 fresh sequences. One thread; the processor's time stands
beside that of the clock, since a run that shares its machine with others says more by it.
"""

from __future__ import annotations

import statistics
import sys
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from document import machine, measure_sections

from sluicegate.study.learning import FRESH, Learner, Outcome, Recipe
from sluicegate.study.network import NAMES, Network
from sluicegate.study.problems import ADDING, COPYING, Problem
from sluicegate.types import Cell


class Entry(NamedTuple):
    """A layer that tries its hand at a problem."""

    kind: Cell
    length: int
    hidden: int
    memory: int | None
    """The longest time scale that the gates begin with; None for PyTorch's first weights."""
    recipe: Recipe
    budget: float
    """Seconds of the processor's time."""
    layers: int = 1


SHORT_FIRST = Recipe(rate=3e-3, rows=32, start=50)
# At the learning rate at which each learns most readily.
GRU_COPY, LSTM_COPY = Recipe(rate=3e-3, rows=16, start=5), Recipe(rate=5e-3, rows=16, start=5)
ENTRIES: dict[str, tuple[Problem, list[Entry]]] = {
    "adding": (
        ADDING,
        [
            Entry("gru", 1000, 32, 1000, SHORT_FIRST, 180),
            Entry("mingru", 1000, 32, 1000, SHORT_FIRST, 180),
            Entry("gru", 5000, 32, 5000, SHORT_FIRST, 600),
            Entry("mingru", 5000, 32, 5000, SHORT_FIRST, 600),
        ],
    ),
    "copying": (
        COPYING,
        [
            Entry("gru", 1000, 128, None, GRU_COPY, 900),
            Entry("lstm", 1000, 128, None, LSTM_COPY, 900),
            Entry("lstm", 5000, 128, None, LSTM_COPY, 900),
        ],
    ),
}


def run(problem: Problem, entry: Entry, seed: int) -> Outcome:
    """Train one network from its beginning, and measure it on fresh sequences."""
    torch.manual_seed(seed)
    options: dict[str, Any] = {} if entry.kind == "mingru" else {"recurrent_init": "orthogonal"}
    options |= {"num_layers": entry.layers}
    if entry.memory is not None:
        options |= {"memory": (1, entry.memory)}
    network = Network(entry.kind, problem.inputs, entry.hidden, problem.outputs, **options)
    return Learner(network, problem, entry.recipe, seed).learn(entry.length, entry.budget)


def table(name: str, options: Namespace) -> Iterator[str]:
    """A row for each layer and length."""
    torch.set_num_threads(1)
    seeds, (problem, entries) = options.seeds, ENTRIES[name]
    figure = {"adding": "mean squared error, each seed", "copying": "all 10 symbols right, each seed"}[name]
    memoryless = {"adding": "0.167", "copying": "1 in 8 of the symbols, 1e-09 of the sequences"}[name]
    yield f"| {name}, steps | layer | solved | {figure} | sequences | processor, s | clock, s |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for entry in entries:
        found = []
        for seed in range(seeds):
            found.append(run(problem, entry, seed))
            print(name, entry.kind, seed, found[-1], file=sys.stderr, flush=True)
        figures = ", ".join(f"{o.figure:.4f}" if name == "adding" else f"{o.figure:.1%}" for o in found)
        layer = f"{NAMES[entry.kind]}, {entry.layers} x {entry.hidden}"
        layer += "" if entry.memory is None else f", `memory=(1, {entry.memory})`"
        costs = (_span([getattr(o, part) for o in found]) for part in ("sequences", "processor", "seconds"))
        solved = f"**{sum(o.solved for o in found)} of {seeds}**"
        yield f"| {entry.length:,} | {layer} | {solved} | {figures} | {' | '.join(costs)} |"
    yield ""
    spans = "medians and ranges over the seeds" if seeds > 1 else "one seed each"
    yield from (f"Without memory: {memoryless}. {FRESH} fresh sequences; {spans}.", "", f"Measured on {machine()}.")


def _span(values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})" if len(values) > 1 else f"{middle:,.0f}"


if __name__ == "__main__":
    measure_sections({f"memory:{name}": partial(table, name) for name in ENTRIES}, __doc__, seeds=5)
