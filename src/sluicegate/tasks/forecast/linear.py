"""The best linear forecast, in closed form: where the network's training starts from.

Trained step by step, the linear map of a forecaster takes most of the training; solved, it takes a second (Toner &
Darlow 2024, arXiv:2403.14587). The recurrent part then learns what is not linear.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
"""Penalties that are tried, as shares of the mean square of an input."""


def solve_ridge(
    inputs: Float[Tensor, "windows inputs"], outputs: Float[Tensor, "windows outputs"], ridge: float
) -> Float[Tensor, "outputs inputs"]:
    """The map with the least squared error, its weights held back by the penalty (Hoerl & Kennard 1970)."""
    gram = inputs.T @ inputs
    # A table of constants has no scale: any positive number then gives the zero map.
    penalty = ridge * gram.diagonal().mean().clamp(min=1e-12)
    gram.diagonal().add_(penalty)
    weights: Tensor = torch.linalg.solve(gram, inputs.T @ outputs)
    return weights.T


def best_ridge(
    training: tuple[Float[Tensor, "windows inputs"], Float[Tensor, "windows outputs"]],
    validation: tuple[Float[Tensor, "others inputs"], Float[Tensor, "others outputs"]],
) -> Float[Tensor, "outputs inputs"]:
    """The map of the penalty with the least absolute error on the validation windows; in double precision."""
    inputs, outputs = (part.double() for part in training)
    others, truth = (part.double() for part in validation)
    maps = [solve_ridge(inputs, outputs, ridge) for ridge in RIDGES]
    errors = [float((others @ weights.T - truth).abs().mean()) for weights in maps]
    return maps[errors.index(min(errors))]


def known_effects(
    known: Float[Tensor, "windows known window"],
    context: Float[Tensor, "windows context"],
    truth: Float[Tensor, "windows horizon"],
) -> Float[Tensor, " known"]:
    """What a step in each known column moves the target by, from how both move after the context."""
    size = context.shape[1]
    moves = known[..., size:] - known[..., size - 1 : size]
    inputs = moves.transpose(1, 2).flatten(0, 1).double()
    outputs = (truth - context[:, -1:]).reshape(-1, 1).double()
    return solve_ridge(inputs, outputs, 1e-3)[0]
