"""Training from the command line: nothing is lost when it is interrupted, and nothing is left when it fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sluicegate import bundle
from sluicegate.atomic import identity
from sluicegate.errors import BundleError, ConfigError, DataError
from sluicegate.tasks.task import Task, TrainedTask
from sluicegate.training.checkpoint import is_checkpoint

from .failures import note
from .options import require_options, taken
from .output import print_json, show
from .starting import use_threads

SAVED_IN = ("fp32", "int8")
"""What a model can be saved in; in bfloat16 it is computed alone."""


def fit_files(
    task: Task,
    told: Mapping[str, Any],
    out: Path,
    *,
    saved_as: Mapping[str, Any],
    threads: int | None,
    resume: bool,
    json: bool,
) -> None:
    """Train a task on the files that it is told of, by the names of its `arguments`, save it, and show its report.

    Args:
        task: that is trained.
        told: the files and columns, by the names of its arguments.
        out: the folder of the model.
        saved_as: the `precision` that it is saved in, and whether to `allow_loss`, where these were given.
        threads: that compute.
        resume: go on from the checkpoint of an interrupted run.
        json: print the report as JSON.

    Raises:
        BundleError: the folder cannot be written.
        ConfigError: the model cannot be saved so.
        DataError: the data cannot be trained on.
    """
    require_writable(out)
    _require_savable(task, saved_as, told)
    use_threads(threads)
    data, beside = _read(task, told)

    def train(checkpoint: Path) -> object:
        return task.fit(data, **taken(task, "fit", **beside, checkpoint=checkpoint, resume=resume))

    def save() -> None:
        measured = {}
        if isinstance(task, TrainedTask) and saved_as.get("precision") == "int8":
            measured = task.measured_on(data, beside["validation"])
        task.save(out, **saved_as, **measured)

    fit_and_save(train, save, out, resume=resume)
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


def _require_savable(task: Task, saved_as: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse a precision that the model could not be saved in, before an hour is spent on training it.

    Raises:
        ConfigError: there is no such precision, or the task does not have it, or the rows to measure it on are missing.
    """
    precision = saved_as.get("precision")
    if precision not in (None, *SAVED_IN):
        raise ConfigError(f"`--precision` (={precision}) must be {' or '.join(SAVED_IN)}, in which models are saved")
    require_options(task, "save", [name for name in saved_as if name != "allow_loss"])
    if precision != "int8":
        if "allow_loss" in saved_as:
            raise ConfigError("`--allow-loss` is for `--precision int8`: give that too, or leave it out")
        return
    if isinstance(task, TrainedTask):
        task.require_int8()
    if told.get("validation") is None:
        raise ConfigError(
            "`--precision int8` needs `--validation`, rows that training does not see, on which the model is measured "
            "before it is saved"
        )


def fit_and_save(train: Callable[[Path], object], save: Callable[[], object], out: Path, *, resume: bool) -> None:
    """Train with a checkpoint beside the place of the model, save it there, and take the checkpoint away.

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
        save()
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
