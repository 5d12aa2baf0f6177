"""The tasks by their names: those of this package, each a line here, and those of others that were imported.

Nothing is imported before a task is asked for.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .arguments import Argument
    from .config import TaskConfig


class Entry(NamedTuple):
    """Where a task of this package is found."""

    folder: str  # its own, beside this file
    task: str  # the name of its class
    config: str  # the name of the class of its settings, which is in the folder's `config.py`, as `ARGUMENTS` are
    does: str  # what a model of it does, for the command line
    streams: bool = False  # whether it has streams
    int8: bool = True  # whether its recurrent layers can be computed in int8


class Declared(NamedTuple):
    """What a task says of itself before it is loaded: its settings, if any, and what `fit` is told of the data."""

    config: type[TaskConfig] | None
    arguments: tuple[Argument, ...]


OURS = {
    "forecast": Entry(
        "forecast", "Forecaster", "ForecasterConfig", "forecasts one series, many series, or several columns", True
    ),
    "classify-text": Entry("classify_text", "TextClassifier", "TextClassifierConfig", "tells classes of texts apart"),
    "classify-series": Entry(
        "classify_series", "SeriesClassifier", "SeriesClassifierConfig", "tells classes of recordings apart", True
    ),
    "language-model": Entry(
        "language_model", "LanguageModel", "LanguageModelConfig", "tells how texts go on, and writes them", True
    ),
    "recognize-actions": Entry(
        "recognize_actions", "ActionRecognizer", "ActionRecognizerConfig", "tells what people do", True
    ),
    "summarize": Entry(
        "summarize", "Summarizer", "SummarizerConfig", "says in a few words what texts are about", int8=False
    ),
    "track": Entry("track", "Tracker", "TrackerConfig", "follows objects from frame to frame", True),
    "transcribe": Entry(
        "transcribe", "Transcriber", "TranscriberConfig", "writes down what is said in recordings", True
    ),
    "translate": Entry("translate", "Translator", "TranslatorConfig", "translates texts", int8=False),
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
        return getattr(import_module(f"{__package__}.{OURS[name].folder}"), OURS[name].task)  # type: ignore[no-any-return]
    return _imported[name]


def module_of(name: str) -> str | None:
    """The module to import for a task that is none of this package's; None for one that is.

    Raises:
        KeyError: there is no task of that name.
    """
    return None if name in OURS else str(_imported[name].__module__)


def declared(name: str) -> Declared:
    """The settings of a task and the arguments of its `fit`, for which nothing heavy is imported.

    Raises:
        KeyError: there is no task of that name.
    """
    if name in OURS:
        settings = import_module(f"{__package__}.{OURS[name].folder}.config")
        return Declared(getattr(settings, OURS[name].config), settings.ARGUMENTS)
    task = _imported[name]
    return Declared(task.config_class, task.arguments)


def about(name: str) -> str:
    """What `sluicegate fit` does for a task, in a sentence.

    Raises:
        KeyError: there is no task of that name.
    """
    if name in OURS:
        return f"Train a model that {OURS[name].does}."
    return (inspect.getdoc(_imported[name]) or f"Train a {_imported[name].__name__}.").partition("\n")[0]
