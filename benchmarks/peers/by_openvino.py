"""OpenVINO, for inference."""

from __future__ import annotations

import openvino

from peers.onnx_model import gru_model
from peers.problem import Mode, Problem, Way


class Peer:
    """The same ONNX model as ONNX Runtime's, compiled for latency on the CPU."""

    version = f"openvino {openvino.__version__.partition('-')[0]}"

    def __init__(self, threads: int) -> None:
        self.core = openvino.Core()
        self.options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",  # or it would compute in bf16 where the processor can
        }

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """One request, again and again, which shares the input's memory and its own output's."""
        assert mode == "forward"
        compiled = self.core.compile_model(self.core.read_model(gru_model(problem)), "CPU", self.options)
        request = compiled.create_infer_request()
        return {
            "one request": Way(
                lambda: request.infer([problem.x], share_inputs=True, share_outputs=True),
                lambda results: {"output": results[0][:, 0]},
            )
        }
