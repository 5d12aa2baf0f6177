"""Training from the command line: nothing is lost when it is interrupted, and nothing is left when it fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sluicegate import bundle
from sluicegate.atomic import identity
from sluicegate.errors import BundleError, DataError
from sluicegate.tasks.task import Task
from sluicegate.training.checkpoint import is_checkpoint

from .failures import note
from .options import taken
from .output import print_json, show
from .starting import use_threads


def fit_files(task: Task, told: Mapping[str, Any], out: Path, *, threads: int | None, resume: bool, json: bool) -> None:
    """Train a task on the files that it is told of, by the names of its `arguments`, save it, and show its report."""
    require_writable(out)
    use_threads(threads)
    data, beside = _read(task, told)

    def train(checkpoint: Path) -> object:
        return task.fit(data, **taken(task, "fit", **beside, checkpoint=checkpoint, resume=resume))

    fit_and_save(task, train, out, resume=resume)
    report = getattr(task, "report", None)
    if json:
        print_json({"model": str(out), "report": None if report is None else report.as_dict()})
        return
    if report is not None:
        show(report)
    note(f"saved to {out}")


def _read(task: Task, told: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The data, and what `fit` is given beside them: columns, rows to validate on, and other files."""
    given = {of: told[of.name] for of in task.arguments if told[of.name] is not None}
    of_rows = {of.name: value for of, value in given.items() if of.kind != "data"}
    validates = {of.name: value for of, value in given.items() if of.kind != "data" and of.validates}
    data, beside = task.open_training_file(told["data"], of_rows)
    for of, path in given.items():
        if of.kind == "data" and of.name != "data":
            beside[of.name], other = task.open_training_file(path, validates)
            beside[f"{of.name}_origin"] = other["origin"]
    return data, beside


def fit_and_save(task: Task, train: Callable[[Path], object], out: Path, *, resume: bool) -> None:
    """Train a task with a checkpoint beside its place, save it, and take the checkpoint away.

    Raises:
        BundleError: the folder cannot be written.
        DataError: the data cannot be trained on; nothing is left behind then.
    """
    checkpoint = out.absolute().with_name(f"{out.absolute().name}.checkpoint")
    if resume and checkpoint.exists():
        note(f"going on from {checkpoint}")
    elif resume:
        note(f"there is nothing to resume, for there is no {checkpoint}: training starts from the beginning")
    elif checkpoint.exists():
        if not is_checkpoint(checkpoint):
            raise BundleError(
                f"{checkpoint} is where the state of training is kept, and it holds something else: move it away, or "
                "choose another folder"
            )
        note(f"{checkpoint} of an interrupted run will be replaced; `--resume` would have gone on from it")
    with _tidied(checkpoint, resume=resume):
        train(checkpoint)
        task.save(out)
        checkpoint.unlink(missing_ok=True)


def require_writable(out: Path) -> None:
    """Refuse a place that the model could not be saved to, before an hour is spent on training it.

    Raises:
        BundleError: it holds something else, or must not be written to.
    """
    bundle.require_replaceable(out)
    above = next(folder for folder in out.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise BundleError(
            f"cannot save to '{out}', for '{above}' cannot be written ({error.strerror}): choose another folder"
        ) from error


@contextmanager
def _tidied(checkpoint: Path, *, resume: bool) -> Iterator[None]:
    """Tell of the checkpoint of a run that was interrupted, and remove that of a run that cannot succeed."""
    before = identity(checkpoint)
    missing = [folder for folder in checkpoint.parents if not folder.exists()]
    try:
        yield
    except DataError:
        if identity(checkpoint) != before:
            checkpoint.unlink()
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()
        raise
    except KeyboardInterrupt:
        changed = identity(checkpoint) != before
        note(
            f"the same command with `--resume` goes on from {checkpoint}"
            if checkpoint.exists() and (resume or changed)
            else "nothing had been written yet"
        )
        raise
