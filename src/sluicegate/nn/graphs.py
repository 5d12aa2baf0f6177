"""Methods that `torch.compile` and `torch.export` take into no graph as they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch._C._dynamo.eval_frame import get_eval_frame_callback


def outside_graphs(within: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What `torch.compiler.disable` does, which loads 2 s of compiler even where nothing is ever compiled.

    Args:
        within: The method of the same object that takes the place of this one where a graph is being made.

    Returns:
        A decorator of methods.
    """

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        disabled: list[Callable[..., Any]] = []

        @wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            if "torch._dynamo" not in sys.modules:
                return method(*args, **kwargs)
            if torch.compiler.is_dynamo_compiling():
                return getattr(args[0], within)(*args[1:], **kwargs)
            if get_eval_frame_callback() is None:  # the compiler, which optimizers load, is not at work
                return method(*args, **kwargs)
            if not disabled:
                disabled.append(torch.compiler.disable(method))  # type: ignore[no-untyped-call]
            return disabled[0](*args, **kwargs)

        return run

    return decorate
