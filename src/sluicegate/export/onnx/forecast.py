"""A forecaster of one series, as `sluicegate.runtime.forecast` computes it, in doubles where that does.

Rows that were read are the state: a chunk of them goes in, and out comes the forecast that follows its last row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sluicegate.export.forecast import Forecast
from sluicegate.export.layers import units_of
from sluicegate.export.network import Member, Network
from sluicegate.ops.quantized_reference import Layer

from .answers import answers
from .calendar import calendar
from .graph import Graph, standardised
from .layers import add_layer
from .plain import add_map
from .windows import Scaled, Window, picked, scaled_by_own_rows


def write_forecast(graph: Graph, network: Network) -> None:
    """Fill the graph: rows `x`, what is known in `ahead` and the rows before in; the forecast and the rows kept out."""
    forecast, (member,) = network.forecast, network.members
    assert forecast is not None, "these forecast"
    trained, shape = forecast.trained, forecast.trained.shape
    columns, targets = len(trained.columns), len(trained.targets)
    x = graph.takes("x", ("batch", "time", columns))
    window = Window.read(graph, x, shape.context, columns, trained.season)
    others = _others(graph, forecast, window)
    seen = None
    if trained.periods:
        seen = calendar(graph, forecast, window.total)
    found = []
    for target in range(targets):
        scaled = scaled_by_own_rows(graph, forecast, window, target)
        outputs = _network(graph, forecast, member, scaled, others, seen)
        found.append(answers(graph, forecast, target, scaled, outputs))
    y = found[0] if targets == 1 else graph.add("Concat", *found, axis=1)
    graph.gives(y, "y", ("batch", targets, shape.horizon, shape.outputs))


class Others(NamedTuple):
    """The columns beside the targets on the scale of training: the names of floats `[batch rows columns]`."""

    past: str | None
    known: str | None


def _others(graph: Graph, forecast: Forecast, window: Window) -> Others:
    trained, shape = forecast.trained, forecast.trained.shape
    mean, deviation = trained.covariate_scale
    unit, first = np.where(deviation > 0, deviation, 1.0), len(trained.targets)
    past = known = None
    if shape.past:
        own = slice(0, shape.past)
        past = standardised(graph, picked(graph, window.rows, 2, first, first + shape.past), mean[own], unit[own])
    if shape.known:
        own, begin = slice(shape.past, None), first + shape.past
        ahead = graph.takes("ahead", ("batch", shape.known, shape.horizon))
        both = picked(graph, window.rows, 2, begin, begin + shape.known), graph.add("Transpose", ahead, perm=[0, 2, 1])
        known = standardised(graph, graph.add("Concat", *both, axis=1), mean[own], unit[own])
    return Others(past, known)


def _network(graph: Graph, forecast: Forecast, member: Member, scaled: Scaled, others: Others, seen: str | None) -> str:
    """The standardised outputs of each row ahead, floats `[batch horizon parts]`."""
    shape = forecast.trained.shape
    last = picked(graph, scaled.context, 1, shape.context - 1, shape.context)
    z, level = graph.add("Sub", scaled.context, last), last
    if others.known is not None:
        off = graph.add("Sub", others.known, picked(graph, others.known, 1, shape.context - 1, shape.context))
        effect = graph.add(
            "Squeeze", graph.add("MatMul", off, graph.constant(forecast.effect[:, None])), graph.constant([2], np.int64)
        )
        z = graph.add("Sub", z, picked(graph, effect, 1, 0, shape.context))
        level = graph.add("Add", last, picked(graph, effect, 1, shape.context, shape.context + shape.horizon))
    state = _read(graph, forecast, member, (z, others, seen), scaled.padded)
    decoded = _decoded(graph, forecast, member, others, seen, state)
    assert member.weight is not None, "it has a head"
    head = graph.add("Add", graph.add("MatMul", decoded, graph.constant(member.weight.T)), graph.constant(member.bias))
    each = graph.add("Reshape", head, graph.constant([0, -1, shape.outputs], np.int64))
    line = graph.add("Add", graph.add("MatMul", z, graph.constant(forecast.shortcut.T)), level)
    apart = graph.add("Unsqueeze", line, graph.constant([2], np.int64))
    found: str = graph.add("Add", picked(graph, each, 1, 0, shape.horizon), apart)
    return found


def _read(
    graph: Graph, forecast: Forecast, member: Member, given: tuple[str, Others, str | None], padded: str
) -> list[list[str]]:
    """The states of the layers after the segments, begun at the first of each window that holds a row."""
    shape, (z, others, seen) = forecast.trained.shape, given
    assert member.front is not None, "it embeds segments"
    columns = [graph.add("Unsqueeze", z, graph.constant([2], np.int64))]
    columns += [others.past] if others.past is not None else []
    columns += [] if others.known is None else [picked(graph, others.known, 1, 0, shape.context)]
    lacking = shape.before * shape.segment - shape.context
    values = _segments(graph, columns, (lacking, 0), shape.segment, shape.before)
    if seen is not None:
        values = graph.add("Concat", values, picked(graph, seen, 1, 0, shape.before), axis=2)
    embedded = add_map(graph, member, values)
    # Those before the first row go behind the others, where no row is as long.
    skipped = graph.add(
        "Div", graph.add("Add", padded, graph.constant(lacking, np.int64)), graph.constant(shape.segment, np.int64)
    )
    none = graph.constant(0, np.int64)
    skipped = graph.add("Where", graph.add("Greater", padded, none), skipped, none)  # [batch 1]
    order = graph.add(
        "Mod",
        graph.add("Add", skipped, graph.constant(np.arange(shape.before)[None], np.int64)),
        graph.constant(shape.before, np.int64),
    )
    whole = graph.constant([1, 1, shape.hidden], np.int64)
    places = graph.add("Expand", graph.add("Unsqueeze", order, graph.constant([2], np.int64)), whole)
    rolled = graph.add("GatherElements", embedded, places, axis=1)
    lengths = graph.add("Cast", graph.add("Sub", graph.constant(shape.before, np.int64), skipped), to=6)
    lengths = graph.add("Squeeze", lengths, graph.constant([1], np.int64))
    x, zeros = graph.add("Transpose", rolled, perm=[1, 0, 2]), _zeros(graph, embedded, shape.hidden)
    states = []
    for layer in member.layers:
        x, after = add_layer(graph, layer, x, [zeros] * _parts(layer), lengths)
        states.append(after)
    return states


def _decoded(
    graph: Graph, forecast: Forecast, member: Member, others: Others, seen: str | None, states: list[list[str]]
) -> str:
    """One step of the layers from the same state for each segment ahead, `[batch after hidden]`."""
    shape = forecast.trained.shape
    wide = [shape.after, shape.hidden]
    query = graph.constant(forecast.place[None])
    if forecast.query is not None:
        asked = []
        if others.known is not None:
            own = [picked(graph, others.known, 1, shape.context, shape.context + shape.horizon)]
            beyond = shape.after * shape.segment - shape.horizon
            asked.append(_segments(graph, own, (0, beyond), shape.segment, shape.after))
        if seen is not None:
            asked.append(picked(graph, seen, 1, shape.before, shape.before + shape.after))
        given = asked[0] if len(asked) == 1 else graph.add("Concat", *asked, axis=2)
        query = graph.add("Add", query, graph.add("MatMul", given, graph.constant(forecast.query.T)))
    rows = graph.add("Shape", states[0][0], start=1, end=2)
    sizes = graph.add("Concat", rows, graph.constant(wide, np.int64), axis=0)
    flat = graph.constant([1, -1, shape.hidden], np.int64)
    x = graph.add("Reshape", graph.add("Expand", query, sizes), flat)
    for layer, state in zip(member.layers, states, strict=True):
        apart = [graph.add("Reshape", part, graph.constant([-1, 1, shape.hidden], np.int64)) for part in state]
        repeated = [graph.add("Reshape", graph.add("Expand", part, sizes), flat) for part in apart]
        x, _ = add_layer(graph, layer, x, repeated)
    found: str = graph.add("Reshape", x, graph.constant([-1, *wide], np.int64))
    return found


def _segments(graph: Graph, columns: list[str], beyond: tuple[int, int], size: int, count: int) -> str:
    """Cut `[batch rows columns]`, filled up with zeros, into segments, each with all of its columns side by side."""
    values = columns[0] if len(columns) == 1 else graph.add("Concat", *columns, axis=2)
    if any(beyond):
        values = graph.add("Pad", values, graph.constant([0, beyond[0], 0, 0, beyond[1], 0], np.int64))
    apart = graph.add("Transpose", values, perm=[0, 2, 1])
    cut = graph.add("Reshape", apart, graph.constant([0, 0, count, size], np.int64))
    together = graph.add("Transpose", cut, perm=[0, 2, 1, 3])
    found: str = graph.add("Reshape", together, graph.constant([0, 0, -1], np.int64))
    return found


def _zeros(graph: Graph, x: str, hidden: int) -> str:
    """A state of zeros, `[1 batch hidden]`, of as many rows as `x` has."""
    rows = graph.add("Shape", x, start=0, end=1)
    whole = graph.constant([1], np.int64), rows, graph.constant([hidden], np.int64)
    found: str = graph.add("Expand", graph.constant(0.0), graph.add("Concat", *whole, axis=0))
    return found


def _parts(layer: Layer) -> int:
    assert units_of(layer), "a layer has units"
    return 2 if layer.cell == "lstm" else 1
