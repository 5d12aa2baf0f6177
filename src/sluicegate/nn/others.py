"""Recurrent layers of other classes than PyTorch's, found by the weights that they hold, so that they can be named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeAlias

import torch
from torch.nn import Module
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.nn.modules.rnn import RNNBase, RNNCellBase
from torch.nn.parameter import is_lazy

Shape: TypeAlias = tuple[int, ...]

_NAMED = re.compile(r"weight_[ih]h|recurrent_(kernel|weight)")  # as PyTorch and Keras call them
_CALLED = re.compile(r"RNN|GRU|LSTM|SRU", re.IGNORECASE)
_GATES = (2, 3, 4)
_MANY = 32  # parameters and modules in one: no recurrent layer has so many of its own


def is_recurrent(module: Module, name: str = "", part: Any = None) -> bool:
    """Tell whether a module holds the weights of a recurrent layer, though it is not made of PyTorch's or ours.

    It does if weights have the names that recurrent ones have, or if two of them give the same gates, one from a state
    of as many units. Of a class that is called so, one is enough that makes 3 or 4 gates of `hidden_size`.

    Args:
        module: Any, but a recurrent layer of `torch.nn` or of a subclass.
        name: Of a part that it is about to get.
        part: That part, a parameter or a module.

    Returns:
        Whether it does.
    """
    if type(module).__module__.split(".")[0] in ("torch", "sluicegate"):
        return False
    if len(module._parameters) + len(module._modules) > _MANY:
        return False
    parts = {**module._modules, **module._parameters, name: part}
    if any(_NAMED.match(own) for own, value in parts.items() if isinstance(value, torch.Tensor)):
        return True
    if any(isinstance(value, RNNBase | RNNCellBase) for value in parts.values()):
        return False
    shapes = list(chain.from_iterable(map(_shapes, parts.values())))
    return any(_are_gates(shape, shapes) for shape in shapes) or _is_called_so(module, shapes)


def _shapes(part: Any) -> Iterator[Shape]:
    """The shape of a weight, or of that of a map; none of what is neither."""
    weight = part if isinstance(part, torch.Tensor) else getattr(part, "_parameters", {}).get("weight")
    if weight is not None and not is_lazy(weight) and weight.dim() in (2, 3):
        yield tuple(weight.shape[:2])


def _are_gates(shape: Shape, shapes: list[Shape]) -> bool:
    """Tell whether a weight makes gates of a state, and another one makes the same of something else."""
    for out in (0, 1):
        gates, units = shape[out], shape[1 - out]
        if gates in [units * count for count in _GATES] and not any(other[1 - out] == gates for other in shapes):
            return sum(other[out] == gates for other in shapes) > 1
    return False


def _is_called_so(module: Module, shapes: list[Shape]) -> bool:
    hidden = vars(module).get("hidden_size")
    if not isinstance(hidden, int) or hidden < 1 or not _CALLED.search(type(module).__name__):
        return False
    return any(shape[0] in (3 * hidden, 4 * hidden) for shape in shapes)


@contextmanager
def watch(known: tuple[type, ...], found: dict[str, bool]) -> Iterator[None]:
    """Note the classes of modules as these are made, and whether they are such layers, without holding on to any.

    Args:
        known: Classes whose layers are none of these.
        found: Where they are noted by their names, in the order of the first of each.
    """

    def look(module: Module, name: str, part: Any) -> None:
        cls = type(module)
        if cls.__module__.startswith("torch.") or isinstance(module, known):
            return
        called = cls.__qualname__ if cls.__module__ == "__main__" else f"{cls.__module__}.{cls.__qualname__}"
        found[called] = is_recurrent(module, name, part)  # until its next part, which may say otherwise

    handles = register_module_parameter_registration_hook(look), register_module_module_registration_hook(look)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
