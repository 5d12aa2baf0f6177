"""From the folder of a saved model to what runs it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sluicegate import bundle
from sluicegate.errors import BundleError, ConfigError, SluicegateError

from .model import Model

TASKS = {
    "classify-series": ("recordings.classifier", "SeriesClassifier"),
    "forecast": ("forecast.forecaster", "Forecaster"),
}
"""The tasks whose models the runtime runs: where each is, and its class."""


def load(folder: str | Path, *, threads: int = 1) -> Model:
    """Load a saved model, to be run without PyTorch.

    Args:
        folder: where `save` wrote it.
        threads: that compute it, which changes no bit.

    Returns:
        The model, whose `open_stream()` takes the snapshots of `sluicegate.load(folder).open_stream()`, and gives such.

    Raises:
        BundleError: the folder is not there, was cut short or altered, or was written by a newer version.
        ConfigError: the runtime has no stream for models of that task, or `threads` is no whole number from 1 up.
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"`threads` (={threads!r}) must be a whole number from 1 up")
    saved = bundle.read(folder)
    config = saved.json(bundle.CONFIG)
    task = config.get("task") if isinstance(config, dict) else None
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(
            f"the model '{saved.folder}' is of the task {task!r}, which the runtime cannot stream: it runs models of "
            f"the tasks {' and '.join(TASKS)}; use `sluicegate.load` for others"
        )
    where, name = TASKS[task]
    made: Any = getattr(import_module(f"{__package__}.{where}"), name)
    try:
        model: Model = made(saved, threads=threads)
    except SluicegateError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise BundleError(
            f"the model '{saved.folder}' does not hold together ({error}): save it again, or take another copy"
        ) from error
    return model
