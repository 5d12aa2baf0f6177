"""The training loop: AdamW, a moving average of the weights, early stopping, and checkpoints that survive a kill.

Every step draws its batch and its dropout from a generator seeded with (seed, step, part) alone, so that the state of
training is the step's number and the tensors: a run that was killed and resumed ends with the very same bits.
The loop is plain PyTorch: for a model of a few hundred thousand weights a framework's loop would cost a good part
of the step (`benchmarks/training_loop.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sluicegate.errors import DataError

from .checkpoint import Checkpoint, Curve, Moments
from .cost import note_cost
from .optimizer import Part, PartOptimizer, Schedule
from .progress import progress_bar
from .sharing import sharing_processors
from .workers import Workers


def train(
    model: nn.Module,
    parts: Sequence[Part],
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
        parts: what it is made of, one or several, which are trained side by side; its loss is the mean of theirs. One
            of them at least must be validated.
        schedule: how long and how fast.
        seed: with the numbers of step and part, the seed of all random numbers.
        fingerprint: names the data and the settings; a checkpoint with another one is not resumed.
        checkpoint: a file to keep the state in, written at every validation check.
        resume: go on from that file where it is there.
        progress: show a progress bar; None shows it on a terminal.

    Raises:
        DataError: the loss is no longer a number.
        ConfigError: the checkpoint belongs to other data or settings.
    """
    weights = dict(model.named_parameters())
    state_names = model.state_dict().keys()
    # Such as the running ones of a LiGRU. Buffers that are no part of the state are made anew, and never change.
    statistics = {name: buffer for name, buffer in model.named_buffers() if name in state_names}
    state = Checkpoint.start(weights, statistics)
    moments: Moments = {}
    if resume and checkpoint is not None and checkpoint.exists():
        state, moments = Checkpoint.read(checkpoint, weights, statistics, fingerprint)
    average = {weight: state.average[name] for name, weight in weights.items()}
    optimizers = [
        PartOptimizer(part, number, schedule, seed, average, alone=len(parts) == 1) for number, part in enumerate(parts)
    ]
    kept = {weight: optimizer.adamw.moments for optimizer in optimizers for weight in optimizer.weights}
    for name, own in moments.items():
        kept[weights[name]][weights[name]] = own
    begun, first_step = time.perf_counter(), state.step
    with (
        progress_bar("training", schedule.steps, progress) as report,
        torch.random.fork_rng(devices=[]),
        sharing_processors(),
        Workers(len(parts)) as workers,
    ):

        def take_step(optimizer: PartOptimizer, step: int) -> None:
            optimizer.step(step)
            if optimizer is optimizers[0]:
                report(step + 1)

        while state.step < schedule.steps and state.waited < schedule.patience:
            model.train()
            until = min(state.step + schedule.every, schedule.steps)
            workers.rounds(take_step, optimizers, range(state.step, until))
            loss = float(np.mean([optimizer.loss() for optimizer in optimizers])) / (until - state.step)
            state.step = until
            validate = partial(_mean_validated, workers, [part.validate for part in parts if part.validate])
            _check(model, weights, statistics, state, validate, loss, schedule.min_delta)
            report(until, f"validation loss {state.curve.validation[-1]:.4f}")
            if checkpoint is not None:
                moments = {name: kept[weight].get(weight, {}) for name, weight in weights.items()}
                state.write(checkpoint, weights, statistics, moments, fingerprint)
    note_cost(time.perf_counter() - begun, state.step - first_step, schedule.epoch)
    with torch.no_grad():
        for name, tensor in (weights | statistics).items():
            tensor.copy_(state.best[name])
    model.eval()
    return state.curve


def _mean_validated(workers: Workers, validations: Sequence[Callable[[], float]]) -> float:
    return float(np.mean(workers.map(_validated, validations)))


def _validated(validate: Callable[[], float]) -> float:
    return validate()


def _check(
    model: nn.Module,
    weights: dict[str, nn.Parameter],
    statistics: dict[str, Tensor],
    state: Checkpoint,
    validate: Callable[[], float],
    loss: float,
    min_delta: float,
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
    if value < state.best_loss - min_delta:
        state.best_loss, state.waited = value, 0
        state.best = {name: tensor.clone() for name, tensor in (state.average | statistics).items()}
    else:
        state.waited += 1
