"""Training from the command line: nothing is lost when it is interrupted, and nothing is left when it fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sluicegate import bundle
from sluicegate.atomic import identity
from sluicegate.errors import BundleError, DataError
from sluicegate.tasks import Task
from sluicegate.training.checkpoint import is_checkpoint

from .failures import note


def fit_and_save(task: Task, train: Callable[[Path], object], out: Path, *, resume: bool) -> None:
    """Train a task with a checkpoint beside its place, save it, and take the checkpoint away.

    Args:
        task: what is trained.
        train: trains it, keeping its state in the file that it is given.
        out: the folder that the model is saved to.
        resume: whether the person asked to go on from the checkpoint.

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
