"""From the folder of a saved model to what runs it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sluicegate import bundle
from sluicegate.bundle import Bundle
from sluicegate.errors import BundleError, ConfigError, MissingExtra, SluicegateError
from sluicegate.ops.cells import WHOLE

from .model import Model

TASKS = {
    "classify-series": ("recordings.classifier", "SeriesClassifier", None),
    "classify-text": ("texts.classifier", "TextClassifier", ("tokenizers", "text")),
    "forecast": ("forecast.forecaster", "Forecaster", None),
}
"""The tasks whose models the runtime runs: where each is, its class, and what it needs beyond NumPy, if it does: the
package, and the extra of `sluicegate-runtime` that brings it."""


def load(folder: str | Path, *, threads: int = 1) -> Model:
    """Load a saved model, to be run without PyTorch.

    Args:
        folder: where `save` wrote it.
        threads: that compute it, which changes no bit.

    Returns:
        The model, whose `open_stream()`, if its task has one, takes the snapshots of
        `sluicegate.load(folder).open_stream()`, and gives such.

    Raises:
        BundleError: the folder is not there, was cut short or altered, or was written by a newer version.
        MissingExtra: the package is missing that models of that task need beside NumPy.
        ConfigError: the runtime does not run models of that task, or `threads` is no whole number from 1 up.
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"`threads` (={threads!r}) must be a whole number from 1 up")
    saved = bundle.read(folder)
    config = saved.json(bundle.CONFIG)
    task = config.get("task") if isinstance(config, dict) else None
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(
            f"the model '{saved.folder}' is of the task {task!r}, which the runtime does not run: it runs models of "
            f"the tasks {', '.join(TASKS)}; use `sluicegate.load` for others"
        )
    _require_version(saved, config)
    where, name, needed = TASKS[task]
    if needed is not None and find_spec(needed[0]) is None:
        raise MissingExtra(*needed, f"running a model of the task {task}", distribution="sluicegate-runtime")
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


def _require_version(saved: Bundle, config: dict[str, Any]) -> None:
    """Refuse a model whose weights were rounded as another release does."""
    held = config.get("int8")
    if held is not None and (not isinstance(held, dict) or held.get("version") != WHOLE):
        raise BundleError(
            f"config.json of the model '{saved.folder}' says that it was quantized as {held!r}, and this release "
            f"computes version {WHOLE} of int8: save it in int8 again with this release"
        )
