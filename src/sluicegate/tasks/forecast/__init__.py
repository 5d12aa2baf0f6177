"""Forecasting."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .config import ForecasterConfig as ForecasterConfig

if TYPE_CHECKING:
    from .forecaster import Forecaster as Forecaster


def __getattr__(name: str) -> Any:
    if name != "Forecaster":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.forecaster"), name)
