"""Actions of people in motion, from skeletons or from video."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import ActionRecognizerConfig as ActionRecognizerConfig

if TYPE_CHECKING:
    from .recognizer import ActionRecognizer as ActionRecognizer


def __getattr__(name: str) -> Any:
    if name != "ActionRecognizer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.recognizer"), name)
