"""The training loop: AdamW, a moving average of the weights, early stopping, and checkpoints that survive a kill.

Every step draws its batch and its dropout from a generator seeded with (seed, step) alone, so that the state of
training is the step's number and the tensors: a run that was killed and resumed ends with the very same bits.
The loop is plain PyTorch: for a model of a few hundred thousand weights a framework's loop would cost a good part
of the step (`benchmarks/training_loop.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sluicegate.errors import DataError

from .checkpoint import Checkpoint, Curve
from .progress import progress_bar
from .watching import note_cost

_WARM_UP = 50  # steps over which the learning rate rises; without it Adam's first steps are too long


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Args:
        steps: optimiser steps at most.
        every: steps between two looks at the validation part.
        patience: looks without a better one after which training stops.
        learning_rate: the highest rate of AdamW (Loshchilov & Hutter 2019).
        weight_decay: its decay.
        clip: the largest norm of the gradient.
        average: the share that the moving average of the weights keeps at each step.
        epoch: steps in which the training rows go by once, for whoever watches.
    """

    steps: int
    every: int
    patience: int
    learning_rate: float
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.99
    epoch: int = 1

    def rate(self, step: int) -> float:
        """The learning rate of a step: a short rise, then half a cosine down to a hundredth."""
        falling = 0.505 + 0.495 * math.cos(math.pi * step / self.steps)
        return self.learning_rate * min(1.0, (step + 1) / _WARM_UP) * falling


def train(
    model: nn.Module,
    loss: Callable[[int, torch.Generator], Tensor],
    validate: Callable[[], float],
    schedule: Schedule,
    *,
    seed: int,
    fingerprint: str = "",
    checkpoint: Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
) -> Curve:
    """Train a model in place; it ends with the averaged weights that did best on the validation part.

    Args:
        model: what to train.
        loss: given the step and a generator of its own, draws a batch and returns the mean loss.
        validate: the mean loss over the validation part.
        schedule: how long and how fast.
        seed: with the step's number, the source of all chance.
        fingerprint: names the data and the settings; a checkpoint with another one is not resumed.
        checkpoint: a file to keep the state in, written at every look at the validation part.
        resume: go on from that file where it is there.
        progress: show a progress bar; None shows it on a terminal.

    Raises:
        DataError: the loss is no longer a number.
        ConfigError: the checkpoint belongs to other data or settings.
    """
    weights = dict(model.named_parameters())
    optimiser = torch.optim.AdamW(
        weights.values(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    state = Checkpoint.start(weights)
    if resume and checkpoint is not None and checkpoint.exists():
        state = Checkpoint.read(checkpoint, weights, optimiser, fingerprint)
    draw = torch.Generator()
    begun, first_step = time.perf_counter(), state.step
    with progress_bar("training", schedule.steps, progress) as report, torch.random.fork_rng(devices=[]):
        while state.step < schedule.steps and state.waited < schedule.patience:
            model.train()
            total = torch.zeros(())
            until = min(state.step + schedule.every, schedule.steps)
            first = state.step
            for step in range(first, until):
                chance = _seed_of(seed, step)
                draw.manual_seed(chance)
                # Of the processor alone: `torch.manual_seed` notes down the call stack for every other kind of device.
                torch.default_generator.manual_seed(chance)
                for group in optimiser.param_groups:
                    group["lr"] = schedule.rate(step)
                optimiser.zero_grad()
                value = loss(step, draw)
                value.backward()  # type: ignore[no-untyped-call]
                _clip(list(weights.values()), schedule.clip)
                optimiser.step()
                # The average forgets its start at first, so that early looks are not at random weights.
                keep = min(schedule.average, (step + 1) / (step + 11))
                torch._foreach_lerp_(list(state.average.values()), [w.detach() for w in weights.values()], 1 - keep)
                total += value.detach()
                report(step + 1)
            state.step = until
            _look(model, weights, state, validate, float(total) / (until - first))
            report(until, f"validation loss {state.curve.validation[-1]:.4f}")
            if checkpoint is not None:
                state.write(checkpoint, weights, optimiser, fingerprint)
    note_cost(time.perf_counter() - begun, state.step - first_step, schedule.epoch)
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(state.best[name])
    model.eval()
    return state.curve


def _seed_of(seed: int, step: int) -> int:
    """A seed for PyTorch's generator, which takes the lower 32 bits of one: the two numbers have to share these."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])


def _clip(weights: list[nn.Parameter], largest: float) -> None:
    """Shorten the gradient to a norm; PyTorch's one function for it goes over all of it even where that is no use."""
    norm = nn.utils.get_total_norm([w.grad for w in weights if w.grad is not None], foreach=True)
    if not float(norm) <= largest:
        nn.utils.clip_grads_with_norm_(weights, largest, norm, foreach=True)


def _look(
    model: nn.Module, weights: dict[str, nn.Parameter], state: Checkpoint, validate: Callable[[], float], loss: float
) -> None:
    """Validate with the averaged weights, and keep them where they are the best so far."""
    model.eval()
    with torch.no_grad():
        current = {name: weight.detach().clone() for name, weight in weights.items()}
        for name, weight in weights.items():
            weight.copy_(state.average[name])
        value = validate()
        for name, weight in weights.items():
            weight.copy_(current[name])
    if not (math.isfinite(value) and math.isfinite(loss)):
        raise DataError(
            f"training lost its way after {state.step} steps (loss {loss}, validation {value}): "
            "look for outliers in the table, or lower `learning_rate`"
        )
    state.curve.steps.append(state.step)
    state.curve.training.append(loss)
    state.curve.validation.append(value)
    if value < state.best_loss:
        state.best_loss, state.waited = value, 0
        state.best = {name: tensor.clone() for name, tensor in state.average.items()}
    else:
        state.waited += 1
