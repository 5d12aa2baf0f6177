"""The steps of one part of a model: its loss, its gradient, AdamW, and a moving average of its weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .adamw import AdamW


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Args:
        steps: optimizer steps at most.
        every: steps between two validation checks.
        patience: validation checks without a better one after which training stops.
        learning_rate: the highest rate of AdamW (Loshchilov & Hutter 2019).
        weight_decay: its decay.
        clip: the largest norm of the gradient of a part.
        average: the share that the moving average of the weights keeps at each step.
        min_delta: how far the validation loss must fall below the best one to be better.
        epoch: steps of an epoch, for whoever watches.
        warm_up: steps in which the rate rises: without them Adam's first steps are too long.
    """

    steps: int
    every: int
    patience: int
    learning_rate: float
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.99
    min_delta: float = 0.0
    epoch: int = 1
    warm_up: int = 50

    def rate(self, step: int) -> float:
        """The learning rate of a step: linear warm-up, and cosine decay to a hundredth."""
        falling = 0.505 + 0.495 * math.cos(math.pi * step / self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * falling

    def keep(self, step: int) -> float:
        """The decay of the moving average; small at first, or early validation checks would see random weights."""
        return min(self.average, (step + 1) / (step + 11))


class Part(NamedTuple):
    """A part of a model that has nothing to do with the others: its weights are its own.

    Args:
        model: the part.
        loss: given the step and a generator of its own, draws a batch and returns the mean loss. Where there are other
            parts, which are trained at the same time, all random numbers must come from that generator.
        validate: the mean loss over the validation part; None where nothing validates it, and it stops with the others.
    """

    model: nn.Module
    loss: Callable[[int, torch.Generator], Tensor]
    validate: Callable[[], float] | None


class PartOptimizer:
    """Trains a part, step by step.

    Args:
        part: what is trained.
        number: of the part.
        schedule: how fast.
        seed: with the numbers of step and part, the seed of all random numbers.
        average: the moving average of each of its weights.
        alone: whether there are no other parts, so that it may draw from PyTorch's own generator too.
    """

    def __init__(
        self,
        part: Part,
        number: int,
        schedule: Schedule,
        seed: int,
        average: dict[nn.Parameter, Tensor],
        *,
        alone: bool,
    ) -> None:
        self._part, self._number, self._schedule, self._seed = part, number, schedule, seed
        self.weights = list(part.model.parameters())
        self.adamw = AdamW(self.weights, weight_decay=schedule.weight_decay, fused=True)
        self._average = [average[weight] for weight in self.weights]
        # Of the processor alone: `torch.manual_seed` notes down the call stack for every other kind of device.
        self._generators = [torch.Generator(), *([torch.default_generator] if alone else [])]
        self._total = torch.zeros(())

    def step(self, step: int) -> None:
        """Take a step."""
        chance = _seed_of(self._seed, step, self._number)
        for generator in self._generators:
            generator.manual_seed(chance)
        self.adamw.zero_grad()
        loss = self._part.loss(step, self._generators[0])
        loss.backward()  # type: ignore[no-untyped-call]
        _clip(self.weights, self._schedule.clip)
        self.adamw.step(self._schedule.rate(step))
        torch._foreach_lerp_(self._average, [w.detach() for w in self.weights], 1 - self._schedule.keep(step))
        self._total += loss.detach()

    def loss(self) -> float:
        """The sum of the losses since this was asked last."""
        total, self._total = float(self._total), torch.zeros(())
        return total


def _seed_of(seed: int, step: int, part: int) -> int:
    """A seed for PyTorch's generator, which takes the lower 32 bits of one: the three numbers have to share these."""
    return int(np.random.SeedSequence((seed, step, part)).generate_state(1)[0])


def _clip(weights: list[nn.Parameter], largest: float) -> None:
    """Shorten the gradient to a norm; PyTorch's one function for it goes over all of it even where that is no use."""
    norm = nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None], foreach=True)
    if not float(norm) <= largest:
        nn.utils.clip_grads_with_norm_(weights, largest, norm, foreach=True)
