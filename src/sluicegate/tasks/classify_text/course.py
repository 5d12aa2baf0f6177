"""What the networks are trained on, step by step, and what validates them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from sluicegate.tasks.classes.decision import Decision
from sluicegate.tasks.classes.loss import loss_of

from .config import TextClassifierConfig
from .corpus import Corpus
from .examples import Rows
from .fitted import logits_of
from .model import Ensemble, Member

_CHUNK = 50  # batches that are sorted by length together
_WIDE = 3.0  # how much faster than the network the linear path learns

Looked: TypeAlias = tuple[Corpus, Int64[np.ndarray, " _"]]  # what validates a network: parts of a corpus


class Course:
    """Draws batches for every network, and measures the losses."""

    def __init__(
        self,
        model: Ensemble,
        corpus: Corpus,
        truth: Rows,
        number: Rows,
        decision: Decision,
        config: TextClassifierConfig,
        batch: int,
    ) -> None:
        self._model, self._corpus, self._config, self._batch = model, corpus, config, batch
        self._truth = torch.from_numpy(truth[corpus.text])
        self._adjustment = torch.from_numpy(decision.balance * np.log(decision.prior)).float()
        self._trained = [np.flatnonzero(number[corpus.text] != k) for k in range(len(model.members))]
        self.steps = -(-max(len(parts) for parts in self._trained) // batch)
        self._epoch, self._batches = -1, [[np.empty(0, dtype=np.int64)]]
        for member, parts in zip(model.members, self._trained, strict=True):
            assert isinstance(member, Member)
            member.ratio = _log_count_ratio(corpus, self._truth.numpy(), parts, member.wide.shape)

    def loss(self, step: int, generator: torch.Generator) -> Tensor:
        """The loss of a step's batches, summed over the networks."""
        del generator
        epoch, at = divmod(step, self.steps)
        if epoch != self._epoch:
            self._epoch = epoch
            self._batches = [self._order(epoch, k) for k in range(len(self._trained))]
        total = torch.zeros(())
        for member, batches in zip(self._model.members, self._batches, strict=True):
            parts = batches[at % len(batches)]
            total = total + loss_of(
                member(self._corpus.batch(parts)),
                self._truth[parts],
                self._adjustment,
                self._config.smoothing,
                self._config.robust,
            )
        return total

    def _order(self, epoch: int, network: int) -> list[Rows]:
        """All parts in batches of about the same length, in an order that the seed and the epoch give."""
        generator = np.random.default_rng([self._config.seed, epoch, network])
        order, size = generator.permutation(self._trained[network]), self._batch
        batches = []
        for begin in range(0, len(order), size * _CHUNK):
            chunk = order[begin : begin + size * _CHUNK]
            chunk = chunk[np.argsort(self._corpus.tokens.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def validate(self, looked: list[Looked], truth: Rows) -> float:
        """The mean loss of the networks, each on the rows that it is validated on."""
        losses = []
        for member, (corpus, parts) in zip(self._model.members, looked, strict=True):
            said = torch.from_numpy(logits_of(member, corpus, parts))
            target = torch.from_numpy(truth[corpus.text[parts]])
            losses.append(float(loss_of(said, target, self._adjustment, 0.0, self._config.robust)))
        return float(np.mean(losses))

    @torch.no_grad()
    def finish(self) -> None:
        """Put the log-count ratios into the weights."""
        for member in self._model.members:
            assert isinstance(member, Member)
            assert isinstance(member.ratio, Tensor)
            member.wide.copy_(member.wide * member.ratio)
            member.ratio = torch.ones_like(member.wide)


def _log_count_ratio(
    corpus: Corpus, truth: Rows, parts: Int64[np.ndarray, " chosen"], shape: torch.Size
) -> Float32[Tensor, "grams classes"]:
    """How much more frequent each word or pair is in each class than in the others (Wang & Manning 2012)."""
    grams, classes = shape
    chosen = np.zeros(len(corpus.grams), dtype=bool)
    chosen[parts] = True
    flat = np.ones(grams * classes)
    row = 0
    for part in corpus.grams.parts():
        rows = np.arange(row, row + len(part))
        pairs = part.values.astype(np.int64) * classes + np.repeat(truth[rows], part.lengths)
        flat += np.bincount(pairs[np.repeat(chosen[rows], part.lengths)], minlength=len(flat))
        row += len(part)
    counts = flat.reshape(grams, classes)
    others = counts.sum(1, keepdims=True) - counts
    ratio = np.log(counts / counts.sum(0)) - np.log(others / others.sum(0))
    return torch.from_numpy(_WIDE * ratio).float()


def unseen(
    model: Ensemble, looked: list[Looked], rows: int, classes: int
) -> tuple[Float64[np.ndarray, "seen classes"], Rows]:
    """The mean logits of texts by the networks that did not train on them, and which texts these are."""
    total, times = np.zeros((rows, classes)), np.zeros(rows)
    for member, (corpus, parts) in zip(model.members, looked, strict=True):
        np.add.at(total, corpus.text[parts], logits_of(member, corpus, parts))
        np.add.at(times, corpus.text[parts], 1.0)
    seen = np.flatnonzero(times)
    return total[seen] / times[seen, None], seen
