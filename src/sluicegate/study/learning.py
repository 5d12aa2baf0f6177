"""How the networks learn here: Adam, clipped gradients, and short sequences before long ones.

A gate that has learnt on a hundred steps to keep what it holds needs little to keep it for two hundred, while on two
hundred it would first have to find out that there is anything to keep. Each length is trained on until the loss is
small, then the next one comes, twice as long. What counts is what the network does at the length that was asked for, on
sequences that it has never seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from .network import Network
from .problems import Problem

FRESH = 500
"""Sequences that a figure is taken on."""

_FEWEST = 10  # steps at a length, before its mean loss says anything


class Recipe(NamedTuple):
    """How to train."""

    rate: float = 3e-3
    """The learning rate of Adam."""
    rows: int = 32
    """Sequences in a step."""
    start: int | None = 50
    """The length to begin with, to be doubled until that asked for is reached; None for the latter at once."""
    clip: float = 1.0
    """The largest norm of the gradient."""
    cool: bool = True
    """Whether the rate falls with the root of the loss, once that is below its mark: to a twentieth at most."""


class Outcome(NamedTuple):
    """What training at one length came to."""

    length: int
    solved: bool
    figure: float
    """The problem's, on fresh sequences of that length."""
    sequences: int
    """Trained on so far, on the shorter ones too."""
    steps: int
    """Steps of the optimiser so far."""
    seconds: float
    """So far, by the clock on the wall."""
    processor: float
    """Seconds so far of the processor's time, which says more on a machine with other work to do."""


def lengths(asked: int, start: int | None) -> Iterator[int]:
    """The lengths to train on, one after the other.

    Example:
        >>> list(lengths(1000, 200))
        [200, 400, 800, 1000]
    """
    length = asked if start is None else min(start, asked)
    while length < asked:
        yield length
        length = min(2 * length, asked)
    yield asked


def fresh_figure(network: Network, problem: Problem, length: int, seed: int, rows: int = FRESH) -> float:
    """The problem's figure on sequences of their own seed, 100 at a time."""
    draw = torch.Generator().manual_seed(1_000_003 + seed)
    parts: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        for begin in range(0, rows, 100):
            x, answers = problem.draw(length, min(100, rows - begin), draw)
            parts.append((network(x, problem.answers), answers))
    return problem.figure(torch.cat([outputs for outputs, _ in parts], 1), torch.cat([a for _, a in parts], 1))


class Learner:
    """A network in training on one problem, at one length after the other.

    Args:
        network: What to train, in place.
        problem: On what.
        recipe: How.
        seed: Of the sequences.
    """

    def __init__(self, network: Network, problem: Problem, recipe: Recipe, seed: int) -> None:
        self.network, self.problem, self.recipe, self.seed = network, problem, recipe, seed
        self.draw = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate, fused=True)
        self.sequences = self.steps = 0
        self.mean = 1.0  # of the losses
        # Two draws of sequences to validate on, apart from those that the outcome is taken on: one may pass by luck.
        self._others = (seed + 7919, seed + 15838)
        self.begun, self.begun_processor = time.perf_counter(), time.process_time()

    def learn(self, length: int, budget: float) -> Outcome:
        """Train until the problem is solved at a length, or the budget is spent.

        Args:
            length: Steps of the sequences.
            budget: Seconds of the processor's time from now.
        """
        end, tried = time.process_time() + budget, 0
        for stage in lengths(length, self.recipe.start if self.steps == 0 else None):
            if not self._until(stage, end, last=stage == length):
                break
        figure = fresh_figure(self.network, self.problem, length, self.seed)
        while not self.problem.solved(figure) and time.process_time() < end:
            # The validation checks had passed by luck: it is trained on, and asked on other sequences.
            self._until(length, end, last=True)
            tried += 1
            figure = fresh_figure(self.network, self.problem, length, self.seed + 31 * tried)
        return Outcome(
            length,
            self.problem.solved(figure),
            figure,
            self.sequences,
            self.steps,
            time.perf_counter() - self.begun,
            time.process_time() - self.begun_processor,
        )

    def _until(self, length: int, end: float, *, last: bool) -> bool:
        """Train at a length until its loss is small enough; whether it was before the end of the budget."""
        problem, steps = self.problem, 0
        while time.process_time() < end:
            loss, steps = self._step(length), steps + 1
            # Of this length alone, and of its last fifty steps the most.
            self.mean += max(1 / steps, 0.02) * (loss - self.mean)
            if steps < _FEWEST:
                continue
            if not last and self.mean < problem.learnt:
                return True
            if last and self.mean < problem.nearly:
                if all(problem.solved(fresh_figure(self.network, problem, length, seed)) for seed in self._others):
                    return True
                self.mean = 1.5 * problem.nearly  # a validation check costs time: not before some steps more
        return False

    def _step(self, length: int) -> float:
        x, answers = self.problem.draw(length, self.recipe.rows, self.draw)
        if self.recipe.cool:
            low = (self.mean / (1.5 * self.problem.learnt)) ** 0.5
            self.optimiser.param_groups[0]["lr"] = self.recipe.rate * min(1.0, max(0.05, low))
        self.optimiser.zero_grad()
        loss = self.problem.loss(self.network(x, self.problem.answers), answers)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip, foreach=True)
        self.optimiser.step()
        self.sequences += self.recipe.rows
        self.steps += 1
        return float(loss.detach())
