"""Classes of recordings of several channels."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import SeriesClassifierConfig as SeriesClassifierConfig

if TYPE_CHECKING:
    from .classifier import SeriesClassifier as SeriesClassifier


def __getattr__(name: str) -> Any:
    if name != "SeriesClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.classifier"), name)
