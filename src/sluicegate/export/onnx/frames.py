"""Causal networks of recordings, as `sluicegate.runtime.recordings.reading` computes them.

A chunk holds as many steps as some frames go on by, so that a frame ends at its first step and at every `stride`-th.
"""

from __future__ import annotations

import numpy as np

from sluicegate.export.network import Member, Network
from sluicegate.runtime.recordings.shape import Shape

from .graph import Graph, standardised
from .plain import add_map, add_member

_LARGEST = 1e6  # deviations from the mean


def write_frames(graph: Graph, network: Network) -> None:
    """Fill the graph: `x` and the states in, the probabilities of the classes after each step and the states out."""
    shape = network.shape
    assert shape is not None, "these have frames"
    x = graph.takes("x", ("batch", "time", shape.channels))
    before = graph.takes("frames_in", ("batch", 1))
    frames, count = _frames(graph, network, x, before)
    logits, after = "", before
    for number, member in enumerate(network.members):
        found, after = _logits(graph, shape, member, frames, before, f"m{number}_")
        logits = graph.add("Add", logits, found) if logits else found
    graph.gives(after, "frames_out", ("batch", 1))
    mean = graph.add("Cast", graph.add("Div", logits, graph.constant(float(shape.members))), to=11)
    shifted = graph.add("Add", mean, graph.constant(network.prior, np.float64))
    scaled = graph.add("Cast", graph.add("Div", shifted, graph.constant(network.temperature, np.float64)), to=1)
    graph.gives(
        _each_step(graph, shape, graph.add("Softmax", scaled, axis=-1), count), "y", ("batch", "time", shape.classes)
    )


def _frames(graph: Graph, network: Network, x: str, before: str) -> tuple[str, str]:
    """What the front layers look at, `[frames batch values]`, and how many steps there are."""
    shape = network.shape
    assert shape is not None, "these have frames"
    assert network.mean is not None, "these have a scale"
    assert network.unit is not None, "these have a scale"
    steps, features = 2 * shape.stride, 2 * shape.channels
    one, two = graph.constant([1], np.int64), graph.constant([2], np.int64)
    last = graph.takes("last_in", ("batch", shape.channels))
    first = graph.add("Slice", x, graph.constant([0], np.int64), one, one)
    begun = graph.add("Unsqueeze", graph.add("Greater", before, graph.constant(0.0)), two)
    earlier = graph.add("Where", begun, graph.add("Unsqueeze", last, one), first)
    end = graph.constant([2**31 - 1], np.int64)
    shifted = graph.add(
        "Concat",
        earlier,
        graph.add("Slice", x, graph.constant([0], np.int64), graph.constant([-1], np.int64), one),
        axis=1,
    )
    doubles = [graph.add("Cast", part, to=11) for part in (x, shifted)]
    seen = graph.add("Concat", doubles[0], graph.add("Sub", *doubles), axis=2)
    scaled = standardised(graph, seen, network.mean, network.unit)
    limits = graph.constant(-_LARGEST), graph.constant(_LARGEST)
    values = graph.add(
        "Concat", graph.takes("seen_in", ("batch", steps, features)), graph.add("Clip", scaled, *limits), axis=1
    )
    graph.gives(
        graph.add("Squeeze", graph.add("Slice", x, graph.constant([-1], np.int64), end, one), one),
        "last_out",
        ("batch", shape.channels),
    )
    graph.gives(
        graph.add("Slice", values, graph.constant([-steps], np.int64), end, one), "seen_out", ("batch", steps, features)
    )
    count = graph.add("Slice", graph.add("Shape", x), one, two)
    stride = graph.constant([shape.stride], np.int64)
    parts = []
    for step in range(steps + 1):
        at = graph.constant([step], np.int64)
        part = graph.add("Slice", values, at, graph.add("Add", at, count), one, stride)
        parts.append(graph.add("Unsqueeze", part, graph.constant([3], np.int64)))
    together = graph.add("Concat", *parts, axis=3)  # [batch frames features steps]
    flat = graph.add("Reshape", together, graph.constant([0, 0, -1], np.int64))
    return graph.add("Transpose", flat, perm=[1, 0, 2]), count


def _logits(graph: Graph, shape: Shape, member: Member, frames: str, before: str, prefix: str) -> tuple[str, str]:
    """The logits of a member after each frame, `[frames batch classes]`, and how many frames there were."""
    assert member.front is not None, "these have a front"
    assert member.weight is not None, "these have a head"
    read = add_map(graph, member, frames)
    hidden = add_member(graph, member, read, prefix)
    names = ("mean", "largest")
    sizes = ("batch", shape.hidden)
    state = [before, *(graph.takes(f"{prefix}{name}_in", sizes) for name in names)]
    *after, pooled = graph.add("Scan", *state, hidden, outputs=4, num_scan_inputs=1, body=_pool(graph, shape))
    for name, found in zip(names, after[1:], strict=True):
        graph.gives(found, f"{prefix}{name}_out", sizes)
    logits = graph.add("MatMul", pooled, graph.constant(member.weight.T))
    return graph.add("Add", logits, graph.constant(member.bias)), after[0]


def _pool(outer: Graph, shape: Shape) -> object:
    """A step of the running mean and the running maximum."""
    body, sizes = Graph(outer), ("batch", shape.hidden)
    before, mean, largest = body.takes("count", ("batch", 1)), body.takes("mean", sizes), body.takes("largest", sizes)
    now = body.takes("now", sizes)
    one, memory = body.constant(1.0), body.constant(float(shape.memory))
    frames = body.add("Add", before, one)
    off = body.add("Div", body.add("Sub", now, mean), body.add("Min", frames, memory))
    moved = body.add("Add", mean, off)
    sunk = body.add("Add", largest, body.add("Div", body.add("Sub", moved, largest), memory))
    held = body.add("Where", body.add("Greater", frames, memory), sunk, largest)
    top = body.add("Where", body.add("Greater", frames, one), body.add("Max", now, held), now)
    body.gives(frames, "count_after", ("batch", 1))
    body.gives(moved, "mean_after", sizes)
    body.gives(top, "largest_after", sizes)
    body.gives(body.add("Concat", now, moved, top, axis=-1), "pooled", ("batch", 3 * shape.hidden))
    return body.body()


def _each_step(graph: Graph, shape: Shape, answers: str, count: str) -> str:
    """Repeat the answer after each frame for the steps until the next one, `[batch time classes]`."""
    rows = graph.add("Transpose", answers, perm=[1, 0, 2])
    apart = graph.add("Unsqueeze", rows, graph.constant([2], np.int64))
    spread = graph.add("Expand", apart, graph.constant([1, 1, shape.stride, 1], np.int64))
    whole = graph.constant([0], np.int64), count, graph.constant([shape.classes], np.int64)
    found: str = graph.add("Reshape", spread, graph.add("Concat", *whole, axis=0))
    return found
