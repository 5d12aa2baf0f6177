"""The start of a command that computes: its model and its threads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluicegate.tasks import Task


def load_task(model: Path, threads: int | None) -> Task:
    """Load a model, with the modules that its task needs, and set how many threads it computes with."""
    from sluicegate.tasks import load

    task = load(model)
    use_threads(threads)
    return task


def use_threads(threads: int | None) -> None:
    """Compute with so many threads; None leaves that to PyTorch."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
