"""The start of a command that computes: its model and its threads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sluicegate.tasks import Task
    from sluicegate.types import InferencePrecision


def load_task(model: Path, threads: int | None, precision: str | None = None) -> Task:
    """Load a model in a precision, with the modules that its task needs, and set how many threads it computes with.

    Raises:
        ConfigError: there is no such precision, or this model cannot be had in it.
    """
    from sluicegate.tasks import load

    task = load(model, precision=cast("InferencePrecision | None", precision))  # which `load` looks at
    use_threads(threads)
    return task


def use_threads(threads: int | None) -> None:
    """Compute with so many threads; None leaves that to PyTorch."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
