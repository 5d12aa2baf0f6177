"""Train a text classifier: what is read of texts, how large the networks are, and how long they are trained.

A fit comes here twice: to read the texts and size the networks, and then to `run`, when these are there to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch

from sluicegate.data.vectors import VectorFile
from sluicegate.data.words import words_of
from sluicegate.runtime.texts.grams import Grams
from sluicegate.runtime.texts.letters import Letters
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.runtime.texts.terms import Words
from sluicegate.tasks.classification.decision import Decision, Probabilities
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.objective import loss_for
from sluicegate.tasks.classification.training import Preparation
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve

from .baselines import Linear, by_fold, fit_both
from .config import UNITS, TextClassifierConfig
from .copies import ALIKE, equal_texts, near_texts
from .corpus import Corpus
from .examples import Examples, Rows
from .model import Ensemble, Shape
from .objective import Objective, ValidationParts
from .report import report, told
from .spelling import Spelling
from .trained import Trained
from .vocabulary import Vocabulary

_FEW = 20_000  # rows up to which there are several networks, and a rare word has weights of its own
_FEW_TOKENS, _FEW_WEIGHTS = 100_000, 500_000  # and weights of words up to which they are wider, and read twice
_MORE_UNITS = 128
_WINDOWS = (2, 3)  # words that convolutions see there; of larger tables they took half as long again and helped nothing
_EPOCHS, _MORE_EPOCHS = 15, 25  # times through the rows, and where consistency is asked for, which takes longer
_STEPS, _MOST_STEPS = 400, 12_000  # at least and at most
_MANY, _LARGE_BATCH = 100_000, 256  # rows beyond which a step takes more of them: most of its time goes into weights
_LOOK_LEAST, _LOOK = 10, 1000  # steps between two validation checks: patience outlasts the warm-up
_BLENDED = 1000  # rows up to which the better simple method is mixed in: of 480 rows of MR it knows more
_GRAMS, _WIDE_WEIGHTS = 200_000, 1_000_000  # words and pairs, and weights of theirs for all classes, at most
_START = 0.3  # the size of a word's embedding at the start


class TextPreparation(Preparation[Examples, Trained]):
    """Labelled texts made ready to train on.

    Args:
        examples: the texts.
        held_back: those that validate; None holds some of the texts back.
        text: the column that they are of.
        labels: the classes.
        config: the settings.
        vectors: a file of word vectors to start from.
    """

    what: ClassVar[str] = "texts"
    alike: ClassVar[str] = ALIKE

    def __init__(
        self,
        examples: Examples,
        held_back: Examples | None,
        text: str,
        labels: Labels,
        config: TextClassifierConfig,
        vectors: VectorFile | None,
    ) -> None:
        ranked = words_of(examples.texts)
        self._words = Words.of(examples.texts, ranked.words)
        self._long_words = self._words.long()  # words are as good as unique, so that all are read in pieces
        everything = self._words if held_back is None else self._words.followed_by(held_back.texts)
        content = equal_texts(everything)
        near = near_texts(everything, content)
        super().__init__(examples, held_back, labels, config, content=content, near=near, few=_FEW)
        self._text = text
        self._least = 1 if self.rows <= _FEW and not self._long_words else 2
        if not config.lowercase:
            ranked = words_of(examples.texts, lowercase=False)
        self._vocabulary = Vocabulary.of(examples.texts, ranked, self._least, config, vectors)
        self._capitals = config.lowercase and any(text != text.lower() for text in examples.texts)
        self._read()
        self._shape = self._sizes()
        self._model = self._started()

    def _read(self) -> None:
        """Read the texts as they will be read, and as by a network that knows no rare word."""
        tokenizer = self._vocabulary.tokenizer
        ways = [way for way in (tokenizer, self._vocabulary.without_rare) if way is not None]
        plain = [Corpus.of(self.examples.texts, way, capitals=self._capitals) for way in ways]
        self._together = Ragged.joined([corpus.tokens for corpus in plain])
        letters = Letters.of(tokenizer.tokens()) if self._long_words else None
        most = max(1, min(_GRAMS, _WIDE_WEIGHTS // self.classes))
        self._grams = Grams.of(self._together, self._least, most, letters)
        self._corpora = [replace(corpus, grams=self._grams.within(corpus.tokens)) for corpus in plain]
        weights = len(self._grams.keys) * self.classes
        self._small = len(plain[0].tokens.values) <= _FEW_TOKENS and weights <= _FEW_WEIGHTS

    def _sizes(self) -> Shape:
        config, vocabulary = self.config, self._vocabulary
        return Shape(
            tokens=len(vocabulary.tokenizer),
            grams=len(self._grams.keys),
            classes=self.classes,
            embedding=vocabulary.embedding,
            hidden=config.hidden or (_MORE_UNITS if self._small else UNITS),
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            word_dropout=config.word_dropout,
            members=self.members,
            capitals=self._capitals,
            windows=_WINDOWS if self._small else (),
        )

    def _started(self) -> Ensemble:
        """The networks, as they start."""
        vectors = torch.from_numpy(_START * self._vocabulary.start(self._together))
        spelling = Spelling.of(self._vocabulary.tokenizer.tokens()) if self.rows <= _FEW else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            model = Ensemble(self._shape)
            model.begin(vectors, spelling)
        return model

    @cached_property
    def _validation_parts(self) -> list[ValidationParts]:
        """What validates each network."""
        if self.held_back is None:
            corpus = self._corpora[-1]
            return [(corpus, np.flatnonzero(self.number[corpus.text] == k)) for k in range(self.members)]
        other = Corpus.of(self.held_back.texts, self._vocabulary.tokenizer, self._grams, capitals=self._capitals)
        return [(other, np.arange(len(other.text)))] * self.members

    def run(self, progress: bool | None) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        loss = loss_for(self.decision, config, few=self._small)
        objective = Objective(
            self._model,
            self._corpora,
            self.examples.truth,
            self.number,
            self._validation_parts,
            self.validating.truth,
            loss,
            seed=config.seed,
            batch=config.batch or (64 if self.rows <= _MANY else _LARGE_BATCH),
        )
        steps = objective.steps * (config.epochs or 1)
        if config.epochs is None:
            epochs = _MORE_EPOCHS if loss.consistency > 0 else _EPOCHS
            steps = min(max(epochs, -(-_STEPS // objective.steps)) * objective.steps, _MOST_STEPS)
        vectors = self._vocabulary.vectors
        return self.prepared(
            self._model,
            objective,
            steps=steps,
            every=max(_LOOK_LEAST, min(objective.steps // 2, _LOOK)),
            epoch=objective.steps,
            blend=self._long_words or self.rows <= _BLENDED if config.blend is None else config.blend,
            progress=progress,
            further=() if vectors is None else ("\0".join(vectors.words).encode(), vectors.values.tobytes()),
        )

    def _ended(self) -> None:
        self._model.finish()

    def _simple(self, seen: Rows, progress: bool | None) -> tuple[Sequence[Linear], dict[str, Probabilities]]:
        del progress  # it takes a few seconds
        words = self._words.spelt() if self._long_words else self._words
        truth, classes, seed = self.examples.truth, self.classes, self.config.seed
        if self.held_back is None:
            return by_fold(words, truth, self.number, self.members, classes, seed)
        methods, terms = fit_both(words, truth, classes, seed)
        counts = terms.within(self.validating.take(seen).texts)
        return methods, {method.name: method.of_counts(counts) for method in methods}

    def _trained(self, decision: Decision, methods: Sequence[Linear], curve: Curve) -> Trained:
        return Trained(
            text=self._text,
            labels=self.labels,
            tokenizer=self._vocabulary.tokenizer,
            grams=self._grams,
            shape=self._shape,
            model=self._model,
            decision=decision,
            rows=self.rows,
            covered=self._vocabulary.covered,
            methods=tuple(methods),
            curve=curve,
        )

    def _report(self, trained: Trained, seen: Rows, predicted: dict[str, Probabilities], notes: list[str]) -> Report:
        kept = self.validating.take(seen)
        shares = trained.tokenizer.shares(self._validation_parts[0][0].tokens.values)
        return report(trained, Validation(kept, predicted, *told(kept, shares)), "validation rows", notes)
