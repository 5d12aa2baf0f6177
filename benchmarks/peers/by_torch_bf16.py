"""PyTorch's own layers under autocast to bfloat16; `by_sluicegate_bf16.py` computes with ours in just the same way."""

from __future__ import annotations

from typing import Any

import torch

from peers import by_torch
from peers.problem import Mode, Problem, Way

TOLERANCE = 0.1  # of numbers of 8 bits, to which PyTorch rounds sums and states too


class Peer(by_torch.Peer):
    """`torch.nn.GRU` and `torch.nn.LSTM`, with float32 weights and input."""

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """The same within autocast."""
        return {f"autocast, {name}": _within(way) for name, way in super().ways(problem, mode).items()}


def _within(way: Way) -> Way:
    def run() -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return way.run()

    return Way(run, lambda result: way.read(_as_floats(result)), TOLERANCE)


def _as_floats(result: Any) -> Any:
    return result.float() if isinstance(result, torch.Tensor) else tuple(map(_as_floats, result))
