"""A layer as one of ONNX's own nodes, with its state going in and coming out.

A MinGRU is a GRU whose gates do not see the state and whose update gate is turned round; a LiGRU is one whose reset
gate is open, by a bias so large that it is 1 to the bit.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from sluicegate.export.layers import is_whole, units_of
from sluicegate.ops.quantized_reference import Layer

from .graph import Graph
from .whole import add_whole_layer

_OPEN = 100.0
_ORDER = {"gru": ((1, 0, 2), "GRU"), "lstm": ((0, 3, 1, 2), "LSTM"), "rnn": ((0,), "RNN")}


def add_layer(graph: Graph, layer: Layer, x: str, state: list[str], lengths: str = "") -> tuple[str, list[str]]:
    """Add a layer.

    Args:
        graph: that it is added to.
        layer: of 32-bit floats, or in int8.
        x: `[time batch input]`.
        state: h, and c of an LSTM, `[1 batch hidden]`.
        lengths: how many steps each row has, 32-bit whole numbers `[batch]`; nothing where all have all.

    Returns:
        The outputs, `[time batch hidden]`, and the state after them.
    """
    if is_whole(layer):
        return add_whole_layer(graph, layer, x, state, lengths)
    cell, units = layer.cell, units_of(layer)
    w, r, b, rb, squash = _as_onnx(layer)
    order, operator = _ORDER[cell if cell in _ORDER else "gru"]
    arranged = [_arranged(part, order, units) for part in (w, r, b, rb)]
    bias = np.concatenate([arranged[2], arranged[3]])
    given = [x, *(graph.constant(part[None]) for part in (*arranged[:2], bias)), lengths, *state]
    gated = {"gru": ["Sigmoid", squash], "lstm": ["Sigmoid", squash, squash], "rnn": [squash]}[operator.lower()]
    more = {"linear_before_reset": 1} if operator == "GRU" else {}
    if squash == "Affine":
        more |= {"activation_alpha": [1.0], "activation_beta": [0.0]}  # type: ignore[dict-item]
    names = graph.add(operator, *given, outputs=1 + len(state), hidden_size=units, activations=gated, **more)
    outputs: str = graph.add("Squeeze", names[0], graph.constant([1], np.int64))
    return outputs, names[1:]


def _as_onnx(layer: Layer) -> tuple[ndarray, ndarray, ndarray, ndarray, str]:
    """The weights and biases of the input and of the state, and the activation, in our order of gates."""
    units, w, b = units_of(layer), layer.input.weight, layer.bias
    squash = "Relu" if layer.activation == "relu" else "Tanh"
    rb = np.zeros_like(b)
    if layer.cell in ("gru", "lstm", "rnn"):
        assert layer.hidden is not None, "these have recurrent weights"
        if layer.hidden_bias is not None:
            rb[-units:] = layer.hidden_bias
        return w, layer.hidden.weight, b, rb, squash
    shut, none = np.zeros((units, w.shape[1]), np.float32), np.full(units, _OPEN, np.float32)
    turned = -1.0 if layer.cell == "mingru" else 1.0  # its z writes, and ONNX's keeps
    w = np.concatenate([shut, turned * w[:units], w[units:]])
    b = np.concatenate([none, turned * b[:units], b[units:]])
    r = np.zeros((3 * units, units), np.float32)
    if layer.hidden is not None:
        r[units:] = layer.hidden.weight
    return w, r, b, np.zeros_like(b), "Affine" if layer.cell == "mingru" else squash


def _arranged(rows: ndarray, order: tuple[int, ...], units: int) -> ndarray:
    return np.concatenate([rows[gate * units : (gate + 1) * units] for gate in order])
