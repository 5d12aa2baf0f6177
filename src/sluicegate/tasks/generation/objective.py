"""What networks that write are trained on: the next sub-word after the true ones before it (teacher forcing)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from sluicegate.training import Part

from .ensemble import Ensemble
from .network import Network, log_likelihood
from .pairs import Batch, Pairs, Rows
from .subwords import PAD

_POOL = 50  # batches whose pairs are sorted by length together, so that little of a batch is padding


class Objective:
    """Draws batches for every network, and measures the losses.

    Args:
        model: the networks.
        pairs: to train on.
        validation: to validate on.
        seed: of the order of the pairs.
        batch: pairs of a step.
        tokens: sub-words of a step at most, unless a single pair has more.
        smoothing: of the labels.
    """

    def __init__(
        self,
        model: Ensemble,
        pairs: Pairs,
        validation: Pairs,
        *,
        seed: int,
        batch: int,
        tokens: int,
        smoothing: float,
    ) -> None:
        self._model, self._pairs, self._validation = model, pairs, validation
        self._seed, self._batch, self._tokens, self._smoothing = seed, batch, tokens, smoothing
        self._orders = [_Order(pairs, batch, tokens, (seed, member)) for member in range(len(model.members))]

    @property
    def steps(self) -> int:
        """Of an epoch, about."""
        return len(self._orders[0].epoch(0))

    def parts(self) -> list[Part]:
        """What is trained: each network."""
        return [
            Part(member, partial(self._loss, number), partial(self._validate, number))
            for number, member in enumerate(self._model.members)
        ]

    def _loss(self, number: int, step: int, chance: torch.Generator) -> Tensor:
        batch = self._pairs.batch(self._orders[number].rows(step))
        total, count = _total(self._network(number), batch, self._smoothing, chance)
        return total / count

    def _validate(self, number: int) -> float:
        """The mean over the sub-words of the validation part, in nats, without smoothing."""
        total = count = 0.0
        with torch.no_grad():
            for rows in batches(self._validation, np.arange(len(self._validation)), self._batch, self._tokens):
                one, words = _total(self._network(number), self._validation.batch(rows), 0.0, None)
                total, count = total + float(one), count + words
        return total / max(count, 1)

    def _network(self, number: int) -> Network:
        network = self._model.members[number]
        assert isinstance(network, Network)
        return network


def _total(network: Network, batch: Batch, smoothing: float, chance: torch.Generator | None) -> tuple[Tensor, int]:
    """The sum of the losses over the sub-words of a batch, and how many these are."""
    memory, states = network.read(batch.sources, batch.lengths, chance)
    written, _ = network.write(batch.before, memory, states, chance)
    real = batch.targets != PAD
    likelihood = log_likelihood(written, memory, batch.targets, smoothing)
    return -(likelihood * real).sum(), int(real.sum())


class _Order:
    """In which order a network sees the pairs: another one in each epoch.

    Args:
        pairs: to train on.
        batch: pairs of a step.
        tokens: sub-words of a step at most.
        seed: of all epochs.
    """

    def __init__(self, pairs: Pairs, batch: int, tokens: int, seed: tuple[int, int]) -> None:
        self._pairs, self._batch, self._tokens, self._seed = pairs, batch, tokens, seed
        self._number, self._begin, self._batches = 0, 0, self.epoch(0)

    def rows(self, step: int) -> Rows:
        """The pairs of a step."""
        if step < self._begin:
            self._number, self._begin, self._batches = 0, 0, self.epoch(0)
        while step >= self._begin + len(self._batches):
            self._begin, self._number = self._begin + len(self._batches), self._number + 1
            self._batches = self.epoch(self._number)
        return self._batches[step - self._begin]

    def epoch(self, number: int) -> list[Rows]:
        """The batches of an epoch."""
        generator = np.random.default_rng((*self._seed, number))
        order, pool = generator.permutation(len(self._pairs)), self._batch * _POOL
        found = [
            rows
            for begin in range(0, len(order), pool)
            for rows in batches(self._pairs, order[begin : begin + pool], self._batch, self._tokens)
        ]
        return [found[at] for at in generator.permutation(len(found)).tolist()]


def batches(pairs: Pairs, rows: Rows, most: int, tokens: int) -> Iterator[Rows]:
    """Pairs of about the same lengths together.

    Args:
        pairs: of which some are taken.
        rows: these.
        most: of a batch.
        tokens: sub-words of its sources and targets, padded, at most, unless a single pair has more.
    """
    sources, targets = (lengths[rows] for lengths in pairs.lengths)
    order = np.lexsort((sources, targets))
    some: list[int] = []
    longest = [0, 0]
    for at in order.tolist():
        lengths = [max(longest[0], int(sources[at])), max(longest[1], int(targets[at]))]
        if some and (len(some) == most or (len(some) + 1) * sum(lengths) > tokens):
            yield rows[some]
            some, lengths = [], [int(sources[at]), int(targets[at])]
        some.append(at)
        longest = lengths
    if some:
        yield rows[some]
