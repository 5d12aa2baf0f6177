"""What the network is trained on, and how far what it learnt holds on the validation windows."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sluicegate.data import Windows

from .batches import Batch, Numbers, PreparedWindows
from .linear import best_ridge, known_effects
from .model import SegmentForecaster, loss
from .splitting import VALIDATED

_DOUBTED = 3  # windows apart that are taken to say that the linear forecast is right
_SOLVED = 20_000  # windows from which the linear start is solved

Sample: TypeAlias = tuple[Batch, Float[Tensor, "windows horizon"], Float[Tensor, "windows horizon"]]
"""Windows, their truth, and this as the quantiles are learnt from it."""


class Objective:
    """Draws training batches and measures the loss of windows; windows and targets are numbered together."""

    def __init__(self, prepared: PreparedWindows, windows: Windows, targets: int, quantiles: Tensor) -> None:
        self._prepared, self._windows, self._targets, self._quantiles = prepared, windows, targets, quantiles

    def loss(self, model: SegmentForecaster, size: int, generator: torch.Generator) -> Tensor:
        """The loss of a random batch of training windows."""
        total = len(self._windows) * self._targets
        numbers = torch.randint(total, (size,), generator=generator).numpy()
        return self._loss_of(model, self._windows, numbers, generator)

    def validate(self, model: SegmentForecaster, windows: Windows) -> float:
        """The mean loss of windows, thinned evenly where there are many."""
        numbers = self._numbers(windows, VALIDATED)
        parts = np.array_split(numbers, -(-len(numbers) // 1024))
        generator = torch.Generator().manual_seed(0)
        return sum(float(self._loss_of(model, windows, part, generator)) * len(part) for part in parts) / len(numbers)

    @torch.no_grad()
    def solve(self, model: SegmentForecaster, held_back: Windows) -> Float[Tensor, "horizon context"]:
        """Set the linear part of the model to its solution in closed form, and the quantiles to its residuals'.

        Returns:
            The linear map.
        """
        batch, truth, _ = self._evenly(self._windows, _SOLVED)
        others, other_truth, spread = self._evenly(held_back, VALIDATED)
        if model.shape.known:
            model.effect.copy_(known_effects(batch.known, batch.context, truth))
        parts = []
        for inputs, outputs in ((batch, truth), (others, other_truth)):
            z, level = model.without_level(inputs.context, inputs.known)
            parts.append((z, outputs - level))
        model.shortcut.copy_(best_ridge(*parts))
        # Of every tenth value or so: quantiles need no more.
        residuals = spread - other_truth + parts[1][1] - parts[1][0] @ model.shortcut.T
        residuals = residuals.flatten()[:: max(1, residuals.numel() // 100_000)]
        model.head.bias.view(-1, model.shape.outputs)[:, 1:] = torch.quantile(residuals, self._quantiles)
        return model.shortcut.detach().clone()

    @torch.no_grad()
    def share(self, model: SegmentForecaster, held_back: Windows, start: Float[Tensor, "horizon context"]) -> float:
        """How much of what training added to the linear forecast holds on the validation windows, from 0 to 1.

        The share with the least squared error: 1 where the network is right about what the linear map left over, 0
        where it is not, as on a short table that it learnt by heart. On two earlier splits of ETTh1 this took the mean
        squared error on the rows that followed from 1.34 to 1.29 (336 ahead) and from 0.86 to 0.84 (96 ahead).

        Windows that overlap say the same thing many times: where few lie apart, the share is drawn towards 0, as if
        three more windows had said that the linear forecast is right.
        """
        batch, truth, _ = self._evenly(held_back, VALIDATED)
        z, level = model.without_level(batch.context, batch.known)
        linear = z @ start.T + level
        added = (
            torch.cat([model(*part)[..., 0] for part in zip(*(torch.split(t, 1024) for t in batch), strict=True)])
            - linear
        )
        size = float(added.square().sum())
        share = min(1.0, max(0.0, float((added * (truth - linear)).sum()) / size)) if size > 0 else 1.0
        windows = float(held_back.apart(model.shape.horizon).sum())
        return share * windows / (windows + _DOUBTED)

    def _numbers(self, windows: Windows, most: int) -> Numbers:
        """The numbers of windows evenly spread over all."""
        total = len(windows) * self._targets
        return np.linspace(0, total - 1, min(total, most)).astype(np.int64)

    def _evenly(self, windows: Windows, most: int) -> Sample:
        return self._sample(windows, self._numbers(windows, most), torch.Generator().manual_seed(0))

    def _sample(self, windows: Windows, numbers: Numbers, generator: torch.Generator) -> Sample:
        series, origins = windows.locate(numbers // self._targets)
        target = numbers % self._targets
        batch, truth = self._prepared.batch(series, origins, target)
        return batch, truth, self._prepared.spread_out(truth, series, target, generator)

    def _loss_of(
        self, model: SegmentForecaster, windows: Windows, numbers: Numbers, generator: torch.Generator
    ) -> Tensor:
        batch, truth, spread = self._sample(windows, numbers, generator)
        return loss(model(*batch), truth, spread, self._quantiles)
