"""Train a language model: its tokens, its network, and the texts that validate."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch

from sluicegate.data.counted import left_out
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Schedule

from .config import LanguageModelConfig
from .corpus import Corpus
from .ensemble import Ensemble
from .five_gram import FiveGram
from .measuring import fitted_cache
from .network import Network, Shape
from .objective import Objective
from .report import report
from .trained import Trained
from .vocabulary import cuts, vocabulary_of

_VALIDATED = 0.05  # of the words, where no texts to validate on are given
_EPOCHS, _STEPS, _MOST_STEPS = 9, 1000, 20_000
_AVERAGE = 0.998  # what the moving average of the weights keeps: it is that of 500 steps
_MORE_STEPS_BETWEEN = 1000  # of validation checks
_REMEMBERED, _FITTED = 2000, 20_000  # tokens that the cache remembers, and of the validation part that it is fitted to
_REPORTED = 300_000  # words of the validation part that are reported on, about, at most


class Preparation:
    """Texts made ready to train on.

    Args:
        texts: to train on, none of them blank.
        held_back: those that validate; None holds some of the texts back.
        column: that they are of.
        config: the settings.
        blank: texts that were left out, for they are missing or blank.
    """

    def __init__(
        self, texts: Corpus, held_back: Corpus | None, column: str, config: LanguageModelConfig, blank: int
    ) -> None:
        self.column, self.config, self.blank = column, config, blank
        self.texts, self.validating = _split(texts, config.seed) if held_back is None else (texts, held_back)
        self.subwords, counts = vocabulary_of(self.texts.lines, config.subwords)
        self.training = self.texts.tokens(self.subwords)
        self.validation = self.validating.tokens(self.subwords)
        self.shape = Shape(
            tokens=len(self.subwords),
            cuts=cuts(counts),
            embedding=config.embedding,
            hidden=config.hidden,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = Ensemble(Network(self.shape) for _ in range(config.members))

    def run(self) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        objectives = [
            Objective(
                network,
                self.training.streams,
                self.validation.streams,
                words=int(self.validating.words.sum()),
                seed=config.seed,
                member=number,
                batch=config.batch,
                piece=config.piece,
            )
            for number, network in enumerate(self.model.networks)
        ]
        epoch = objectives[0].steps
        steps = epoch * (config.epochs or 1)
        if config.epochs is None:
            steps = min(max(_EPOCHS, -(-_STEPS // epoch)) * epoch, _MOST_STEPS)
        every = max(min(epoch, _MORE_STEPS_BETWEEN), steps // 40)
        for objective in objectives:
            objective.every = every
        schedule = Schedule(
            steps=steps,
            every=every,
            patience=config.patience,
            learning_rate=config.learning_rate,
            average=_AVERAGE,
            warm_up=max(1, min(400, steps // 10)),
            epoch=epoch,
        )
        return Run(
            self.model, [objective.part() for objective in objectives], schedule, self._fingerprint(), self._finished
        )

    def _finished(self, curve: Curve) -> tuple[Trained, Report]:
        words = int(self.texts.words.sum())
        trained = Trained(
            column=self.column,
            subwords=self.subwords,
            shape=self.shape,
            model=self.model,
            words=words,
            per_word=len(self.training.lines.values) / words,
            cache=fitted_cache(self.model.networks, self.validation, _REMEMBERED, _FITTED),
            curve=curve,
            five_gram=FiveGram.of(self.texts.lines),
        )
        notes = left_out(self.blank, "text", "missing or blank")
        return trained, report(trained, self.validating.first(_REPORTED), "validation texts", notes)

    def _fingerprint(self) -> str:
        config: Any = self.config
        digest = hashlib.sha256(config.model_dump_json().encode())
        for part in (self.training, self.validation):
            digest.update(part.streams.values.tobytes() + part.streams.bounds.tobytes())
        return digest.hexdigest()


def _split(texts: Corpus, seed: int) -> tuple[Corpus, Corpus]:
    """Texts to train on, and others to validate on: whole ones, or of a single text its last lines.

    Raises:
        DataError: there is a single line.
    """
    if len(texts.lines) < 2:
        raise DataError(
            "there is a single line of text: expected two at least, to train and to validate on; give more lines, or "
            "`validation`"
        )
    words = texts.words
    wanted = max(1, round(_VALIDATED * int(words.sum())))
    if len(texts) == 1:
        return texts.cut(int(np.clip(np.searchsorted(np.cumsum(words), words.sum() - wanted), 1, len(words) - 1)))
    each = np.add.reduceat(words, np.flatnonzero(texts.begins))
    order = np.random.default_rng(seed).permutation(len(each))
    some = min(int(np.searchsorted(np.cumsum(each[order]), wanted)) + 1, len(each) - 1)
    return texts.texts(np.sort(order[some:])), texts.texts(np.sort(order[:some]))
