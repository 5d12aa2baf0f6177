"""The tasks by their names: those of this package, each a line here, and those of others that were imported.

Nothing is imported before a task is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """Where a task of this package is found.

    Args:
        folder: its own, beside this file.
        task: the name of its class.
        config: the name of the class of its settings.
        streams: whether it has streams.
    """

    folder: str
    task: str
    config: str
    streams: bool = False


OURS = {
    "forecast": Entry("forecast", "Forecaster", "ForecasterConfig", streams=True),
    "classify-text": Entry("classify_text", "TextClassifier", "TextClassifierConfig"),
    "classify-series": Entry("classify_series", "SeriesClassifier", "SeriesClassifierConfig", streams=True),
}

_imported: dict[str, type[Any]] = {}


def register(name: str, task: type[Any]) -> None:
    """Note down a task that was imported."""
    _imported[name] = task


def forget(name: str) -> None:
    """Know no more of a task that was imported."""
    _imported.pop(name, None)


def known() -> list[str]:
    """The names of all tasks, of this package's first."""
    return [*OURS, *(name for name in _imported if name not in OURS)]


def task_class(name: str) -> type[Any]:
    """The class of a task.

    Raises:
        KeyError: there is none of that name.
    """
    if name in OURS:
        import_module(f"{__package__}.{OURS[name].folder}")
    return _imported[name]
