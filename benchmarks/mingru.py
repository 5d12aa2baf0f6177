"""What a MinGRU costs beside a GRU of the same size, and what a hundred thousand steps take in memory.

    python benchmarks/mingru.py [--threads 1,2] [--write docs/benchmarks.md]

Times: a training step is the forward and the backward pass, with the gradient of the input; the layers take turns.
Memory: by how much the largest size of a fresh process grows when it takes one training step of one row and so many
steps, with a loss on the last state, after it has taken a short one. The input itself is part of it. Linux only.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from document import machine, measure_sections

from sluicegate import nn

ROUNDS = 9
SIZES = [(1, 50, 32, 50), (64, 128, 32, 1000), (128, 128, 8, 1000), (64, 128, 1, 2000)]
"""Inputs, units, rows and steps."""

STEPS, UNITS = 100_000, 64
KEPT: list[tuple[str, dict[str, Any]]] = [
    ("GRU", {}),
    ("GRU", {"checkpoint_every": 300}),
    ("LSTM", {}),
    ("LSTM", {"checkpoint_every": 300}),
    ("MinGRU", {}),
]


def step_of(layer: torch.nn.Module, rows: int, steps: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """The forward pass alone, and a training step."""
    x = torch.randn(steps, rows, layer.input_size, requires_grad=True)
    gradient = torch.randn(steps, rows, layer.hidden_size)

    def forward() -> None:
        with torch.no_grad():
            layer(x)

    def train() -> None:
        layer.zero_grad()
        x.grad = None
        layer(x)[0].backward(gradient)

    return forward, train


def times(inputs: int, units: int, rows: int, steps: int) -> list[float]:
    """Milliseconds: forward of the MinGRU and of the GRU, then training."""
    minimal = step_of(nn.MinGRU(inputs, units), rows, steps)
    full = step_of(nn.GRU(inputs, units), rows, steps)
    calls = [minimal[0], full[0], minimal[1], full[1]]
    taken: list[list[float]] = [[] for _ in calls]
    for round_ in range(ROUNDS + 1):
        for call, found in zip(calls, taken, strict=True):
            begun = time.perf_counter()
            call()
            if round_ > 0:  # the first warms up
                found.append(1e3 * (time.perf_counter() - begun))
    return [statistics.median(found) for found in taken]


def table_of_times(threads: int) -> Iterator[str]:
    """How the two compare, with so many threads."""
    torch.set_num_threads(threads)
    yield f"| threads: {threads} | forward, ms: MinGRU | GRU | | training, ms: MinGRU | GRU | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for inputs, units, rows, steps in SIZES:
        a, b, c, d = times(inputs, units, rows, steps)
        name = f"{inputs} → {units}, batch {rows}, {steps:,} steps"
        yield f"| {name} | {a:.3g} | {b:.3g} | **{b / a:.1f}x** | {c:.3g} | {d:.3g} | **{d / c:.1f}x** |"
    yield ""


def peak() -> float:
    """The largest size of this process so far, in MB; `resource` would count that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def grown(number: int, inputs: int) -> float:
    """Megabytes that this very process grows by in a training step of many steps, of a layer of those in `KEPT`."""
    kind, options = KEPT[number]
    layer, head = getattr(nn, kind)(inputs, UNITS, **options), torch.nn.Linear(UNITS, 1)

    def train(steps: int) -> None:
        _, state = layer(torch.randn(steps, 1, inputs))
        head(state if isinstance(state, torch.Tensor) else state[0]).square().sum().backward()

    train(100)
    before = peak()
    train(STEPS)
    return peak() - before


def table_of_memory() -> Iterator[str]:
    """What each layer takes, in a process of its own."""
    yield f"| {STEPS:,} steps, {UNITS} units, batch 1: memory, MB | input 1 | input 64 |"
    yield "| --- | --- | --- |"
    for number, (kind, options) in enumerate(KEPT):
        found = []
        for inputs in (1, 64):
            call = [sys.executable, "-c", f"import mingru; print(mingru.grown({number}, {inputs}))"]
            here = Path(__file__).parent
            found.append(float(subprocess.run(call, cwd=here, check=True, capture_output=True, text=True).stdout))
        named = "".join(f", `{name}={value}`" for name, value in options.items())
        yield f"| {kind}{named} | {found[0]:.0f} | {found[1]:.0f} |"
    yield ""


def tables(options: Namespace) -> Iterator[str]:
    """Times with each number of threads, and memory."""
    for threads in options.threads:
        yield from table_of_times(threads)
    yield from table_of_memory()
    yield f"Times are medians of {ROUNDS} rounds, all measured on {machine()}."


if __name__ == "__main__":
    measure_sections({"mingru": tables}, __doc__, threads=(1, 2))
