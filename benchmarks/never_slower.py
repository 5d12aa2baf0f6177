"""Every cell and layer beside PyTorch's own over a grid of sizes: where, if anywhere, is the accelerated one slower?

    python benchmarks/never_slower.py [--kinds GRU,GRUCell] [--units 512,1024] [--batches 1,4] [--steps 1,5]
        [--modes forward,training] [--seconds 0.3] [--most 5e8] [--worst 40] [--write docs/benchmarks.md]

fp32, `[time, batch, input]`, as many inputs as units, one thread. Forward is inference; training is forward, backward
to the gradients of the weights and of the input, and `zero_grad`. Both run in one process in turns, and a figure is the
median over the turns of how many times as fast ours was, in processor time, in which other programs have little part. A
point gets `--seconds`, and three turns at least; those with more than `--most` multiply-adds forward are left out.
"""

from __future__ import annotations

import copy
import itertools
import math
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from document import machine, measure_sections
from torch import nn

import sluicegate

KINDS = ("GRUCell", "LSTMCell", "RNNCell", "GRU", "LSTM", "RNN")
GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}
BARS = (1.0, 0.97, 0.93)
TURN = 1e-3  # seconds that one turn of one contender lasts at least
TURNS = (3, 25)  # at least and at most


class Point(NamedTuple):
    """A point of the grid."""

    kind: str
    units: int
    batch: int
    steps: int
    mode: str

    @property
    def multiply_adds(self) -> int:
        """Those of a forward pass, of the products alone."""
        return self.steps * self.batch * 2 * GATES[self.kind.removesuffix("Cell")] * self.units**2


class Found(NamedTuple):
    """What was measured there: times as fast as PyTorch, and PyTorch's seconds."""

    speed: float
    seconds: float


def grid(options: Namespace) -> list[Point]:
    """The points that are asked for and do not cost too much; a cell takes one step."""
    chosen = itertools.product(options.kinds, options.units, options.batches, options.steps, options.modes)
    points = dict.fromkeys(Point(k, u, b, 1 if k.endswith("Cell") else t, m) for k, u, b, t, m in chosen)
    return [point for point in points if point.multiply_adds <= options.most]


def contender(module: nn.Module, point: Point) -> Callable[[], object]:
    """One call of what is measured."""
    shape = (point.batch, point.units) if point.kind.endswith("Cell") else (point.steps, point.batch, point.units)
    x = torch.randn(shape, requires_grad=point.mode == "training")

    def forward() -> object:
        with torch.inference_mode():
            return module(x)

    def training() -> None:
        found = module(x)
        output = found[0] if isinstance(found, tuple) else found
        output.backward(torch.ones_like(output))
        module.zero_grad()
        x.grad = None

    return forward if point.mode == "forward" else training


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Measure a call in processor time, as the mean over a turn."""
    begin = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - begin) / repeats


def measure(point: Point, budget: float) -> Found:
    """Let both take turns at a point."""
    torch.manual_seed(0)
    theirs = getattr(nn, point.kind)(point.units, point.units)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    runs = [contender(module, point) for module in (theirs, ours)]
    once = max(min(seconds(run, 1) for _ in range(3)) for run in runs)
    repeats = math.ceil(TURN / once)
    turns = min(max(int(budget / (2 * repeats * once)), TURNS[0]), TURNS[1])
    times = [[seconds(run, repeats) for run in runs] for _ in range(turns)]
    return Found(statistics.median(a / b for a, b in times), statistics.median(a for a, _ in times))


def tables(found: dict[Point, Found], worst: int) -> Iterator[str]:
    """The shares below the bars by kind and mode, and the worst points."""
    yield "| | points | median | slowest | " + " | ".join(f"below x{bar}" for bar in BARS) + " |"
    yield "| --- |" + " --- |" * (3 + len(BARS))
    groups = dict.fromkeys((point.kind, point.mode) for point in found)
    for kind, mode in groups:
        yield row(f"{kind}, {mode}", [f.speed for p, f in found.items() if (p.kind, p.mode) == (kind, mode)])
    yield row("**all**", [f.speed for f in found.values()])
    yield ""
    yield "| slowest | units | batch | steps | | PyTorch, ms | times as fast |"
    yield "| --- |" + " --- |" * 6
    for point, f in sorted(found.items(), key=lambda item: item[1].speed)[:worst]:
        yield (
            f"| {point.kind} | {point.units} | {point.batch} | {point.steps} | {point.mode} | {1e3 * f.seconds:.3g} | "
            f"x{f.speed:.2f} |"
        )


def row(name: str, speeds: Sequence[float]) -> str:
    """A row of the first table."""
    shares = [sum(speed < bar for speed in speeds) / len(speeds) for bar in BARS]
    cells = [len(speeds), f"x{statistics.median(speeds):.2f}", f"x{min(speeds):.2f}", *(f"{s:.1%}" for s in shares)]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def section(options: Namespace) -> Iterator[str]:
    """Measure the grid."""
    torch.set_num_threads(1)
    found = {}
    for point in (points := grid(options)):
        found[point] = measure(point, options.seconds)
        print(f"{len(found)}/{len(points)} {tuple(point)} x{found[point].speed:.2f}", file=sys.stderr, flush=True)
    yield from tables(found, options.worst)
    yield ""
    yield f"Measured by `python {' '.join(sys.argv)}` on {machine()}."


if __name__ == "__main__":
    measure_sections(
        {"never-slower": section},
        __doc__,
        kinds=KINDS,
        units=(1, 24, 128, 512, 1024, 2048),
        batches=(1, 16, 256),
        steps=(1, 2, 5, 100, 1000),
        modes=("forward", "training"),
        seconds=0.3,
        most=5e8,
        worst=40,
    )
