"""Sluicegate: gated recurrent networks, trained and run on ordinary CPUs.

The names below are loaded when they are first used, so that `import sluicegate` and the command line's help take
a moment and not the seconds that torch needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import BundleError as BundleError
from .errors import ConfigError as ConfigError
from .errors import DataError as DataError
from .errors import MissingExtra as MissingExtra
from .errors import NotFittedError as NotFittedError
from .errors import SluicegateError as SluicegateError
from .errors import SnapshotError as SnapshotError
from .errors import StreamError as StreamError

if TYPE_CHECKING:
    __version__: str

    from . import nn as nn
    from . import runtime as runtime
    from . import streaming as streaming
    from .acceleration import accelerate as accelerate
    from .acceleration import accelerated as accelerated
    from .nn import GRU as GRU
    from .nn import LSTM as LSTM
    from .nn import RNN as RNN
    from .nn import LiGRU as LiGRU
    from .nn import MinGRU as MinGRU
    from .nn import backend_of as backend_of
    from .tasks import ActionRecognizer as ActionRecognizer
    from .tasks import Forecaster as Forecaster
    from .tasks import LanguageModel as LanguageModel
    from .tasks import Report as Report
    from .tasks import SeriesClassifier as SeriesClassifier
    from .tasks import Summarizer as Summarizer
    from .tasks import TextClassifier as TextClassifier
    from .tasks import Tracker as Tracker
    from .tasks import Transcriber as Transcriber
    from .tasks import Translator as Translator
    from .tasks import load as load
    from .tasks.report.gates import gates as gates

_LATER = {
    "GRU": "nn",
    "LSTM": "nn",
    "LiGRU": "nn",
    "MinGRU": "nn",
    "RNN": "nn",
    "accelerate": "acceleration",
    "accelerated": "acceleration",
    "backend_of": "nn",
    "gates": "tasks.report.gates",
    "ActionRecognizer": "tasks",
    "Forecaster": "tasks",
    "LanguageModel": "tasks",
    "Report": "tasks",
    "SeriesClassifier": "tasks",
    "Summarizer": "tasks",
    "TextClassifier": "tasks",
    "Tracker": "tasks",
    "Transcriber": "tasks",
    "Translator": "tasks",
    "load": "tasks",
}

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "ActionRecognizer",
    "BundleError",
    "ConfigError",
    "DataError",
    "Forecaster",
    "LanguageModel",
    "LiGRU",
    "MinGRU",
    "MissingExtra",
    "NotFittedError",
    "Report",
    "SeriesClassifier",
    "SluicegateError",
    "SnapshotError",
    "StreamError",
    "Summarizer",
    "TextClassifier",
    "Tracker",
    "Transcriber",
    "Translator",
    "__version__",
    "accelerate",
    "accelerated",
    "backend_of",
    "gates",
    "load",
    "nn",
    "runtime",
    "streaming",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in ("nn", "runtime", "streaming"):
        return _module(name, name)
    if name not in _LATER:
        raise AttributeError(f"module 'sluicegate' has no attribute {name!r}")
    return getattr(_module(_LATER[name], name), name)


def _module(place: str, name: str) -> Any:
    try:
        return import_module(f"sluicegate.{place}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("sluicegate."):
            raise
        raise SluicegateError(
            f"`sluicegate.{name}` is not in the distribution sluicegate-runtime, which runs saved models alone: "
            "uninstall it, and run `pip install sluicegate`"
        ) from error


def _version() -> str:
    # Imported here, since it takes half as long as NumPy.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sluicegate")
    except PackageNotFoundError:  # the distribution without what trains
        return version("sluicegate-runtime")


def __dir__() -> list[str]:
    return __all__
