"""Keras' recurrent layers, computed by Sluicegate: for models of Keras 3, on its torch and JAX backends.

Most programs need nothing from here: `python -m sluicegate program.py`, `sluicegate.accelerated` and
`sluicegate.accelerate` find the layers of Keras as they are. The names below are loaded when they are first used, so
that a program on another backend than torch does not load PyTorch for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sluicegate.errors import MissingExtra

try:
    import keras as keras
except ImportError as error:
    raise MissingExtra("keras", "keras", "sluicegate.keras") from error

if TYPE_CHECKING:
    from .convert import from_sluicegate as from_sluicegate
    from .convert import to_sluicegate as to_sluicegate
    from .files import load as load
    from .layers import GRU as GRU
    from .layers import LSTM as LSTM
    from .layers import RNN as RNN
    from .layers import Bidirectional as Bidirectional
    from .layers import SimpleRNN as SimpleRNN
    from .onnx import export_onnx as export_onnx
    from .swap import accelerate as accelerate
    from .swap import plan as plan
    from .swap import restore as restore

_LATER = {
    "GRU": "layers",
    "LSTM": "layers",
    "RNN": "layers",
    "Bidirectional": "layers",
    "SimpleRNN": "layers",
    "accelerate": "swap",
    "export_onnx": "onnx",
    "from_sluicegate": "convert",
    "load": "files",
    "plan": "swap",
    "restore": "swap",
    "to_sluicegate": "convert",
}

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bidirectional",
    "SimpleRNN",
    "accelerate",
    "export_onnx",
    "from_sluicegate",
    "load",
    "plan",
    "restore",
    "to_sluicegate",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sluicegate.keras' has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
