"""The weights of a layer or a cell, read where PyTorch reads them.

PyTorch's layers compute with their list `_flat_weights`, which they make again when an attribute has become another
tensor; its cells look up the attributes at every step. Adapters, fast weights and hooks put tensors into either, beside
the parameters or over them. To go PyTorch's own way takes as long as a small layer's step, so that it is left out where
it can only find the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch.nn import Module
from torch.nn.modules.rnn import RNNBase

_READING = ("__getattr__", "__getattribute__")
_UPDATING = ("_init_flat_weights", "_update_flat_weights", "_weights_have_changed")


def of_attributes(module: Module, names: Sequence[str]) -> list[Any]:
    """Look up the attributes of a module, as PyTorch's cells do.

    Args:
        module: Any.
        names: Of weights and biases.

    Returns:
        What stands there: a parameter, what hides it, or None.
    """
    own = module._parameters
    if _holds_parameters_alone(type(module)) and module.__dict__.keys().isdisjoint(names):
        try:
            return [own[name] for name in names]
        except KeyError:
            pass
    return [getattr(module, name) for name in names]


def of_layer(layer: Any) -> list[Any]:
    """Give the list that a layer of PyTorch's computes with, brought up to date as its `forward` does.

    Args:
        layer: One of PyTorch's, or of a subclass.

    Returns:
        The weights of all layers and directions in turn.
    """
    if not _is_up_to_date(layer):
        if torch.compiler.is_exporting() and _holds_parameters_alone(type(layer)):  # which warns of what is kept
            return [getattr(layer, name, None) for name in layer._flat_weights_names]
        layer._update_flat_weights()
    found: list[Any] = layer._flat_weights
    return found


def _is_up_to_date(layer: Any) -> bool:
    names, references, own = layer._flat_weights_names, layer._flat_weight_refs, layer._parameters
    if len(names) != len(references) or not _holds_parameters_alone(type(layer)):
        return False
    for name, reference in zip(names, references, strict=True):
        if reference is None or reference() is not own.get(name):
            return False
    return bool(vars(layer).keys().isdisjoint(names))


def _look_through(cls: type) -> bool:
    """Tell whether weights of such a module can be nothing but parameters, or what stands in its `__dict__`."""
    torchs = next((base for base in (RNNBase, Module) if issubclass(cls, base)), Module)
    same = _READING + (_UPDATING if torchs is RNNBase else ())
    return all(getattr(cls, name) is getattr(torchs, name) for name in same) and not any(
        name.startswith(("weight_", "bias_")) for base in cls.__mro__ for name in vars(base)
    )


# Weakly, for a class that a parametrisation makes holds on to its one layer, weights and all.
_looked_through: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def _holds_parameters_alone(cls: type) -> bool:
    """Do the same once for each class."""
    known = _looked_through.get(cls)
    if known is None:
        known = _looked_through[cls] = _look_through(cls)
    return known


def have_gates(names: Sequence[str], weights: Sequence[Any], gates: int) -> bool:
    """Tell whether the rows of weights can be cut into gates: PyTorch does, and does not count what it gets.

    Args:
        names: Of the weights and biases.
        weights: What was found in their places.
        gates: Of the cell.

    Returns:
        Whether they can; else PyTorch may read a gate that is not there.
    """
    found = [w for name, w in zip(names, weights, strict=False) if name.startswith("weight")]
    return all(len(w) % gates == 0 for w in found if isinstance(w, torch.Tensor) and w.dim() == 2)
