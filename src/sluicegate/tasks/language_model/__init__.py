"""How texts go on: the probabilities of what comes next, and texts that are written by them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import LanguageModelConfig as LanguageModelConfig

if TYPE_CHECKING:
    from .language_model import LanguageModel as LanguageModel


def __getattr__(name: str) -> Any:
    if name != "LanguageModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.language_model"), name)
