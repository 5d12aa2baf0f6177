"""Keras' recurrent layers inside any model, swapped in place for ours.

Only the class of a layer changes, for ours hold nothing that Keras' do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import keras

from sluicegate.errors import ConfigError
from sluicegate.swaps import Swap, tell

from . import cells, loop
from .layers import OURS, become
from .patch import kind_of

M = TypeVar("M")

_KERAS = {ours: keras_class for keras_class, ours in OURS.items()}


def is_keras(model: Any) -> bool:
    """Tell whether a model, or a layer, is of Keras'."""
    return isinstance(model, keras.layers.Layer)


def accelerate(model: M) -> M:
    """Swap every recurrent layer of a model of Keras', as `sluicegate.accelerate` says.

    Args:
        model: A model or a layer of Keras'.

    Returns:
        The model.

    Raises:
        ConfigError: `model` is none.
    """
    for swap, layer in _layers(model):
        if type(layer) in _KERAS:
            continue
        if swap.reason is None:
            become(layer, OURS[type(layer)])
        tell(swap, "Keras")
    return model


def plan(model: Any) -> list[Swap]:
    """Tell what `accelerate` does with each recurrent layer of a model of Keras', or has done.

    Args:
        model: A model or a layer of Keras'; it is not changed.

    Returns:
        The recurrent layers, each once, as the model lists them.

    Raises:
        ConfigError: `model` is none.

    Example:
        >>> import keras
        >>> layers = keras.layers.GRU(5, name="one"), keras.layers.LSTM(5, name="two", dtype="float64")
        >>> for swap in plan(keras.Sequential([*layers])):
        ...     print(swap)
        one (GRU)
        two (LSTM), float64
    """
    return [swap for swap, _ in _layers(model)]


def restore(model: M) -> M:
    """Bring Keras' classes back, in place.

    Args:
        model: A model or a layer of Keras'.

    Returns:
        The model.

    Raises:
        ConfigError: `model` is none.
    """
    for _, layer in _layers(model):
        if type(layer) in _KERAS:
            become(layer, _KERAS[type(layer)])
    return model


def _layers(model: Any) -> Iterator[tuple[Swap, Any]]:
    if not is_keras(model):
        raise ConfigError(
            f"`model` (a {type(model).__name__}) must be a model or a layer of Keras': pass the one within"
        )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN):
            yield Swap(layer.name, kind_of(layer), _reason(layer)), layer


def _reason(layer: Any) -> str | None:
    if loop.backend() is None:
        return loop.no_backend()
    if type(layer) not in OURS and type(layer) not in _KERAS:
        whose = [cls.__name__ for cls in type(layer).__mro__ if "inner_loop" in vars(cls) and cls not in OURS]
        return f"{whose[0]} has a loop of its own" if whose else f"a subclass ({type(layer).__name__})"
    return cells.obstacle(layer, training=False)
