"""Objects followed: from the boxes of a detector, frame by frame, to which are of one object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import TrackerConfig as TrackerConfig

if TYPE_CHECKING:
    from .tracker import Tracker as Tracker


def __getattr__(name: str) -> Any:
    if name != "Tracker":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.tracker"), name)
