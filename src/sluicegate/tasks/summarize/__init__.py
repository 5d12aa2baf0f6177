"""Texts in a few words."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import SummarizerConfig as SummarizerConfig

if TYPE_CHECKING:
    from .summarizer import Summarizer as Summarizer


def __getattr__(name: str) -> Any:
    if name != "Summarizer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.summarizer"), name)
