"""Files on their way to `fit`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from sluicegate.data import Source
    from sluicegate.tasks import Task


def read_rows(path: Path, task: type[Task], columns: Mapping[str, Any]) -> tuple[pl.DataFrame, Source]:
    """A table with the columns of ids, classes and texts as they are written, and what it is called."""
    from sluicegate.data import read_table, source_of

    return read_table(path, task.as_written(columns)), source_of(path)


def read_labelled(
    path: Path,
    label: str,
    series: list[str] | None,
    time: str | None,
    channels: list[str] | None,
    group: str | None,
    arrays: dict[str, str | None],
) -> tuple[Any, dict[str, Any], Source]:
    """Recordings or a table of them, what `fit` is told of its columns, and what it is called."""
    from sluicegate.data import RECORDING_FILES, Source, read_recordings, require_no_arrays
    from sluicegate.errors import ConfigError
    from sluicegate.tasks import SeriesClassifier

    require_no_arrays(path, arrays)
    if path.suffix.lower() not in RECORDING_FILES:
        columns = {"labels": label, "series": series, "time": time, "channels": channels, "groups": group}
        table, source = read_rows(path, SeriesClassifier, columns)
        return table, columns, source
    for option, value in (("--series", series), ("--time", time), ("--channel", channels)):
        if value:
            raise ConfigError(f"`{option}` names a column, and {path.name} is no table: leave it out")
    return read_recordings(path, label=label, group=group, **arrays), {}, Source(path.name)
