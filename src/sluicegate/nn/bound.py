"""The `forward` of PyTorch's that a layer itself holds on to, as one does whose `forward` was replaced.

Whoever puts a function in the place of one layer's `forward` (hooks that move weights, wrappers that count) keeps the
one that was there, a bound method, in an attribute of the layer, and calls it. There ours can stand as well.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from inspect import unwrap
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

from torch.nn import Module


def held(layer: Module) -> list[str]:
    """Name the attributes of a layer in which the `forward` of its own class stands, bound to it.

    Args:
        layer: Any module.

    Returns:
        The names: as a rule none.
    """
    forward = unwrap(type(layer).forward)
    return [
        name
        for name, value in vars(layer).items()
        if isinstance(value, MethodType) and value.__self__ is layer and unwrap(value.__func__) is forward
    ]


def bind(layer: Module, names: Sequence[str], forward: Any) -> None:
    """Put a `forward` there.

    Args:
        layer: Any module.
        names: What `held` gave.
        forward: A function of its class.
    """
    for name in names:
        vars(layer)[name] = MethodType(forward, layer)


class Rebound:
    """Layers that hold PyTorch's functions, for a time holding others."""

    def __init__(self) -> None:
        self._names: WeakKeyDictionary[Module, list[str]] = WeakKeyDictionary()
        self._unheld: list[int] = []

    def find(self, functions: Sequence[Any]) -> None:
        """Find the layers that hold one of these functions.

        To look through all objects takes 17 ms of a process that has loaded PyTorch, so that it is done only if the
        functions have got other references than the last time that none was found.
        """
        references = [sys.getrefcount(function) for function in functions]
        if references == self._unheld:
            return
        for layer in {method.__self__ for method in _methods(functions) if isinstance(method.__self__, Module)}:
            if names := [n for n in held(layer) if vars(layer)[n].__func__ in functions]:
                self._names[layer] = names
        self._unheld = [] if self._names else references

    def exchange(self, taken: dict[Any, Any]) -> None:
        """Let the layers found hold other functions: each of these for the one that it stands for."""
        for layer, names in list(self._names.items()):
            for name in names:
                method = vars(layer).get(name)
                if isinstance(method, MethodType) and method.__func__ in taken:
                    bind(layer, [name], taken[method.__func__])

    def forget(self) -> None:
        """Let go of the layers."""
        self._names.clear()


def _methods(functions: Sequence[Any]) -> Iterator[MethodType]:
    return (found for found in gc.get_referrers(*functions) if isinstance(found, MethodType))
