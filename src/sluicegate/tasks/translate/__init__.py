"""Texts of one language, or one way of writing, in another."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import TranslatorConfig as TranslatorConfig

if TYPE_CHECKING:
    from .translator import Translator as Translator


def __getattr__(name: str) -> Any:
    if name != "Translator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.translator"), name)
