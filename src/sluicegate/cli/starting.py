"""The start of a command that applies a model, most of which is spent on importing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluicegate.tasks import Task


def load_task(model: Path, threads: int | None) -> Task:
    """Load a model, with the modules that its task needs, and set how many threads it computes with."""
    with _without_collection():
        from sluicegate.tasks import load

        task = load(model)
    use_threads(threads)
    return task


def use_threads(threads: int | None) -> None:
    """Compute with so many threads; None leaves that to PyTorch."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no garbage in the block, nor ever after in what it leaves behind, which is modules for the most part.

    Looking through them took a quarter of the time of a short command: half of that on the way in, half at the end.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()
