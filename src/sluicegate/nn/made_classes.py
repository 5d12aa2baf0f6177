"""The classes that stand in the place of PyTorch's, and of the user's subclasses of these."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn import Module
from torch.nn.utils import parametrize

from .cells import GRUCell, LSTMCell, RNNCell
from .gru import GRU
from .lstm import LSTM
from .options import Options
from .rnn import RNN

OURS: dict[type, type[Options]] = {
    torch.nn.GRU: GRU,
    torch.nn.LSTM: LSTM,
    torch.nn.RNN: RNN,
    torch.nn.GRUCell: GRUCell,
    torch.nn.LSTMCell: LSTMCell,
    torch.nn.RNNCell: RNNCell,
}
"""Which class of ours takes the place of which of PyTorch's."""

_TORCHS = {ours: torchs for torchs, ours in OURS.items()}


def base_of(layer: Module) -> type:
    """The class of `torch.nn` that a recurrent layer is at bottom."""
    return next(cls for cls in type(layer).__mro__ if cls in OURS)


def class_of_ours(layer: Module) -> type:
    """The class to give to a layer of PyTorch's, or of a subclass, or one with parametrisations."""
    cls, base = type(layer), base_of(layer)
    if not parametrize.is_parametrized(layer):
        return _mixed_once(cls, OURS[base])
    return _on(cls, _mixed_once(cls.__bases__[0], OURS[base]))


def class_of_torchs(cls: type) -> type:
    """The class that a layer had before it was swapped; its own if it never was."""
    if cls in _TORCHS:
        return _TORCHS[cls]
    if vars(cls).get("__reduce_ex__") is _reduce:
        return cls.__bases__[0]
    if cls.__module__ == parametrize.__name__:
        return _on(cls, class_of_torchs(cls.__bases__[0]))
    return cls


def mixed(cls: type, ours: type) -> type:
    """The class that is `cls` in everything, but has our `forward` where it had PyTorch's.

    Args:
        cls: A class of PyTorch's, or a subclass.
        ours: Our class for it.

    Returns:
        Ours itself for PyTorch's own; else a class that stands before both.
    """
    if cls in OURS:
        return ours
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__reduce_ex__": _reduce}
    return _made(cls.__name__, (cls, ours), names)


def _made(name: str, bases: tuple[type, ...], names: dict[str, Any]) -> type:
    """Make a class that nobody is told of: no metaclass of the user's, no registry of subclasses."""
    kind: Any = type(bases[0])
    made: Any = type.__new__(kind, name, (_quiet(bases[0]), *bases), names)
    made.__bases__ = bases
    return made  # type: ignore[no-any-return]


class _Empty:
    """Adds nothing to `object`, and can give its place to another class that does not: `object` itself cannot."""

    __slots__ = ()


def _quiet(cls: type) -> type:
    """A class to stand first among the bases of another while that is made: no `__init_subclass__` of the user's runs.

    To give its place to `cls` then, it must add the same to the same class: a base of `abc.ABC`, say, adds to that what
    others add to `object`.
    """
    first: Any = cls
    while _layout(first) == _layout(first.__base__):
        first = first.__base__
    base: Any = first.__base__
    empty = base is not object and _layout(base) == _layout(object)
    made: Any = type.__new__(type(base), "_Quiet", (_Empty if empty else base,), {"__init_subclass__": _do_nothing})
    made.__bases__ = (base,)
    return made  # type: ignore[no-any-return]


def _do_nothing(cls: type, **_: Any) -> None:
    del cls


def _layout(cls: Any) -> tuple[int, int, int]:
    return cls.__basicsize__, cls.__dictoffset__, cls.__weakrefoffset__


_mixed_once: Callable[[type, type], type] = cache(mixed)  # one class for all layers of a subclass, as before


def _on(cls: type, base: type) -> type:
    """A class like `cls`, which PyTorch made for one layer's parametrisations, on another base."""
    body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    return _made(cls.__name__, (base,), body)


def _reduce(layer: Module, protocol: int) -> tuple[Any, ...] | str:
    """Pickle and copy a layer of a mixed class, which cannot be imported, by the subclass that it was made of."""
    mixed_class = type(layer)
    cls: Any = mixed_class.__bases__[0]
    if cls.__reduce_ex__ is object.__reduce_ex__ and cls.__reduce__ is object.__reduce__:
        state = object.__reduce_ex__(layer, max(protocol, 2))[2]
        return _revive, (cls, base_of(layer)), state
    # The user's own way, which may name the class.
    own: Any = super(mixed_class, layer).__reduce_ex__(max(protocol, 2))
    if isinstance(own, str):
        return own
    make, arguments, *rest = own
    make, *arguments = (cls if part is mixed_class else part for part in (make, *arguments))
    return _remake, (make, *arguments), *rest


def _revive(cls: type, base: type) -> object:
    return object.__new__(_mixed_once(cls, OURS[base]))


def _remake(make: Callable[..., Any], *arguments: Any) -> Any:
    made: Any = make(*arguments)
    if any(isinstance(made, torchs) for torchs in OURS) and not isinstance(made, Options):
        object.__setattr__(made, "__class__", class_of_ours(made))
    return made
