"""Layers that read each step as it comes, with the scale before and the head behind them."""

from __future__ import annotations

import numpy as np

from sluicegate.export.layers import is_whole, units_of
from sluicegate.export.network import Member, Network

from .graph import Graph, standardised
from .layers import add_layer
from .whole import add_front


def add_member(graph: Graph, member: Member, x: str, prefix: str) -> str:
    """Add a stack of layers, whose states are inputs `h0_in` and so on and outputs `h0_out`.

    Args:
        graph: that it is added to.
        member: whose layers they are.
        x: `[time batch input]`.
        prefix: before the names of the states.

    Returns:
        The outputs of the last layer, `[time batch hidden]`.
    """
    for depth, layer in enumerate(member.layers):
        names = [f"{prefix}{part}{depth}" for part in ("hc" if layer.cell == "lstm" else "h")]
        sizes = ("batch", units_of(layer))
        axis = graph.constant([0], np.int64)
        state = [graph.add("Unsqueeze", graph.takes(f"{name}_in", sizes), axis) for name in names]
        x, after = add_layer(graph, layer, x, state)
        for name, found in zip(names, after, strict=True):
            graph.gives(graph.add("Squeeze", found, axis), f"{name}_out", sizes)
    return x


def add_map(graph: Graph, member: Member, x: str) -> str:
    """Add the map with relu before the layers of a member, of three axes; summed as the C does before whole numbers."""
    assert member.front is not None, "these have a front"
    if any(map(is_whole, member.layers)):
        return add_front(graph, member.front, x)
    product = graph.add("MatMul", x, graph.constant(member.front.input.weight.T))
    found: str = graph.add("Relu", graph.add("Add", product, graph.constant(member.front.bias)))
    return found


def write_plain(graph: Graph, network: Network) -> None:
    """Fill the graph: `x` and the states in, `y` and the states out."""
    (member,) = network.members
    x = graph.takes("x", ("batch", "time", len(network.inputs)))
    if network.mean is not None and network.unit is not None:
        x = standardised(graph, x, network.mean, network.unit)
    found = add_member(graph, member, graph.add("Transpose", x, perm=[1, 0, 2]), "")
    if member.weight is not None and member.bias is not None:
        product = graph.add("MatMul", found, graph.constant(member.weight.T))
        found = graph.add("Add", product, graph.constant(member.bias))
    graph.gives(graph.add("Transpose", found, perm=[1, 0, 2]), "y", ("batch", "time", len(network.outputs)))
