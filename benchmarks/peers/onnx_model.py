"""The problem as an ONNX model of a single node."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from peers.problem import Problem, reordered


def gru_model(problem: Problem) -> bytes:
    """A model that takes `x`, [time, batch, input], and gives `y`, [time, 1, batch, hidden]."""
    steps, batch, inputs = problem.x.shape
    bias = np.concatenate([reordered(problem.bias_ih), reordered(problem.bias_hh)])
    constants = {"W": reordered(problem.weight_ih), "R": reordered(problem.weight_hh), "B": bias}
    # linear_before_reset is PyTorch's form, in which the reset gate comes after the product.
    node = helper.make_node("GRU", ["x", *constants], ["y"], hidden_size=problem.hidden, linear_before_reset=1)
    graph = helper.make_graph(
        [node],
        "gru",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, batch, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [steps, 1, batch, problem.hidden])],
        [numpy_helper.from_array(value[None], name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
