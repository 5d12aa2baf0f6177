"""Prediction for a table of any length: read, predicted and written a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from sluicegate.data import read_batches, source_of
from sluicegate.tasks import Task

from .output import write_batches


def in_batches(task: Task, data: Path, out: Path) -> int:
    """Predict every row of a file into another one, and return how many rows there are.

    Args:
        task: one whose rows need no others.
        data: the table.
        out: the file, which is written whole or not at all.
    """
    assert task.rows_at_once is not None
    return write_batches(_predicted(task, data, task.rows_at_once), out)


def _predicted(task: Task, data: Path, rows: int) -> Iterator[pl.DataFrame]:
    before = 0
    for batch in read_batches(data, rows, task.columns_as_written()):
        yield task.predict(batch, source=source_of(data, before))
        before += len(batch)
