"""Classes of texts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import TextClassifierConfig as TextClassifierConfig

if TYPE_CHECKING:
    from .classifier import TextClassifier as TextClassifier


def __getattr__(name: str) -> Any:
    if name != "TextClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.classifier"), name)
