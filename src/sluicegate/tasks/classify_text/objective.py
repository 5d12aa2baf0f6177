"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from sluicegate.tasks.classification import objective
from sluicegate.tasks.classification.loss import Loss

from .corpus import Corpus
from .examples import Rows
from .model import Ensemble, Member
from .trained import logits_of

_CHUNK = 50  # batches that are sorted by length together
_WIDE = 3.0  # how much faster than the network the linear path learns

Parts: TypeAlias = Int64[np.ndarray, " _"]
Looked: TypeAlias = tuple[Corpus, Parts]  # what validates a network: parts of a corpus


class _Reading(NamedTuple):
    """One way in which the texts are read.

    Args:
        corpus: the texts.
        truth: the number of each part's class.
        trained: the parts that each network is trained on.
    """

    corpus: Corpus
    truth: Tensor
    trained: list[Parts]

    @classmethod
    def of(cls, corpus: Corpus, truth: Rows, number: Rows, networks: int) -> _Reading:
        """With the parts of each network's own texts."""
        own = number[corpus.text]
        return cls(corpus, torch.from_numpy(truth[corpus.text]), [np.flatnonzero(own != k) for k in range(networks)])

    def counts(self, network: int, shape: torch.Size) -> Float64[np.ndarray, "grams classes"]:
        """How often each word or pair occurs in each class of what a network is trained on."""
        grams, classes = shape
        chosen = np.zeros(len(self.corpus.grams), dtype=bool)
        chosen[self.trained[network]] = True
        flat, row = np.zeros(grams * classes), 0
        for part in self.corpus.grams.parts():
            rows = np.arange(row, row + len(part))
            pairs = part.values.astype(np.int64) * classes + np.repeat(self.truth.numpy()[rows], part.lengths)
            flat += np.bincount(pairs[np.repeat(chosen[rows], part.lengths)], minlength=len(flat))
            row += len(part)
        return flat.reshape(grams, classes)


class Objective(objective.Objective):
    """Draws batches for every network, and measures the losses.

    Args:
        model: the networks.
        corpora: the texts, read in one way or several, which the epochs take in turn.
        truth: the number of each text's class.
        number: of the network that each text validates, -1 where it validates none.
        looked: what validates each network.
        shown: the number of the class of each text that validates.
        loss: what is minimised.
        seed: the source of all chance.
        batch: texts in a step.
    """

    def __init__(
        self,
        model: Ensemble,
        corpora: Sequence[Corpus],
        truth: Rows,
        number: Rows,
        looked: Sequence[Looked],
        shown: Int64[np.ndarray, " shown"],
        loss: Loss,
        *,
        seed: int,
        batch: int,
    ) -> None:
        super().__init__(model, shown, loss)
        self._looked, self._seed, self._batch = looked, seed, batch
        self._readings = [_Reading.of(corpus, truth, number, len(model.members)) for corpus in corpora]
        self.steps = -(-max(len(parts) for reading in self._readings for parts in reading.trained) // batch)
        self._epochs: list[tuple[int, list[Rows]]] = [(-1, [])] * len(model.members)
        for k, member in enumerate(model.members):
            assert isinstance(member, Member)
            counts = [reading.counts(k, member.wide.shape) for reading in self._readings]
            member.ratio = _log_count_ratio(1.0 + np.sum(counts, axis=0))

    def _loss(self, network: int, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a network's batch in a step."""
        epoch, at = divmod(step, self.steps)
        if epoch != self._epochs[network][0]:
            self._epochs[network] = epoch, self._order(epoch, network)
        reading, batches = self._reading(epoch), self._epochs[network][1]
        parts = batches[at % len(batches)]
        logits = self._model.members[network](reading.corpus.batch(np.tile(parts, self._losses.readings)), generator)
        return self._losses.training(logits, reading.truth[parts])

    def _reading(self, epoch: int) -> _Reading:
        return self._readings[epoch % len(self._readings)]

    def _order(self, epoch: int, network: int) -> list[Rows]:
        """All parts in batches of about the same length, in an order that the seed and the epoch give."""
        generator = np.random.default_rng([self._seed, epoch, network])
        reading, size = self._reading(epoch), self._batch
        order = generator.permutation(reading.trained[network])
        batches = []
        for begin in range(0, len(order), size * _CHUNK):
            chunk = order[begin : begin + size * _CHUNK]
            chunk = chunk[np.argsort(reading.corpus.tokens.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def _said(self, network: int) -> tuple[np.ndarray, Rows]:
        corpus, parts = self._looked[network]
        return logits_of(self._model.members[network], corpus, parts), corpus.text[parts]


def _log_count_ratio(counts: Float64[np.ndarray, "grams classes"]) -> Float32[Tensor, "grams classes"]:
    """How much more frequent each word or pair is in each class than in the others (Wang & Manning 2012)."""
    others = counts.sum(1, keepdims=True) - counts
    ratio = np.log(counts / counts.sum(0)) - np.log(others / others.sum(0))
    return torch.from_numpy(_WIDE * ratio).float()
