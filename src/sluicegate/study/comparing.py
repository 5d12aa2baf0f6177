"""Every kind of cell on one's own data: at equal hidden size and at equal number of weights, over several seeds."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from sluicegate.atomic import write_atomic
from sluicegate.data import ARRAYS, RECORDING_FILES, read_recordings, read_table
from sluicegate.data.frames import short_numbers
from sluicegate.data.headings import headed
from sluicegate.errors import ConfigError, DataError
from sluicegate.nn.layers import LAYERS
from sluicegate.tasks import registry
from sluicegate.training import progress_bar

from .running import Outcome, Run, outcome_of, outcome_path
from .sizes import default_hidden, equal_hidden, weights_of
from .summary import Summary, summarize

PLAN, DATA, TABLE, PAGE = "study.json", "data.parquet", "study.csv", "report.html"

_REFERENCE = "gru"  # the cell whose units and weights the others get


def compare(data: Any, **options: Any) -> pl.DataFrame:
    """Train every cell with several seeds, and set what each costs beside how good it is.

    Each run is a process of its own, and its outcome a file: an interrupted study goes on with those that lack.

    Args:
        data: a file, or a data frame, which is kept in the folder.
        options: those of `study`.

    Returns:
        A row for each cell, once with the same units (`hidden`) and once with the same number of weights
        (`parameters`) as the GRU: what it costs, and the task's metrics with the half width of their 95 % intervals
        over the seeds.

    Raises:
        ConfigError: there is no such task or cell, or the folder holds another study.
        DataError: a run failed; the message is the run's.
    """
    return study(data, **options).frame


def study(
    data: Any,
    *,
    task: str,
    out: str | Path,
    cells: Sequence[str] = tuple(LAYERS),
    seeds: int = 5,
    hidden: int | None = None,
    test: str | Path | None = None,
    jobs: int | None = None,
    threads: int = 1,
    knobs: Mapping[str, Any] | None = None,
    progress: bool | None = None,
    **columns: Any,
) -> Summary:
    """As `compare`, with the report.

    Args:
        data: a file, or a data frame, which is kept in the folder.
        task: `forecast`, `classify-text` or `classify-series`, or one of a module that was imported.
        out: a folder for the outcomes, the table `study.csv` and the page `report.html`.
        cells: which ones.
        seeds: how many, from 0.
        hidden: units of the recurrent layer; None takes the task's default.
        test: a file to measure on; None takes what the rows that validated say.
        jobs: processes at a time; None takes as many as the processor has cores, by `threads`.
        threads: of each process.
        knobs: further settings of the task.
        progress: show a progress bar; None shows it on a terminal.
        columns: what the task's `fit` is told of the data, such as `time` and `target`.

    Raises:
        ConfigError: there is no such task or cell, or the folder holds another study.
        DataError: a run failed; the message is the run's.
    """
    for name, value, known in (("task", task, registry.known()), *(("cells", cell, list(LAYERS)) for cell in cells)):
        if value not in known:
            raise ConfigError(f"`{name}` (={value!r}) must be among {', '.join(known)}")
    for name, count in (("seeds", seeds), ("threads", threads), ("jobs", jobs)):
        if count is not None and count < 1:
            raise ConfigError(f"`{name}` (={count}) must be at least 1")
    if _REFERENCE not in cells or len(cells) < 2:
        raise ConfigError(
            f"`cells` (={', '.join(cells)}) must hold {_REFERENCE} and one more: the others are set beside it"
        )
    folder, given = Path(out), {name: value for name, value in columns.items() if value is not None}
    _require_needed(task, {**given, **(knobs or {})})
    tried = dict(knobs or {}) | ({} if hidden is None else {"hidden": hidden})
    registry.task_class(task)(**tried)  # refuses what is no setting
    arrays = {name: str(given[name]) for name in ARRAYS if name in given}
    (path, content), measured = _kept(data, folder, arrays), None if test is None else Path(test)
    plans = dict(_plans(path, task, cells, seeds, hidden, measured, threads, dict(knobs or {}), given))
    _require_same_study(folder, [path.read_bytes() if content is None else content], plans, measured)
    if content is not None:
        write_atomic(path, content)
    outcomes = _run_all(plans, folder / "runs", jobs or max(1, (os.cpu_count() or 1) // threads), progress)
    result = summarize(task, path.name, [(name, plans[name], outcome) for name, outcome in outcomes.items()])
    write_atomic(folder / TABLE, short_numbers(result.frame).write_csv().encode())
    result.report.to_html(folder / PAGE)
    return result


def _require_needed(task: str, given: Mapping[str, Any]) -> None:
    """Refuse a study that does not say what the task cannot do without.

    Raises:
        ConfigError: a setting or a column is missing; the message names it.
    """
    config, arguments = registry.declared(task)
    knobs = {} if config is None else config.model_fields
    needed = {name: name for name, field in knobs.items() if field.is_required()}
    needed |= {of.name: of.option for of in arguments if of.required and of.kind != "data"}
    for name, option in needed.items():
        if name not in given:
            raise ConfigError(f"`{name}` (`--{option}`) is missing, and the task {task} cannot do without it: give it")


def _plans(
    path: Path,
    task: str,
    cells: Sequence[str],
    seeds: int,
    hidden: int | None,
    test: Path | None,
    threads: int,
    knobs: dict[str, Any],
    columns: dict[str, Any],
) -> Iterator[tuple[str, Run]]:
    """The runs by name, seed by seed, so that what changes on the machine changes for all cells alike."""
    units = hidden or default_hidden(task)
    weights = weights_of(task, _REFERENCE, units, knobs)
    for seed in range(seeds):
        for sizing in ("hidden", "parameters"):
            for cell in cells:
                if sizing == "parameters" and cell == _REFERENCE:
                    continue  # the same run
                size = units if sizing == "hidden" else equal_hidden(task, cell, weights, knobs)
                where = str(path.resolve()), columns, None if test is None else str(test.resolve())
                yield (
                    f"{sizing}-{cell}-{seed}",
                    Run(task, cell, size, seed, knobs, where[0], where[1], where[2], threads),
                )


def _run_all(plans: Mapping[str, Run], folder: Path, jobs: int, progress: bool | None) -> dict[str, Outcome]:
    """The outcomes of all runs; those that are there already are taken as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.json" for name in plans}
    left = [name for name in plans if not outcome_path(files[name]).exists()]
    running: dict[str, subprocess.Popen[str]] = {}
    with progress_bar("training", len(plans), progress) as report:
        report(len(plans) - len(left))
        try:
            while left or running:
                while left and len(running) < jobs:
                    name = left.pop(0)
                    write_atomic(files[name], json.dumps(asdict(plans[name]), indent=1).encode())
                    running[name] = _started(files[name], registry.module_of(plans[name].task))
                name = _first_done(running)
                process = running.pop(name)
                _, stderr = process.communicate()
                if process.returncode:
                    raise DataError(f"the run {name} failed: {_last_line(stderr)}")
                report(len(plans) - len(left) - len(running), name)
        finally:
            for process in running.values():
                process.kill()
                process.communicate()
    return {name: outcome_of(json.loads(outcome_path(files[name]).read_text(encoding="utf-8"))) for name in plans}


def _started(path: Path, module: str | None) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "sluicegate.study.running", str(path), *([module] if module else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _first_done(running: Mapping[str, subprocess.Popen[str]]) -> str:
    while True:
        for name, process in running.items():
            try:
                process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            return name


def _last_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "it was killed, perhaps for want of memory"


def _kept(data: Any, folder: Path, arrays: dict[str, str]) -> tuple[Path, bytes | None]:
    """The file that holds the data, and what is to be written to it, if anything."""
    if isinstance(data, str | Path):
        path = Path(data)
        # or say what is wrong
        read_recordings(path, **arrays) if path.suffix.lower() in RECORDING_FILES else read_table(path)
        return path, None
    import narwhals.stable.v2 as nw

    try:
        table = nw.from_native(headed(data), eager_only=True).to_polars()
    except TypeError as error:
        raise DataError(f"expected a file or a data frame, not {type(data).__name__}: give one of these") from error
    content = io.BytesIO()
    table.write_parquet(content)
    return folder / DATA, content.getvalue()


def _require_same_study(folder: Path, data: list[bytes], plans: Mapping[str, Run], test: Path | None) -> None:
    """Note what the study is of, and refuse a folder with another one's outcomes, or with files that are no study's."""
    data = data if test is None else [*data, test.read_bytes()]
    digests = [hashlib.sha256(content).hexdigest() for content in data]
    runs = {name: _what(run) for name, run in plans.items()}
    place = folder / PLAN
    if place.exists():
        before = json.loads(place.read_text(encoding="utf-8"))
        both = before["runs"].keys() & runs.keys()
        if before["data"] != digests or any(before["runs"][name] != runs[name] for name in both):
            raise ConfigError(
                f"{folder} holds a study of other data or settings: go on with the same ones, or choose another folder"
            )
    elif unknown := next((name for name in (DATA, TABLE, PAGE, "runs") if (folder / name).exists()), None):
        raise ConfigError(
            f"will not replace {unknown!r} in {folder}, which holds no study: choose a new or an empty folder, or move "
            "that away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(place, json.dumps({"data": digests, "runs": runs}, indent=1).encode())


def _what(run: Run) -> dict[str, Any]:
    """A run without where its files are, so that a study may be moved."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    return {name: value for name, value in content.items() if name not in ("data", "test")}
