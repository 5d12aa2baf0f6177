"""ONNX Runtime, for inference."""

from __future__ import annotations

import onnxruntime

from peers.onnx_model import gru_model
from peers.problem import Mode, Problem, Way


class Peer:
    """The GRU node of ONNX on the CPU, with all of the runtime's optimisations."""

    version = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, threads: int) -> None:
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """Input and output are bound to memory that is there already, so that nothing is copied."""
        assert mode == "forward"
        session = onnxruntime.InferenceSession(gru_model(problem), self.options, ["CPUExecutionProvider"])
        steps, batch, _ = problem.x.shape
        y = onnxruntime.OrtValue.ortvalue_from_shape_and_type([steps, 1, batch, problem.hidden], problem.x.dtype)
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(problem.x))
        binding.bind_ortvalue_output("y", y)
        return {
            "bound": Way(
                lambda: session.run_with_iobinding(binding),
                lambda _: {"output": y.numpy()[:, 0]},
            )
        }
