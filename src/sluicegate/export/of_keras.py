"""Models of Keras' as they are exported: recurrent layers one behind the other, with a dense layer behind them."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.errors import ConfigError

from .layers import units_of
from .network import Member, Network, of_layers

FILES = (".keras", ".h5")
"""How the names of files end that Keras saves models in."""


def of_keras_file(path: str | Path) -> Network:
    """The network of a model that Keras has saved; no code in the file is run.

    Where Keras is not imported yet and no backend of it is named, it is imported with its torch backend.

    Raises:
        DataError: there is no such file, or no model of Keras' in it.
        ConfigError: the model cannot be exported.
        MissingExtra: Keras is not installed.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    from sluicegate.keras import load

    return of_keras(load(path))


def of_keras(model: Any) -> Network:
    """The network of a model of Keras' that reads one way.

    A step gives what the model says of all that was read until then. Dropout is left out, as whenever a model predicts.

    Args:
        model: a `keras.Sequential`, built, of an input, one or more of GRU, LSTM and SimpleRNN, with dropout between
            them or none, and at the end a Dense without an activation, or none.

    Raises:
        ConfigError: the model is another, or a layer of it computes what is not exported.
        MissingExtra: Keras is not installed.
    """
    from sluicegate.keras import keras

    if not isinstance(model, keras.Sequential) or not model.built:
        raise ConfigError(
            f"`model` (a {type(model).__name__}) must be a `keras.Sequential` that is built: expected recurrent layers "
            "one behind the other, with a Dense behind them or none"
        )
    idle = keras.layers.Dropout | keras.layers.SpatialDropout1D | keras.layers.InputLayer
    layers = [layer for layer in model.layers if not isinstance(layer, idle)]
    head = layers.pop() if layers and isinstance(layers[-1], keras.layers.Dense) else None
    if not layers:
        raise ConfigError(f"`model` ({model.name}) has no recurrent layer: expected a GRU, an LSTM or a SimpleRNN")
    for layer in layers:
        _require_recurrent(layer)
    for layer, following in pairwise(layers):
        if not layer.return_sequences:
            raise ConfigError(
                f"the layer {layer.name} gives {following.name} its last step alone, and a step at a time has no last: "
                "train it with `return_sequences=True`"
            )
    return _joined(layers, head)


def _require_recurrent(layer: Any) -> None:
    from sluicegate.keras import keras

    if not isinstance(layer, keras.layers.GRU | keras.layers.LSTM | keras.layers.SimpleRNN):
        raise ConfigError(
            f"the layer {layer.name} (a {type(layer).__name__}) is not exported: expected GRU, LSTM or SimpleRNN, "
            "dropout between them, and a Dense at the end"
        )
    for wrong, name in ((layer.go_backwards, "go_backwards"), (layer.stateful, "stateful")):
        if wrong:
            raise ConfigError(f"the layer {layer.name} has `{name}=True`, which is not exported: train it without")


def _joined(layers: list[Any], head: Any) -> Network:
    from sluicegate.keras import to_sluicegate

    several = [of_layers(to_sluicegate(layer)).members[0].layers[0] for layer in layers]
    units = [units_of(layer) for layer in several]
    if len(set(units)) > 1 or len({layer.cell for layer in several}) > 1:
        raise ConfigError(f"the recurrent layers have {units} units: expected one kind and one number of them in all")
    first = of_layers(to_sluicegate(layers[0]))
    weight, bias = _of_dense(head)
    outputs = units[-1] if weight is None else len(weight)
    return Network(
        members=(Member(tuple(several), None, weight, bias),),
        inputs=first.inputs,
        outputs=tuple(f"y{i}" for i in range(outputs)),
    )


def _of_dense(head: Any) -> tuple[Any, Any]:
    """The weight and the bias of a dense layer at the end, None without one."""
    if head is None:
        return None, None
    name = head.activation.__name__
    if name != "linear":
        raise ConfigError(
            f"the layer {head.name} has `activation={name!r}`, which is not exported: set its `activation` to "
            "`keras.activations.linear`, and apply it to what the steps give"
        )
    weight, *bias = head.get_weights()
    return np.ascontiguousarray(weight.T), bias[0] if bias else np.zeros(weight.shape[1], np.float32)
