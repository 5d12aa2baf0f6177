"""The problems and their right answers, which PyTorch's own layers give in double precision."""

from __future__ import annotations

import numpy as np
import torch

from peers.problem import GATES, WEIGHTS, Case, Problem

LAYERS = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def pose(case: Case, cell: str) -> Problem:
    """A problem of this size, the same one at every call."""
    draw = np.random.default_rng(0)
    rows, bound = GATES[cell] * case.hidden, case.hidden**-0.5  # PyTorch's own initial weights
    shapes = ((rows, case.input), (rows, case.hidden), (rows,), (rows,))
    weights = {
        name: draw.uniform(-bound, bound, shape).astype(np.float32) for name, shape in zip(WEIGHTS, shapes, strict=True)
    }
    x = draw.normal(size=(case.steps, case.batch, case.input)).astype(np.float32)
    scale = draw.normal(size=(case.steps, case.batch, case.hidden)).astype(np.float32)
    layer = LAYERS[cell](case.input, case.hidden).double()
    with torch.no_grad():
        for parameter, weight in zip(layer.parameters(), weights.values(), strict=True):
            parameter.copy_(torch.from_numpy(weight))
    output, _ = layer(torch.from_numpy(x).double())
    gradients = torch.autograd.grad((output * torch.from_numpy(scale)).sum(), list(layer.parameters()))
    right = dict(zip(("output", *WEIGHTS), (output.detach().numpy(), *(g.numpy() for g in gradients)), strict=True))
    return Problem(cell=cell, x=x, scale=scale, **weights, right=right)
