"""What the networks are trained on, step by step, and what validates them.

A fit makes it ready once, with where the linear path starts from, and comes back in every step for a loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sluicegate.tasks.classification import objective
from sluicegate.tasks.classification.loss import Loss

from .corpus import Corpus
from .examples import Rows
from .model import Ensemble, Member, Shape
from .naive_bayes import Counts, class_counts, log_count_ratio
from .trained import logits_of

_CHUNK = 50  # batches that are sorted by length together
_WIDE = 3.0  # how much faster than the network the linear path learns

Parts: TypeAlias = Int64[np.ndarray, " _"]
ValidationParts: TypeAlias = tuple[Corpus, Parts]  # what validates a network: parts of a corpus


class _Reading(NamedTuple):
    """One way in which the texts are read.

    Args:
        corpus: the texts.
        truth: the number of each part's class.
        number: of the network that each part validates, -1 where it validates none.
    """

    corpus: Corpus
    truth: Tensor
    number: Rows

    def trained(self, network: int) -> Parts:
        """The parts that a network is trained on."""
        return np.flatnonzero(self.number != network)

    def counts(self, shape: Shape) -> Counts:
        """How often each word or pair occurs in what each network is trained on: [grams, networks, classes]."""
        sizes = grams, folds, classes = shape.grams + 1, shape.members + 1, shape.classes
        # The rows are gone through once, each class of each fold apart: what is not of a network's fold trains it.
        kinds = self.truth.numpy() + classes * (1 + self.number)
        counts = class_counts(self.corpus.grams, kinds, grams, folds * classes).reshape(sizes)
        return np.asarray(counts.sum(1, keepdims=True) - counts[:, 1:])


class Objective(objective.Objective):
    """Draws batches for every network, and measures the losses.

    Args:
        model: the networks.
        corpora: the texts, read in one way or several, which the epochs take in turn.
        truth: the number of each text's class.
        number: of the network that each text validates, -1 where it validates none.
        validation_parts: what validates each network.
        validation_truth: the number of the class of each text that validates.
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
        validation_parts: Sequence[ValidationParts],
        validation_truth: Int64[np.ndarray, " validation_truth"],
        loss: Loss,
        *,
        seed: int,
        batch: int,
    ) -> None:
        super().__init__(model, validation_truth, loss)
        self._validation_parts, self._seed, self._batch = validation_parts, seed, batch
        self._readings = [
            _Reading(corpus, torch.from_numpy(truth[corpus.text]), number[corpus.text]) for corpus in corpora
        ]
        networks = range(len(model.members))
        self.steps = -(-max(len(reading.trained(k)) for reading in self._readings for k in networks) // batch)
        self._epochs: list[tuple[int, list[Rows]]] = [(-1, [])] * len(model.members)
        counts = 1.0 + np.sum([reading.counts(model.shape) for reading in self._readings], axis=0)
        for k, member in enumerate(model.members):
            assert isinstance(member, Member)
            others = counts[:, k].sum(1, keepdims=True) - counts[:, k]
            member.ratio = torch.from_numpy(_WIDE * log_count_ratio(counts[:, k], others)).float()

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
        order = generator.permutation(reading.trained(network))
        batches = []
        for begin in range(0, len(order), size * _CHUNK):
            chunk = order[begin : begin + size * _CHUNK]
            chunk = chunk[np.argsort(reading.corpus.tokens.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def _validation_logits(self, network: int) -> tuple[np.ndarray, Rows]:
        corpus, parts = self._validation_parts[network]
        return logits_of(self._model.members[network], corpus, parts), corpus.text[parts]
