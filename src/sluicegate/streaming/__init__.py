"""Streams: a running state beside a shared model, that is pushed, written down and restored.

The names are loaded when they are first used: snapshots, and what every stream can do, need no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import StreamBatch as StreamBatch
    from .keyed import KeyedStream as KeyedStream
    from .layers import LayerStream as LayerStream
    from .stream import Stream as Stream

_LATER = {"KeyedStream": "keyed", "LayerStream": "layers", "Stream": "stream", "StreamBatch": "batch"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sluicegate.streaming' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return [*_LATER]
