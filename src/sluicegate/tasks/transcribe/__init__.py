"""Speech: recordings to what is said in them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import TranscriberConfig as TranscriberConfig

if TYPE_CHECKING:
    from .transcriber import Transcriber as Transcriber


def __getattr__(name: str) -> Any:
    if name != "Transcriber":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.transcriber"), name)
