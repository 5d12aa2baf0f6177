"""What the motion is trained on: the likelihood of where objects are, now and later."""

from __future__ import annotations

import torch
from torch import Tensor

from sluicegate.training import Part

from .examples import Pieces
from .model import Motion

_LEAST_SCALE = -5.0  # logarithm of the scale, in sizes of the box
_VALIDATED_AT_ONCE = 512


class Objective:
    """Draws pieces of paths, and measures how likely the motion holds what came.

    Args:
        model: the motion.
        pieces: to train on.
        held_back: those that validate.
        batch: pieces in an optimiser step.
    """

    def __init__(self, model: Motion, pieces: Pieces, held_back: Pieces, batch: int) -> None:
        self._model, self._pieces, self._held_back, self._batch = model, pieces, held_back, batch

    def part(self) -> Part:
        """As the training loop takes it."""
        return Part(self._model, self._loss, self._validate)

    def _loss(self, step: int, generator: torch.Generator) -> Tensor:
        del step
        rows = torch.randint(len(self._pieces), (self._batch,), generator=generator)
        return likelihood(self._model, self._pieces.take(rows))

    def _validate(self) -> float:
        parts = torch.split(torch.arange(len(self._held_back)), _VALIDATED_AT_ONCE)
        total = sum(float(likelihood(self._model, self._held_back.take(rows))) * len(rows) for rows in parts)
        return total / len(self._held_back)


def likelihood(model: Motion, pieces: Pieces) -> Tensor:
    """The mean negative logarithm of the likelihood, with an error of Laplace's distribution on each side."""
    expected, scales = model(pieces.steps, pieces.ahead)
    scales = scales.clamp(min=_LEAST_SCALE)
    losses = (pieces.truth - expected).abs() * torch.exp(-scales) + scales
    weight = pieces.weight[..., None]
    found: Tensor = (losses * weight).sum() / (4 * weight.sum()).clamp(min=1.0)
    return found
