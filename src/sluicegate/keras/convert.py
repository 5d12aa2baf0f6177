"""Weights to and from the layers of `sluicegate.nn`.

Gate order: Keras' GRU holds the update gate `z`, the reset gate `r` and the candidate in this order, side by side in
columns; ours holds `r`, `z`, `n` in rows. An LSTM's order is the same in both: input, forget, candidate, output.
"""

from __future__ import annotations

from typing import Any

import keras
import torch

from sluicegate import nn
from sluicegate.errors import ConfigError
from sluicegate.nn.options import Options
from sluicegate.nn.stack import Stack

from . import cells
from .layers import GRU, LSTM, Bidirectional, SimpleRNN
from .weights import in_keras_order, in_our_order


def to_sluicegate(layer: Any) -> Stack:
    """Make a layer of `sluicegate.nn` with the weights of one of Keras'.

    Args:
        layer: A built `keras.layers.GRU`, `LSTM` or `SimpleRNN`, or a `Bidirectional` of two of the same kind and size.

    Returns:
        A `GRU`, `LSTM` or `RNN` with `batch_first=True`. Dropout, masks, and which outputs are returned are no part of
        it; `go_backwards` of a single layer is not either: flip its input.

    Raises:
        ConfigError: `layer` is none of these, is not built, or computes what ours do not.

    Example:
        >>> import keras, numpy as np
        >>> layer = keras.layers.GRU(5)
        >>> x = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")
        >>> expected = layer(x)
        >>> outputs, _ = to_sluicegate(layer)(torch.from_numpy(x))
        >>> bool(torch.allclose(outputs[:, -1], expected, atol=1e-6))
        True
    """
    ways = [layer.forward_layer, layer.backward_layer] if isinstance(layer, keras.layers.Bidirectional) else [layer]
    found = [_parts(way) for way in ways]
    (form, weights), *others = found
    if any(other[0] != form or [*map(_shape, other[1])] != [*map(_shape, weights)] for other in others):
        raise ConfigError("the two layers of a Bidirectional must be of one kind and size to become one: convert each")
    ours = _empty(form, weights[0].shape[0], weights[1].shape[0], len(ways) == 2)
    for suffix, (_, own) in zip(("_l0", "_l0_reverse"), found, strict=False):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name, weight in zip(names, in_our_order(form.cell, own), strict=False):
            getattr(ours, f"{name}{suffix}").data.copy_(weight)
    return ours


def from_sluicegate(layer: torch.nn.Module) -> Any:
    """Make a layer of Keras' with the weights of one of `sluicegate.nn` or of `torch.nn`.

    Args:
        layer: A `GRU`, `LSTM` or `RNN` of one layer.

    Returns:
        A built `sluicegate.keras.GRU`, `LSTM` or `SimpleRNN` with `return_sequences=True`, within a `Bidirectional` if
        `layer` has two directions. Where Keras has one bias, it is the sum of the two.

    Raises:
        ConfigError: `layer` is none of these, has several layers, or computes what Keras' do not.

    Example:
        >>> from sluicegate.nn import GRU
        >>> layer, x = GRU(3, 5, batch_first=True, reset="before"), torch.randn(2, 7, 3)
        >>> bool(torch.allclose(from_sluicegate(layer)(x), layer(x)[0], atol=1e-6))
        True
    """
    form = _form(layer)
    sizes: Any = layer
    theirs = _of_keras(sizes, form)
    if sizes.bidirectional:
        theirs = Bidirectional(theirs)
    theirs.build((None, None, sizes.input_size))
    ways = [theirs.forward_layer, theirs.backward_layer] if sizes.bidirectional else [theirs]
    for suffix, way in zip(("_l0", "_l0_reverse"), ways, strict=False):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if form.biased else 2]
        weights = [getattr(layer, f"{name}{suffix}").detach() for name in names]
        way.set_weights([w.numpy() for w in _as_keras_has_them(form, weights)])
    return theirs


def _parts(layer: Any) -> tuple[cells.Form, list[Any]]:
    """What a layer of Keras' computes, and its weights as tensors; None in the place of a bias that it has not."""
    if not isinstance(layer, keras.layers.GRU | keras.layers.LSTM | keras.layers.SimpleRNN):
        raise ConfigError(
            f"`layer` (a {type(layer).__name__}) must be a GRU, an LSTM or a SimpleRNN of Keras', or a Bidirectional "
            "of one: pass the recurrent layer within the model"
        )
    if not layer.cell.built:
        raise ConfigError(f"`layer` ({layer.name}) has no weights yet: call it once, or its `build`")
    if reason := cells.obstacle(layer, training=False):
        raise ConfigError(f"`layer` ({layer.name}) cannot become one of ours, for {reason}: leave it to Keras")
    weights = [torch.from_numpy(keras.ops.convert_to_numpy(w).copy()) for w in layer.cell.get_weights()]
    return cells.form_of(layer.cell), weights if len(weights) == 3 else [*weights, None]


def _shape(weight: Any) -> Any:
    return None if weight is None else weight.shape


def _empty(form: cells.Form, features: int, units: int, bidirectional: bool) -> Stack:
    options: Any = {"bias": form.biased, "batch_first": True, "bidirectional": bidirectional}
    if form.cell == "rnn":
        return nn.RNN(features, units, nonlinearity=form.activation, **options)
    if form.cell == "lstm":
        return nn.LSTM(features, units, activation=form.activation, **options)
    return nn.GRU(
        features,
        units,
        reset="before" if form.cell.endswith("before") else "after",
        activation=form.activation,
        **options,
    )


def _form(layer: Any) -> cells.Form:
    kinds = ((torch.nn.GRU, "gru"), (torch.nn.LSTM, "lstm"), (torch.nn.RNN, "rnn"))
    kind = next((name for cls, name in kinds if isinstance(layer, cls)), None)
    if kind is None or layer.num_layers != 1 or getattr(layer, "proj_size", 0) or getattr(layer, "layer_norm", False):
        raise ConfigError(
            f"`layer` ({layer}) must be a GRU, an LSTM or an RNN of one layer, without projection or layer norm, which "
            "Keras' have not: convert each layer on its own"
        )
    activation: Any = layer.nonlinear() if isinstance(layer, Options) else getattr(layer, "nonlinearity", "tanh")
    if kind == "gru" and getattr(layer, "reset", "after") == "before":
        kind = "gru_reset_before"
    return cells.Form(kind, activation, layer.bias)


def _of_keras(layer: Any, form: cells.Form) -> Any:
    options: Any = {"activation": form.activation, "use_bias": form.biased, "return_sequences": True}
    if form.cell == "rnn":
        return SimpleRNN(layer.hidden_size, **options)
    if form.cell == "lstm":
        return LSTM(layer.hidden_size, **options)
    return GRU(layer.hidden_size, reset_after=form.cell == "gru", **options)


def _as_keras_has_them(form: cells.Form, weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """Put them into Keras' order; of two biases where it has one, the sum."""
    single = form.cell != "gru"
    if single and form.biased:
        weights = [*weights[:2], weights[2] + weights[3]]
    return [w for w in in_keras_order(form.cell, weights, single=single) if w is not None]
