"""Tasks: one pipeline for each, all with the same verbs.

Each is loaded when its name is first used: a forecast takes half the time without what classifiers need, and the
settings, which the command line's help is made of, come without PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .registry import OURS

if TYPE_CHECKING:
    from .classify_series import SeriesClassifier as SeriesClassifier
    from .classify_series import SeriesClassifierConfig as SeriesClassifierConfig
    from .classify_text import TextClassifier as TextClassifier
    from .classify_text import TextClassifierConfig as TextClassifierConfig
    from .forecast import Forecaster as Forecaster
    from .forecast import ForecasterConfig as ForecasterConfig
    from .language_model import LanguageModel as LanguageModel
    from .language_model import LanguageModelConfig as LanguageModelConfig
    from .recognize_actions import ActionRecognizer as ActionRecognizer
    from .recognize_actions import ActionRecognizerConfig as ActionRecognizerConfig
    from .report import Report as Report
    from .summarize import Summarizer as Summarizer
    from .summarize import SummarizerConfig as SummarizerConfig
    from .task import Task as Task
    from .task import load as load
    from .track import Tracker as Tracker
    from .track import TrackerConfig as TrackerConfig
    from .transcribe import Transcriber as Transcriber
    from .transcribe import TranscriberConfig as TranscriberConfig
    from .translate import Translator as Translator
    from .translate import TranslatorConfig as TranslatorConfig

_LATER = {"Report": "report", "Task": "task", "load": "task"} | {
    name: entry.folder for entry in OURS.values() for name in (entry.task, entry.config)
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sluicegate.tasks' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return [*_LATER]
