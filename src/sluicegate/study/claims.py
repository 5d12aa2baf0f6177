"""What is said of recurrent networks, sentence by sentence, with the experiment that decides it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch

from sluicegate import _core
from sluicegate.atomic import write_atomic, written_aside
from sluicegate.training import progress_bar

from . import costs, counting, digits, gates, gradients, ladders
from .finding import Finding
from .problems import ADDING, COPYING, Problem

PAGE, IMAGES = "claims.md", "images/claims"


class Experiment(NamedTuple):
    """What decides a claim, in one piece or in parts that may run side by side."""

    examine: Callable[..., Any]
    """From the size to what came of it; of an experiment in parts, from the name of one and the size."""
    whole: Any
    """Its size."""
    miniature: Any
    parts: Callable[[Any], Iterable[str]] | None = None
    """From the size to their names."""
    judge: Callable[[Any, dict[str, Any]], Finding] | None = None
    """From the size and what came of each part."""

    @classmethod
    def ladder(cls, problem: Problem) -> Experiment:
        """Each contender is a part."""
        climb, contenders = partial(ladders.climb, problem), partial(ladders.contenders, problem)
        return cls(climb, ladders.Size(), ladders.QUICK, contenders, partial(ladders.examine, problem))


EXPERIMENTS: dict[str, Experiment] = {
    "copying": Experiment.ladder(COPYING),
    "adding": Experiment.ladder(ADDING),
    "gradients": Experiment(gradients.examine, gradients.Size(), gradients.QUICK),
    "counting": Experiment(counting.examine, counting.Size(), counting.QUICK),
    "digits": Experiment(digits.examine, digits.Size(), digits.QUICK),
    "gates": Experiment(gates.examine, gates.Size(), gates.QUICK),
    "costs": Experiment(costs.examine, costs.Size(), costs.QUICK),
}
"""By name; those that take longest come first."""

ORDER = ("gradients", "costs", "adding", "copying", "digits", "counting", "gates")
"""As the page tells of them."""


def check_claims(
    out: str | Path, *, quick: bool = False, jobs: int | None = None, progress: bool | None = None
) -> list[Finding]:
    """Run every experiment, and write a page in Markdown with its pictures.

    Args:
        out: a folder, for `claims.md` and `images/claims`.
        quick: in miniature, to see that it works: nothing can be learnt from its findings.
        jobs: processes at a time, with one thread each; None takes as many as there are cores.
        progress: show a progress bar; None shows it on a terminal.

    Returns:
        The findings, in the order of the page.

    Raises:
        BundleError: the page cannot be written there; said before the experiments begin.
    """
    begun, folder = time.perf_counter(), Path(out)
    sizes = {name: experiment.miniature if quick else experiment.whole for name, experiment in EXPERIMENTS.items()}
    with written_aside(folder / PAGE) as page:
        page.touch()  # where nothing can be written, that is said before the work and not after it
        found = _run(sizes, jobs or os.cpu_count() or 1, progress)
        findings = [_finding(EXPERIMENTS[name], sizes[name], found[name]) for name in ORDER]
        for finding in findings:
            for number, picture in enumerate(finding.pictures):
                write_atomic(folder / IMAGES / finding.file(number), picture.svg.encode())
        page.write_text("\n".join(_page(findings, time.perf_counter() - begun, quick)), encoding="utf-8")
    return findings


def _run(sizes: dict[str, Any], jobs: int, progress: bool | None) -> dict[str, dict[str | None, Any]]:
    """What came of each part of each experiment."""
    tasks = [
        (name, part)
        for name, experiment in EXPERIMENTS.items()
        for part in (experiment.parts(sizes[name]) if experiment.parts else [None])
    ]
    found: dict[str, dict[str | None, Any]] = {name: {} for name in EXPERIMENTS}
    with (
        progress_bar("experiments", len(tasks), progress) as report,
        ProcessPoolExecutor(jobs, get_context("spawn")) as pool,
    ):

        def run(chosen: list[tuple[str, str | None]]) -> None:
            waiting = {pool.submit(_examined, name, part, sizes[name]): (name, part) for name, part in chosen}
            for done in as_completed(waiting):
                name, part = waiting[done]
                found[name][part] = done.result()
                report(sum(map(len, found.values())), name if part is None else f"{name}: {part}")

        run([task for task in tasks if task[0] != "costs"])
        run([task for task in tasks if task[0] == "costs"])  # times are taken when nothing else of ours runs
    return found


def _examined(name: str, part: str | None, size: Any) -> Any:
    torch.set_num_threads(1)
    experiment = EXPERIMENTS[name]
    return experiment.examine(size) if part is None else experiment.examine(part, size)


def _finding(experiment: Experiment, size: Any, found: dict[Any, Any]) -> Finding:
    """Judge an experiment by its parts, in their order, where it has some."""
    if experiment.parts is None or experiment.judge is None:
        finding: Finding = found[None]
        return finding
    return experiment.judge(size, {part: found[part] for part in experiment.parts(size)})


def _page(findings: list[Finding], seconds: float, quick: bool) -> Iterator[str]:
    yield from ["# What is said of recurrent networks", ""]
    cpu, size = _core.cpu_info(), "in miniature, " if quick else ""
    yield "Each claim with the experiment that decides it; the outcomes are computed from the numbers."
    yield f"All of it, {size}in {max(1, round(seconds / 60))} minutes, by `sluicegate study claims --out docs`, on"
    yield f"{cpu.brand} ({cpu.best_isa}), {os.cpu_count()} cores, a thread for each network; torch {torch.__version__}."
    yield from ["", "| what is said | |", "| --- | --- |"]
    for finding in findings:
        yield f"| {finding.said} | [**{finding.verdict}**](#{_anchor(finding.title)}) |"
    yield ""
    for finding in findings:
        yield from finding.lines(IMAGES)


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return "-".join(kept.split())
