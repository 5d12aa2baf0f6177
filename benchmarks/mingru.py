"""What a MinGRU costs beside a GRU of the same size, and what a hundred thousand steps take in memory.

    python benchmarks/mingru.py [--threads 1,2] [--write docs/benchmarks.md]

Times: a training step is the forward and the backward pass, with the gradient of the input; the layers take turns.
Memory: by how much the largest size of a fresh process grows when it takes one training step of one row and so many
steps, with a loss on the last state, after it has taken a short one. The input itself is part of it. Linux only.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from document import machine, replace_section

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


def table_of_times(threads: int) -> list[str]:
    """How the two compare, with so many threads."""
    torch.set_num_threads(threads)
    lines = [
        f"| threads: {threads} | forward, ms: MinGRU | GRU | | training, ms: MinGRU | GRU | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for inputs, units, rows, steps in SIZES:
        a, b, c, d = times(inputs, units, rows, steps)
        name = f"{inputs} → {units}, batch {rows}, {steps:,} steps"
        lines.append(f"| {name} | {a:.3g} | {b:.3g} | **{b / a:.1f}x** | {c:.3g} | {d:.3g} | **{d / c:.1f}x** |")
    return [*lines, ""]


def peak() -> float:
    """The largest size of this process so far, in MB; `resource` would count that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def grown(kind: str, options: dict[str, Any], inputs: int) -> float:
    """Megabytes that this very process grows by in a training step of many steps."""
    layer, head = getattr(nn, kind)(inputs, UNITS, **options), torch.nn.Linear(UNITS, 1)

    def train(steps: int) -> None:
        _, state = layer(torch.randn(steps, 1, inputs))
        head(state if isinstance(state, torch.Tensor) else state[0]).square().sum().backward()

    train(100)
    before = peak()
    train(STEPS)
    return peak() - before


def table_of_memory() -> list[str]:
    """What each layer takes, in a process of its own."""
    lines = [f"| {STEPS:,} steps, {UNITS} units, batch 1: memory, MB | input 1 | input 64 |", "| --- | --- | --- |"]
    for number, (kind, options) in enumerate(KEPT):
        found = []
        for inputs in (1, 64):
            call = [sys.executable, __file__, "--grown", str(number), str(inputs)]
            found.append(float(subprocess.run(call, check=True, capture_output=True, text=True).stdout))
        named = "".join(f", `{name}={value}`" for name, value in options.items())
        lines.append(f"| {kind}{named} | {found[0]:.0f} | {found[1]:.0f} |")
    return [*lines, ""]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2", help="numbers of threads, such as 1,2")
    parser.add_argument("--write", type=Path, help="the page whose section is replaced")
    parser.add_argument("--grown", nargs=2, type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.grown:
        kind, options = KEPT[asked.grown[0]]
        print(grown(kind, options, asked.grown[1]))
        return
    lines = [line for n in asked.threads.split(",") for line in table_of_times(int(n))] + table_of_memory()
    text = "\n".join([*lines, f"Times are medians of {ROUNDS} rounds, all measured on {machine()}."])
    print(text)
    if asked.write:
        replace_section(asked.write, "mingru", text)


if __name__ == "__main__":
    main()
