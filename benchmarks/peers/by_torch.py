"""PyTorch's own layers; `by_sluicegate.py` computes with ours in just the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from peers.problem import WEIGHTS, Array, Mode, Problem, Way


class Peer:
    """`torch.nn.GRU` and `torch.nn.LSTM`."""

    version = f"torch {torch.__version__}"
    layers: Any = torch.nn  # where GRU and LSTM are

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """The layer under `inference_mode`, or with autograd."""
        kind = getattr(self.layers, problem.cell.upper())
        layer: torch.nn.Module = kind(problem.x.shape[2], problem.hidden)
        weights = list(layer.parameters())
        with torch.no_grad():
            for weight, name in zip(weights, WEIGHTS, strict=True):
                weight.copy_(torch.from_numpy(getattr(problem, name)))
        x, scale = torch.from_numpy(problem.x), torch.from_numpy(problem.scale)

        def forward() -> Tensor:
            with torch.inference_mode():
                output: Tensor = layer(x)[0]
            return output

        def training() -> tuple[Tensor, ...]:
            # Between two steps an optimiser changes the weights, so nothing may be kept that was made from them. An
            # empty change in place says so at no cost.
            with torch.no_grad():
                for weight in weights:
                    weight[:0].zero_()
            return torch.autograd.grad((layer(x)[0] * scale).sum(), weights)

        if mode == "forward":
            return {"inference_mode": Way(forward, lambda output: {"output": np.asarray(output)})}
        return {"autograd": Way(training, _gradients)}


def _gradients(gradients: tuple[Tensor, ...]) -> dict[str, Array]:
    return dict(zip(WEIGHTS, map(np.asarray, gradients), strict=True))
