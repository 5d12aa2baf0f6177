"""A single recurrent layer against the libraries that people run theirs with, forward and in training.

    python benchmarks/layers.py [--only 0 2] [--libraries torch,sluicegate] [--threads 1,2] [--rounds 7]
        [--write docs/benchmarks.md] [--picture docs/images/layers.svg]

[time, batch, input], fp32, weights and input the same for all; PyTorch's layers and ours under autocast to bfloat16
too, in a table of their own. Forward is inference; training is forward and backward to the gradients of all weights,
not of the input. Every library runs in a process of its own with the same processors and number of threads, and is
first held to the numbers of `torch.nn` in double precision. Then they are measured in turn, round by round, each
sleeping while another is measured; a figure is the median of the rounds.

`--python` is the interpreter that has the libraries; `--picture` an SVG file for the figures with the fewest threads.
The peers are `pip install 'sluicegate[bench]'`; one that is not installed is left out.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
from document import machine, measure_sections
from layers_picture import draw
from layers_tables import LIBRARIES, Contender, Figures, Limits, tables
from peers.answer import pose
from peers.problem import MODES, Case, Mode
from peers.process import Process

CASES = (
    Case(1, 50, 32, 50),
    Case(32, 64, 32, 64),
    Case(64, 128, 32, 100),
    Case(128, 256, 64, 100),
    Case(512, 512, 64, 50),
    Case(256, 256, 1, 200),
    Case(1024, 1024, 1, 100),
)
LONG_ENOUGH = 0.02  # seconds that a measurement lasts at least
PAUSE = 0.06  # seconds before a measurement: for about as long ONNX Runtime's threads look out for more work
BUSY = 20  # per cent of the machine that others may take before the results say so; our own idle threads take some


class Run(NamedTuple):
    """What was measured with a number of threads."""

    figures: Figures
    limits: Limits
    versions: list[str]
    busy: float  # the per cent of the machine that was at work while we paused


def say(text: str) -> None:
    """Tell how far it is; the results are for standard output."""
    print(text, file=sys.stderr, flush=True)


def start(python: str, libraries: list[str], threads: int) -> dict[str, Process]:
    """The processes of the libraries that are installed."""
    processes = {name: Process(python, "peers.worker", name, threads=threads) for name in libraries}
    for name, process in list(processes.items()):
        if missing := process.hello.get("missing"):
            say(f"{name} is left out, since {missing} is not installed: pip install 'sluicegate[bench]'")
            processes.pop(name).close()
    return processes


def prepare(processes: dict[str, Process], paths: dict[str, Path], mode: Mode) -> dict[Contender, int]:
    """How many runs of each contender make a measurement that is long enough, after its answer was found right."""
    repeats: dict[Contender, int] = {}
    for name, process in processes.items():
        library = LIBRARIES[name]
        for cell in library.cells if mode in library.modes else ():
            ready = process.ask(problem=str(paths[cell]), mode=mode)
            if "refused" in ready:
                say(f"  {name} {cell} {mode} is left out: {ready['refused']}")
                continue
            repeats[name, cell] = math.ceil(LONG_ENOUGH / ready["seconds"])
            say(f"  {name} {cell} {mode}: right to {ready['deviation']:.0e}; {ready['way']}")
    return repeats


def measure(options: Namespace, threads: int) -> Run:
    """Measure all sizes with a number of threads."""
    limit = Process(options.python, "peers.limits", threads=threads)
    processes = start(options.python, options.libraries, threads)
    figures: Figures = {}
    limits: list[dict[str, float]] = []
    busy: list[float] = []

    def take_turns(case: Case, paths: dict[str, Path], mode: Mode) -> None:
        """All contenders on one problem, which `paths` holds for each cell."""
        repeats = prepare(processes, paths, mode)
        taken: dict[Contender, list[float]] = {contender: [] for contender in repeats}
        for _ in range(options.rounds):
            limits.append(limit.ask())
            for (name, cell), times in taken.items():
                busy.append(psutil.cpu_percent(PAUSE))
                request = {"problem": str(paths[cell]), "mode": mode, "repeats": repeats[name, cell]}
                times.append(processes[name].ask(**request)["seconds"])
        for (name, cell), times in taken.items():
            figures[case, mode, (name, cell)] = statistics.median(times)
            low, middle, high = (f"{1e3 * t:.3f}" for t in (min(times), statistics.median(times), max(times)))
            say(f"  {name} {cell} {mode}: {middle} ms ({low} to {high})")

    with tempfile.TemporaryDirectory() as place:
        for index in map(int, options.only):
            say(f"{threads} thread(s), {CASES[index]}")
            paths = {cell: Path(place) / f"{index}-{cell}.npz" for cell in ("gru", "lstm")}
            for cell, path in paths.items():
                pose(CASES[index], cell).save(path)
            for mode in MODES:
                take_turns(CASES[index], paths, mode)
    versions = [process.hello["version"] for process in processes.values()]
    for process in (limit, *processes.values()):
        process.close()
    product, registers = (statistics.median(rates[name] for rates in limits) for name in ("product", "registers"))
    return Run(figures, Limits(product, registers * threads), versions, statistics.mean(busy))


def section(options: Namespace) -> Iterator[str]:
    """Tables for each number of threads, and the picture where it is asked for."""
    if unknown := [name for name in options.libraries if name not in LIBRARIES]:
        sys.exit(f"--libraries: {unknown[0]} is none of {', '.join(LIBRARIES)}")
    if options.picture and "torch" not in options.libraries:
        sys.exit("--picture shows speeds beside PyTorch's: add torch to --libraries")
    runs = {threads: measure(options, threads) for threads in options.threads}
    figures = {threads: run.figures for threads, run in runs.items()}
    for threads, run in runs.items():
        yield from tables(figures, threads, run.limits)
    torch.set_num_threads(max(options.threads))  # for the line about the machine; nothing is computed any more
    versions = runs[options.threads[0]].versions
    yield (
        f"Median of {options.rounds} rounds in which all took turns, measured by `python {' '.join(sys.argv)}` on "
        f"{machine()}; contenders: {', '.join(versions)}."
    )
    if (busy := max(run.busy for run in runs.values())) > BUSY:
        yield ""
        yield f"**Others took {busy:.0f} % of the machine meanwhile: take these figures for a rough guide.**"
    if options.picture:
        draw(figures[min(figures)], min(figures), Path(options.picture))


if __name__ == "__main__":
    measure_sections(
        {"layers": section},
        "\n".join([__doc__, *(f"size {number}: {tuple(case)}" for number, case in enumerate(CASES))]),
        only=tuple(map(str, range(len(CASES)))),
        libraries=tuple(LIBRARIES),
        threads=(1, 2),
        rounds=7,
        python=sys.executable,
        picture="",
    )
