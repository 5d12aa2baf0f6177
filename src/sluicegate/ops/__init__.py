"""What the layers compute, as functions of tensors: start with `reference`, the equations.

It is loaded when it is first used, so that what the kernels are told of a layer can be had without PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import reference as reference


def __getattr__(name: str) -> Any:
    if name != "reference":
        raise AttributeError(f"module 'sluicegate.ops' has no attribute {name!r}")
    return import_module(".reference", __name__)
