"""What is said of recurrent networks, sentence by sentence, with the experiment that decides it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from sluicegate import _core
from sluicegate.atomic import write_atomic
from sluicegate.training import progress_bar

from . import costs, counting, digits, gates, gradients, ladders
from .finding import Finding
from .problems import ADDING, COPYING

PAGE, IMAGES = "claims.md", "images/claims"

# The copy problem takes a network so long to learn at all that two lengths are all there is time for.
_COPYING = ladders.Size(lengths=(100, 1000), copy_budget=150.0)

EXPERIMENTS: dict[str, tuple[Callable[..., Finding], Any, Any]] = {
    "copying": (partial(ladders.examine, COPYING), _COPYING, ladders.QUICK),
    "adding": (partial(ladders.examine, ADDING), ladders.Size(), ladders.QUICK),
    "gradients": (gradients.examine, gradients.Size(), gradients.QUICK),
    "counting": (counting.examine, counting.Size(), counting.QUICK),
    "digits": (digits.examine, digits.Size(), digits.QUICK),
    "gates": (gates.examine, gates.Size(), gates.QUICK),
    "costs": (costs.examine, costs.Size(), costs.QUICK),
}
"""By name: what examines the claim, how large, and how large in miniature; those that take longest come first."""

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
    """
    begun, found = time.perf_counter(), {}
    side_by_side = [name for name in EXPERIMENTS if name != "costs"]
    with (
        progress_bar("experiments", len(EXPERIMENTS), progress) as report,
        ProcessPoolExecutor(jobs or os.cpu_count() or 1, get_context("spawn")) as pool,
    ):
        waiting = {pool.submit(_examined, name, quick): name for name in side_by_side}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            report(len(found), waiting[done])
        # Times are taken when nothing else of ours runs.
        found["costs"] = pool.submit(_examined, "costs", quick).result()
        report(len(found), "costs")
    findings, folder = [found[name] for name in ORDER], Path(out)
    for finding in findings:
        for number, picture in enumerate(finding.pictures):
            write_atomic(folder / IMAGES / finding.file(number), picture.svg.encode())
    write_atomic(folder / PAGE, "\n".join(_page(findings, time.perf_counter() - begun, quick)).encode())
    return findings


def _examined(name: str, quick: bool) -> Finding:
    torch.set_num_threads(1)
    examine, whole, miniature = EXPERIMENTS[name]
    return examine(miniature if quick else whole)


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
