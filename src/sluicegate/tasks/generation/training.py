"""Train a task that writes: sub-words, networks, and the pairs that validate."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from sluicegate.data.counted import left_out
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Schedule

from .config import WriterConfig
from .ensemble import Ensemble
from .network import Network, Shape
from .objective import Objective
from .pairs import Pairs, Rows
from .subwords import Subwords, suitable
from .texts import Texts
from .trained import TrainedWriter

_VALIDATED, _MOST_VALIDATED = 0.05, 2000  # of the pairs, and at most, where no others are given
_EPOCHS, _STEPS, _MOST_STEPS = 13, 1500, 20_000
_TOKENS = 12_000  # sub-words of a step at most: a batch of 64 pairs of long sentences
_LONGEST = 400  # sub-words of a text; a pair with more is left out of training
_AVERAGE = 0.998  # what the moving average of the weights keeps: it is that of 500 steps
_MORE_STEPS_BETWEEN = 1000

Trained = TypeVar("Trained", bound=TrainedWriter)


class Preparation(ABC, Generic[Trained]):
    """Pairs of texts made ready to train on.

    Args:
        texts: the pairs.
        held_back: those that validate; None holds some of the pairs back.
        columns: that they are of.
        config: the settings.
        blank: rows that were left out, for a text of theirs is missing or blank.
    """

    def __init__(
        self,
        texts: Texts,
        held_back: Texts | None,
        columns: tuple[str, str],
        config: WriterConfig,
        blank: int,
    ) -> None:
        self.columns, self.config, self.blank = columns, config, blank
        if held_back is None:
            validates = _validating(texts, config.seed)
            texts, held_back = texts.take(np.flatnonzero(~validates)), texts.take(np.flatnonzero(validates))
        self.texts, self.validating = texts, held_back
        both = texts.targets.behind(texts.sources)
        size = config.subwords or suitable(sum(len(text.split()) for text in both))
        self.subwords = Subwords.of(both, size, self.slots)
        self.pairs, self.left_out = self._short(texts, config.seed)
        self.validation, _ = self._short(held_back)
        self.shape = Shape(
            tokens=len(self.subwords),
            embedding=config.embedding,
            hidden=config.hidden,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            copies=config.copies,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = Ensemble(Network(self.shape) for _ in range(config.members))

    def _short(self, texts: Texts, seed: int | None = None) -> tuple[Pairs, int]:
        """The pairs that are not too long, cut where the task cuts its sources, and how many are left out.

        Args:
            texts: the pairs.
            seed: of what is held out of them, where they are trained on.

        Raises:
            DataError: all are too long.
        """
        read, written, holding = texts.sources, texts.targets, self.subwords.holding
        if holding:
            read, written = holding.hold_pairs(read, written, seed)
        pairs = Pairs.of(self.subwords, read, written, self.reads)
        sources, targets = pairs.lengths
        short = np.flatnonzero((sources <= max(_LONGEST, (self.reads or 0) + 1)) & (targets <= _LONGEST))
        if not len(short):
            raise DataError(
                f"every text is longer than {_LONGEST} sub-words: cut the texts into sentences or paragraphs"
            )
        return (pairs if len(short) == len(pairs) else pairs.take(short)), len(pairs) - len(short)

    @property
    def reads(self) -> int | None:
        """Sub-words of a source that are read, from its beginning; None leaves long ones out of training."""
        return None

    @property
    def slots(self) -> Collection[str]:
        """The letters that stand for what is held out of sources and put back; none where a text may leave it out."""
        return ()

    @abstractmethod
    def _trained(self, curve: Curve) -> Trained:
        """What was learnt, and the simple methods beside it."""

    @abstractmethod
    def _report(self, trained: Trained, notes: Sequence[str]) -> Report:
        """The report on the pairs that validated."""

    def run(self) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        objective = Objective(
            self.model,
            self.pairs,
            self.validation,
            seed=config.seed,
            batch=config.batch,
            tokens=_TOKENS,
            smoothing=config.smoothing,
        )
        epoch = objective.steps
        steps = epoch * (config.epochs or 1)
        if config.epochs is None:
            steps = min(max(_EPOCHS, -(-_STEPS // epoch)) * epoch, _MOST_STEPS)
        schedule = Schedule(
            steps=steps,
            every=max(min(epoch, _MORE_STEPS_BETWEEN), steps // 40),
            patience=config.patience,
            learning_rate=config.learning_rate,
            average=_AVERAGE,
            warm_up=max(1, min(400, steps // 10)),
            epoch=epoch,
        )
        return Run(self.model, objective.parts(), schedule, self._fingerprint(), self._finished)

    def _finished(self, curve: Curve) -> tuple[Trained, Report]:
        trained = self._trained(curve)
        notes = [
            *left_out(self.blank, "row", f"without a {self.columns[0]} or a {self.columns[1]}"),
            *left_out(self.left_out, "pair", f"with a text of more than {_LONGEST} sub-words", "training"),
        ]
        return trained, self._report(trained, notes)

    def _fingerprint(self) -> str:
        config: Any = self.config
        digest = hashlib.sha256(config.model_dump_json().encode())
        for part in (self.pairs, self.validation):
            part.digest(digest)
        return digest.hexdigest()


def _validating(texts: Texts, seed: int) -> np.ndarray:
    """Which pairs validate: no group, and no source, is in both parts.

    Raises:
        DataError: there is only one.
    """
    number = texts.sources.ranks(lambda text: text.strip().casefold()) if texts.groups is None else texts.groups.ranks()
    counts = np.bincount(number)
    if len(counts) < 2:
        what = "sources are equal" if texts.groups is None else "pairs are of one group"
        raise DataError(
            f"all {what}: expected two different ones at least, to train and to validate on; give more pairs, or "
            "`validation`"
        )
    wanted = max(1, min(_MOST_VALIDATED, round(_VALIDATED * len(number))))
    order = np.random.default_rng(seed).permutation(len(counts))
    last = int(np.searchsorted(np.cumsum(counts[order]), wanted))
    chosen: Rows = order[: min(last + 1, len(counts) - 1)]
    return np.isin(number, chosen)
