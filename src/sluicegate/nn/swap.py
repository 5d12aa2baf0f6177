"""PyTorch's recurrent layers inside any model, swapped in place for ours.

Only the class of a layer changes, for our classes hold nothing that PyTorch's do not: what they take beyond it are
attributes of the class, whose values make them what PyTorch's are. So the parameters stay the very same objects, and
hooks, optimizers, the `state_dict` and whoever else refers to the layer need not know. How the same is done without
changing even the class, for every layer that runs: `sluicegate.nn.patch`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import torch
from torch.nn import Module

from sluicegate.errors import ConfigError
from sluicegate.swaps import Swap, tell

from .bound import bind, held
from .made_classes import OURS, base_of, class_of_ours, class_of_torchs
from .options import Options
from .others import is_recurrent

M = TypeVar("M", bound=Module)

_KINDS = {torchs.__name__ for torchs in OURS}

# What the `forward` of PyTorch's classes calls: whoever overrides one of these means another computation.
_STEPS_OF_FORWARD = {
    "check_forward_args",
    "check_hidden_size",
    "check_input",
    "get_expected_cell_size",
    "get_expected_hidden_size",
    "permute_hidden",
}


def accelerate(model: M) -> M:
    """Swap every `torch.nn.GRU`, `LSTM`, `RNN` and cell of a model, as `sluicegate.accelerate` says.

    Args:
        model: Any module, or a recurrent layer itself.

    Returns:
        The model.

    Raises:
        ConfigError: `model` is no module.
    """
    for swap, layer in _layers(model):
        if isinstance(layer, Options):
            continue
        if swap.reason is None:
            _become(layer, class_of_ours(layer))
        tell(swap)
    return model


def plan(model: Module) -> list[Swap]:
    """Tell what `accelerate` does with each recurrent layer of a model, or has done.

    Args:
        model: Any module; it is not changed.

    Returns:
        The recurrent layers, each once, in the order of `named_modules`.

    Raises:
        ConfigError: `model` is no module.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.GRU(3, 5), torch.nn.LSTM(5, 5, dtype=torch.float64))
        >>> for swap in plan(model):
        ...     print(swap)
        0 (GRU)
        1 (LSTM), float64
    """
    return [swap for swap, _ in _layers(model)]


def restore(model: M) -> M:
    """Bring PyTorch's classes back, in place: for TorchScript, for quantisation, for a pickle without Sluicegate.

    Args:
        model: Any module. Layers of ours with an option that PyTorch does not know stay as they are.

    Returns:
        The model.

    Raises:
        ConfigError: `model` is no module.

    Example:
        >>> import torch, sluicegate
        >>> type(restore(sluicegate.accelerate(torch.nn.GRU(3, 5)))) is torch.nn.GRU
        True
    """
    for _, layer in _layers(model):
        if isinstance(layer, Options) and _is_plain(layer):
            _become(layer, class_of_torchs(type(layer)))
    return model


def obstacle(layer: Module) -> str | None:
    """Tell why PyTorch must compute what a layer asks its `forward` for; None if we can.

    Args:
        layer: A recurrent layer of PyTorch's, or of a subclass.

    Returns:
        The reason, in a few words.
    """
    base = base_of(layer)
    for owner, names in (
        (f"this {base.__name__}", vars(layer).keys() | layer._modules.keys() | layer._parameters.keys()),
        *((cls.__name__, vars(cls).keys()) for cls in _subclasses(type(layer), base)),
    ):
        if taken := names & (_names_of_ours(base) | _STEPS_OF_FORWARD):
            return f"{owner} has a `{min(taken)}` of its own"
    if projection := getattr(layer, "proj_size", 0):
        return f"a projection (proj_size={projection})"
    for parameter in layer.parameters():
        if parameter.dtype != torch.float32:
            return str(parameter.dtype).removeprefix("torch.")
        if parameter.device.type != "cpu":
            return f"on {parameter.device}"
    return None


def _layers(model: Module) -> Iterator[tuple[Swap, Module]]:
    if not isinstance(model, Module):
        raise ConfigError(
            f"`model` (a {type(model).__name__}) must be a torch.nn.Module: pass the one within it, or run it within "
            "`with sluicegate.accelerated():`, which finds every layer that runs"
        )
    for name, layer in list(model.named_modules()):
        kind: str = getattr(layer, "original_name", "") if _is_scripted(layer) else type(layer).__name__
        if kind in _KINDS and (_is_scripted(layer) or _is_quantised(layer)):
            yield Swap(name, kind, "scripted" if _is_scripted(layer) else "quantised"), layer
        elif not any(isinstance(layer, cls) for cls in OURS):
            # Not our MinGRU, in whose place PyTorch has nothing.
            if is_recurrent(layer):
                yield Swap(name, kind, "not PyTorch's own"), layer
        elif isinstance(layer, Options):
            yield Swap(name, base_of(layer).__name__), layer
        else:
            yield Swap(name, base_of(layer).__name__, _own_forward(layer) or obstacle(layer)), layer


def _become(layer: Module, cls: Any) -> None:
    """Give a layer another class, and the `forward` of that where it holds on to its own."""
    names = held(layer)
    object.__setattr__(layer, "__class__", cls)
    bind(layer, names, cls.forward)


def _is_plain(layer: Options) -> bool:
    return all(getattr(layer, name) == getattr(Options, name) for name in Options.__annotations__ if name != "kind")


def _is_scripted(layer: Module) -> bool:
    return isinstance(layer, torch.jit.ScriptModule)


def _is_quantised(layer: Module) -> bool:
    return type(layer).__module__.startswith("torch.ao.nn.quant")


def _own_forward(layer: Module) -> str | None:
    """Tell whose `forward` never gets to ours: one that does not call `super().forward`."""
    if "forward" in vars(layer) and not held(layer):
        return "its `forward` was replaced"
    for cls in _subclasses(type(layer), base_of(layer)):
        if own := vars(cls).get("forward"):
            code = getattr(inspect.unwrap(own), "__code__", None)
            if code is None or "super" not in code.co_names:
                return f"{cls.__name__} has a `forward` of its own"
    return None


def _subclasses(cls: type, base: type) -> tuple[type, ...]:
    """The classes that stand before PyTorch's: those whose methods come before its."""
    return cls.__mro__[: cls.__mro__.index(base)]


@cache
def _names_of_ours(base: type) -> frozenset[str]:
    """The attributes that our class has and PyTorch's has not, which a layer must not use for something else."""
    ours = (name for cls in OURS[base].__mro__ if cls not in base.__mro__ for name in vars(cls))
    return frozenset(name for name in ours if not name.startswith("__") and not hasattr(base, name))
