"""Methods that `torch.compile` takes into no graph."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch


def outside_graphs(method: Callable[..., Any]) -> Callable[..., Any]:
    """What `torch.compiler.disable` does, which loads 2 s of compiler even where nothing is ever compiled."""
    disabled: list[Callable[..., Any]] = []

    @wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        if "torch._dynamo" not in sys.modules:
            return method(*args, **kwargs)
        if not disabled:
            disabled.append(torch.compiler.disable(method))  # type: ignore[no-untyped-call]
        return disabled[0](*args, **kwargs)

    # What the compiler looks for in a method that a graph calls.
    vars(run).update(_torchdynamo_disable=True, _torchdynamo_disable_msg=None)
    return run
