"""A layer in int8 as standard nodes, to the bit as `sluicegate.ops.quantized_reference` says it.

Products are `MatMulInteger`, whose sums are exact; all else is one operation of 32-bit floats a node, in the order of
the reference, and so are the polynomials of tanh and sigmoid: with other curves a state beside a half would be rounded
the other way now and then. What hangs on the state is in the body of a `Scan`.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from sluicegate.export.layers import units_of
from sluicegate.ops.quantized_reference import GATES, LARGEST, SIGMOID, TANH, Layer, Matrix

from .graph import Graph

_FLOAT, _INT8, _INT64 = 1, 3, 7
LANES = 4
"""Sums side by side of a map of floats, as the C has them."""


def add_whole_layer(graph: Graph, layer: Layer, x: str, state: list[str], lengths: str = "") -> tuple[str, list[str]]:
    """Add a layer that holds whole numbers; see `add_layer`."""
    share = _sums(graph, layer.input, x, layer.bias) if layer.input.scale is not None else _in_order(graph, layer, x)
    axis = graph.constant([0], np.int64)
    given = [graph.add("Squeeze", part, axis) for part in state]
    scanned = [share]
    if lengths:
        steps = graph.add("Cast", graph.add("Shape", x, start=0, end=1), to=_INT64)
        scalar = graph.add("Squeeze", steps, axis)
        zero, one = (graph.constant(number, np.int64) for number in (0, 1))
        number = graph.add("Range", zero, scalar, one)
        there = graph.add("Less", graph.add("Unsqueeze", number, graph.constant([1], np.int64)), _whole(graph, lengths))
        scanned.append(graph.add("Unsqueeze", graph.add("Cast", there, to=_FLOAT), graph.constant([2], np.int64)))
    body = _step(graph, layer, len(state), masked=bool(lengths))
    found = graph.add("Scan", *given, *scanned, outputs=len(state) + 1, num_scan_inputs=len(scanned), body=body.body())
    return found[-1], [graph.add("Unsqueeze", part, axis) for part in found[:-1]]


def add_front(graph: Graph, layer: Layer, x: str) -> str:
    """Add a map with relu, summed as the C does it: what follows it may round to whole numbers.

    Args:
        graph: that it is added to.
        layer: the map.
        x: `[... input]` of three axes.

    Returns:
        `[... units]`.
    """
    weight, units = layer.input.weight, units_of(layer)
    groups = -(-weight.shape[1] // LANES)
    filled = np.zeros((units, LANES * groups), np.float32)
    filled[:, : weight.shape[1]] = weight
    by_group = np.ascontiguousarray(filled.reshape(units, groups, LANES).transpose(1, 2, 0))  # [groups lanes units]
    beyond = LANES * groups - weight.shape[1]
    if beyond:
        x = graph.add("Pad", x, graph.constant([0, 0, 0, 0, 0, beyond], np.int64))
    apart = graph.add("Reshape", x, graph.constant([0, 0, groups, LANES], np.int64))
    scanned = graph.add("Unsqueeze", graph.add("Transpose", apart, perm=[2, 0, 1, 3]), graph.constant([4], np.int64))
    sizes = graph.add("Shape", x, start=0, end=2)
    wide = graph.constant([LANES, units], np.int64)
    zeros = graph.add("Expand", graph.constant(0.0), graph.add("Concat", sizes, wide, axis=0))
    body = Graph(graph)
    shape = ("rows", "steps", LANES, units)
    total = body.takes("lanes", shape)
    given = body.takes("lane_inputs", ("rows", "steps", LANES, 1)), body.takes("lane_weights", (LANES, units))
    body.gives(body.add("Add", total, body.add("Mul", *given)), "lanes_after", shape)
    lanes = graph.add("Scan", zeros, scanned, graph.constant(by_group), num_scan_inputs=2, body=body.body())
    parts = [graph.add("Gather", lanes, graph.constant(lane, np.int64), axis=2) for lane in range(LANES)]
    both = [graph.add("Add", *pair) for pair in (parts[:2], parts[2:])]
    biased = graph.add("Add", graph.constant(layer.bias), graph.add("Add", *both))
    found: str = graph.add("Relu", biased)
    return found


def _sums(graph: Graph, matrix: Matrix, x: str, bias: ndarray | None = None) -> str:
    """float(sum of q u) * scale, of rounded numbers u, and a bias."""
    assert matrix.scale is not None, "the weights are whole numbers"
    product = graph.add("Mul", x, graph.constant(matrix.factor))
    limits = (graph.constant(float(limit)) for limit in (-LARGEST, LARGEST))
    rounded = graph.add("Cast", graph.add("Round", graph.add("Clip", product, *limits)), to=_INT8)
    exact = graph.add("MatMulInteger", rounded, graph.constant(matrix.weight.T, np.int8))
    found = graph.add("Mul", graph.add("Cast", exact, to=_FLOAT), graph.constant(matrix.scale))
    return str(found if bias is None else graph.add("Add", found, graph.constant(bias)))


def _in_order(graph: Graph, layer: Layer, x: str) -> str:
    """The share of an input of floats, number by number behind the bias."""
    gates, weight = len(layer.bias), layer.input.weight
    numbers = graph.add("Unsqueeze", graph.add("Transpose", x, perm=[2, 0, 1]), graph.constant([3], np.int64))
    sizes = graph.add("Concat", graph.add("Shape", x, start=0, end=2), graph.constant([1], np.int64), axis=0)
    begin = graph.add("Expand", graph.constant(layer.bias), sizes)
    body, shape = Graph(graph), ("steps", "rows", gates)
    total = body.takes("total", shape)
    given = body.takes("input_number", ("steps", "rows", 1)), body.takes("input_weights", (gates,))
    body.gives(body.add("Add", total, body.add("Mul", *given)), "total_after", shape)
    columns = graph.constant(np.ascontiguousarray(weight.T))
    found: str = graph.add("Scan", begin, numbers, columns, num_scan_inputs=2, body=body.body())
    return found


def _step(outer: Graph, layer: Layer, parts: int, *, masked: bool) -> Graph:
    """A step: the state and the input's share in, the state and the output out."""
    body, units = Graph(outer), units_of(layer)
    sizes = ("rows", units)
    state = [body.takes(f"{name}_before", sizes) for name in "hc"[:parts]]
    share = body.takes("share", ("rows", GATES[layer.cell] * units))
    after = _CELLS[layer.cell](body, layer, share, state)
    if masked:
        there = body.add("Greater", body.takes("is_there", ("rows", 1)), body.constant(0.0))
        after = [body.add("Where", there, new, old) for new, old in zip(after, state, strict=True)]
    for name, part in zip("hc", after, strict=False):
        body.gives(part, f"{name}_after", sizes)
    body.gives(after[0], "output", sizes)
    return body


def _gru(body: Graph, layer: Layer, share: str, state: list[str]) -> list[str]:
    (h,), units = state, units_of(layer)
    assert layer.hidden is not None, "it has recurrent weights"
    x, q = (_cut(body, part, units, (2, 1)) for part in (share, _sums(body, layer.hidden, h)))
    r, z = _cut(body, _curve(body, body.add("Add", x[0], q[0]), SIGMOID, 0.0), units, (1, 1))
    inner = body.add("Mul", r, body.add("Add", q[1], body.constant(layer.hidden_bias)))
    return [_mixed(body, z, _squashed(body, layer, body.add("Add", x[1], inner)), h)]


def _lstm(body: Graph, layer: Layer, share: str, state: list[str]) -> list[str]:
    (h, c), units = state, units_of(layer)
    assert layer.hidden is not None, "it has recurrent weights"
    i_f, g, o = _cut(body, body.add("Add", share, _sums(body, layer.hidden, h)), units, (2, 1, 1))
    gates = _curve(body, body.add("Concat", i_f, o, axis=-1), SIGMOID, 0.0)
    i, f, o = _cut(body, gates, units, (1, 1, 1))
    c = body.add("Add", body.add("Mul", f, c), body.add("Mul", i, _squashed(body, layer, g)))
    return [body.add("Mul", o, _squashed(body, layer, c)), c]


def _rnn(body: Graph, layer: Layer, share: str, state: list[str]) -> list[str]:
    assert layer.hidden is not None, "it has recurrent weights"
    return [_squashed(body, layer, body.add("Add", share, _sums(body, layer.hidden, state[0])))]


def _mingru(body: Graph, layer: Layer, share: str, state: list[str]) -> list[str]:
    z, n = _cut(body, share, units_of(layer), (1, 1))
    z = _curve(body, z, SIGMOID, 0.0)
    left = body.add("Mul", body.add("Sub", body.constant(1.0), z), state[0])
    return [body.add("Add", left, body.add("Mul", z, n))]


def _ligru(body: Graph, layer: Layer, share: str, state: list[str]) -> list[str]:
    (h,) = state
    assert layer.hidden is not None, "it has recurrent weights"
    z, n = _cut(body, body.add("Add", share, _sums(body, layer.hidden, h)), units_of(layer), (1, 1))
    return [_mixed(body, _curve(body, z, SIGMOID, 0.0), _squashed(body, layer, n), h)]


_CELLS = {"gru": _gru, "lstm": _lstm, "rnn": _rnn, "mingru": _mingru, "ligru": _ligru}


def _cut(body: Graph, x: str, units: int, parts: tuple[int, ...]) -> list[str]:
    """Parts of the last axis, each of so many gates."""
    sizes = body.constant([units * count for count in parts], np.int64)
    found: list[str] = body.add("Split", x, sizes, outputs=len(parts), axis=-1)
    return found


def _mixed(body: Graph, z: str, n: str, h: str) -> str:
    found: str = body.add("Add", body.add("Sub", n, body.add("Mul", z, n)), body.add("Mul", z, h))
    return found


def _squashed(body: Graph, layer: Layer, a: str) -> str:
    return str(body.add("Relu", a)) if layer.activation == "relu" else _curve(body, a, TANH, -1.0)


def _curve(body: Graph, a: str, curve: tuple[tuple[float, ...], tuple[float, ...], float], least: float) -> str:
    """A P(a²) / Q(a²) by Horner's rule, with a half added where it is never negative, held to what the curve may be."""
    p, q, limit = curve
    square = body.add("Min", body.add("Mul", a, a), body.constant(limit))
    above, below = (_polynomial(body, square, part) for part in (p, q))
    found = body.add("Mul", a, body.add("Div", above, below))
    if least == 0.0:
        found = body.add("Add", body.constant(0.5), found)
    held: str = body.add("Clip", found, body.constant(least), body.constant(1.0))
    return held


def _polynomial(body: Graph, s: str, factors: tuple[float, ...]) -> str:
    found = body.constant(factors[-1])
    for factor in reversed(factors[:-1]):
        found = body.add("Add", body.add("Mul", found, s), body.constant(factor))
    return found


def _whole(graph: Graph, lengths: str) -> str:
    found: str = graph.add("Unsqueeze", graph.add("Cast", lengths, to=_INT64), graph.constant([0], np.int64))
    return found
