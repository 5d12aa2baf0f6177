"""A graph of ONNX as it grows, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from sluicegate.errors import MissingExtra

OPSET = 17
"""Of ONNX's operators: the newest that ONNX Runtime of 2022 knows."""


class Graph:
    """Nodes, their constants, and what goes in and comes out.

    Args:
        outer: the graph whose constants a body shares; None is none.

    Raises:
        MissingExtra: the package `onnx` is not installed.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingExtra("onnx", "onnx", "writing ONNX files") from error
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._constants: list[Any] = [] if outer is None else outer._constants
        self._outer = outer
        self._count = 0

    def constant(self, array: Any, kind: Any = np.float32) -> str:
        """Put an array down, and give its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(array, kind), name))
        return name

    def add(self, operator: str, *given: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node, and give the name of what it computes, or the names of several."""
        names = [self._name(operator) for _ in range(outputs)]
        self.nodes.append(self._onnx.helper.make_node(operator, list(given), names, **attributes))
        return names[0] if outputs == 1 else names

    def call(self, operator: str, given: Sequence[str], names: Sequence[str], **attributes: Any) -> None:
        """Add a node whose outputs have these names."""
        self.nodes.append(self._onnx.helper.make_node(operator, list(given), list(names), **attributes))

    def takes(self, name: str, sizes: Sequence[int | str]) -> str:
        """Declare an input of 32-bit floats."""
        self.inputs.append(self._value(name, sizes))
        return name

    def gives(self, found: str, name: str, sizes: Sequence[int | str]) -> None:
        """Declare an output of 32-bit floats."""
        self.call("Identity", [found], [name])
        self.outputs.append(self._value(name, sizes))

    def body(self) -> Any:
        """The graph as the body of a node of another."""
        return self._onnx.helper.make_graph(self.nodes, "body", self.inputs, self.outputs)

    def model(self, about: dict[str, str]) -> bytes:
        """The file."""
        helper = self._onnx.helper
        graph = helper.make_graph(self.nodes, "model", self.inputs, self.outputs, self._constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        made.producer_name = "sluicegate"
        helper.set_model_props(made, about)
        self._onnx.checker.check_model(made)
        content: bytes = made.SerializeToString()
        return content

    def _value(self, name: str, sizes: Sequence[int | str]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self._onnx.TensorProto.FLOAT, list(sizes))

    def _name(self, operator: str) -> str:
        self._count += 1
        return f"{'body_' if self._outer else ''}{operator.lower()}_{self._count}"


def standardised(graph: Graph, x: str, mean: ndarray, unit: ndarray) -> str:
    """Add what puts numbers on the scale of training, in double precision."""
    double = graph.add("Cast", x, to=11)
    centred = graph.add("Sub", double, graph.constant(mean, np.float64))
    found: str = graph.add("Cast", graph.add("Div", centred, graph.constant(unit, np.float64)), to=1)
    return found
