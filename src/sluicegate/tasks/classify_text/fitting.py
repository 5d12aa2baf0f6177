"""Train a text classifier: folds, one network for each, and what the rows that each did not see say of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from sluicegate.data.words import WordTokenizer, clean
from sluicegate.tasks.classes.decision import Decision
from sluicegate.tasks.classes.labels import Labels
from sluicegate.tasks.classes.loss import loss_of
from sluicegate.tasks.classes.splitting import folds_of
from sluicegate.training import Schedule, train

from .baselines import NAMES, Linear, majority
from .config import TextClassifierConfig
from .cooccurrence import vectors_of
from .corpus import Corpus, Grams
from .fitted import Fitted, logits_of
from .model import Ensemble, Member, Shape

_FEWEST = 2000  # rows below which every word has a weight of its own
_FEW = 20_000  # rows up to which several networks share the work
_EPOCHS, _STEPS = 15, 400  # times through the rows, and steps at least
_CHUNK = 50  # batches that are sorted by length together
_GRAMS = 200_000
_START = 0.3  # the size of a word's numbers at the start
_WIDE = 3.0  # how much faster than the network the linear path learns

Rows = Int64[np.ndarray, " rows"]
Looked: TypeAlias = tuple[Corpus, Int64[np.ndarray, " _"]]  # what validates a network: parts of a corpus


@dataclass(frozen=True)
class Examples:
    """Texts and the numbers of their classes.

    Args:
        texts: one for each row.
        truth: the number of each row's class.
        groups: the name of each row's group, where there are groups.
    """

    texts: Sequence[str]
    truth: Rows
    groups: Sequence[str] | None = None

    def take(self, rows: Rows) -> Examples:
        """Some of the rows."""
        numbers = rows.tolist()
        groups = None if self.groups is None else [self.groups[i] for i in numbers]
        return Examples([self.texts[i] for i in numbers], self.truth[rows], groups)


@dataclass(frozen=True)
class Validation:
    """What is known of the model on rows that it was not trained on.

    Args:
        examples: the rows.
        said: probabilities by method.
    """

    examples: Examples
    said: dict[str, Float64[np.ndarray, "rows classes"]]


def fit(
    examples: Examples,
    held_back: Examples | None,
    text: str,
    labels: Labels,
    config: TextClassifierConfig,
    *,
    checkpoint: Path | None,
    resume: bool,
    progress: bool | None,
) -> tuple[Fitted, Validation]:
    """Train on examples, with `held_back` to validate on where it is given.

    Returns:
        What was learnt, and what the rows that validated say.
    """
    rows, classes = len(examples.truth), len(labels.classes)
    few = rows < _FEWEST
    tokenizer = WordTokenizer.train(
        examples.texts, words=config.words, least=1 if few else 2, lowercase=config.lowercase
    )
    plain = Corpus.of(examples.texts, tokenizer)
    grams = Grams.of(plain.tokens, 1 if few else 2, _GRAMS)
    corpus = replace(plain, grams=grams.within(plain.tokens))
    number = _numbers(examples, held_back, config)
    members = max(1, config.folds or (5 if rows <= _FEW else 1))
    shape = Shape(
        tokens=len(tokenizer),
        grams=len(grams.keys),
        classes=classes,
        embedding=config.embedding or 100,
        hidden=config.hidden or 64,
        layers=config.layers,
        cell=config.cell,
        dropout=0.5 if config.dropout is None else config.dropout,
        word_dropout=config.word_dropout,
        members=members,
    )
    decision = Decision.before(examples.truth, classes, config.balance)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = Ensemble(shape)
    model.begin(torch.from_numpy(_START * vectors_of(plain.tokens, shape.tokens, shape.embedding)))
    course = _Course(model, corpus, examples.truth, number, decision, config)
    if held_back is None:
        looked = [(corpus, np.flatnonzero(number[corpus.text] == k)) for k in range(members)]
    else:
        other = Corpus.of(held_back.texts, tokenizer, grams)
        looked = [(other, np.arange(len(other.text)))] * members
    shown = examples if held_back is None else held_back
    steps = course.steps * (config.epochs or max(_EPOCHS, -(-_STEPS // course.steps)))
    curve = train(
        model,
        course.loss,
        lambda: course.validate(looked, shown.truth),
        Schedule(
            steps=steps,
            every=max(1, course.steps // 2),
            patience=config.patience,
            learning_rate=config.learning_rate,
            clip=math.sqrt(members),
            epoch=course.steps,
        ),
        seed=config.seed,
        fingerprint=_fingerprint(examples, held_back, config),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    course.finish()
    curve = replace(curve, training=[loss / members for loss in curve.training])  # it was summed over the networks
    logits, seen = _unseen(model, looked, len(shown.truth), classes)
    baselines = tuple(Linear.fit(name, examples.texts, examples.truth, classes) for name in NAMES)
    kept = shown.take(seen)
    simple = (
        _by_fold(examples, number, members, classes)
        if held_back is None
        else {linear.name: linear.probabilities(kept.texts) for linear in baselines}
    )
    simple = {name: said if len(said) == len(seen) else said[seen] for name, said in simple.items()}
    decision, said = decision.after(logits, kept.truth, simple, blend=config.blend)
    fitted = Fitted(
        text=text,
        labels=labels,
        tokenizer=tokenizer,
        grams=grams,
        shape=shape,
        model=model,
        decision=decision,
        rows=rows,
        baselines=baselines,
        curve=curve,
    )
    majority_said = majority(examples.truth, classes, len(seen))
    return fitted, Validation(kept, {"model": said, "majority_class": majority_said, **simple})


def _numbers(examples: Examples, held_back: Examples | None, config: TextClassifierConfig) -> Rows:
    """The fold of each row; -1 where all networks train on it."""
    rows = len(examples.truth)
    if held_back is not None:
        return np.full(rows, -1)
    folds = config.folds or (5 if rows <= _FEW else 1)
    numbers = folds_of(examples.truth, examples.groups, folds if folds > 1 else 10, config.seed)
    return numbers if folds > 1 else np.where(numbers == 0, 0, -1)


def _by_fold(
    examples: Examples, number: Rows, members: int, classes: int
) -> dict[str, Float64[np.ndarray, "rows classes"]]:
    """What the simple methods say of each fold when they are trained on the others."""
    said: dict[str, Float64[np.ndarray, "rows classes"]] = {
        name: np.zeros((len(examples.truth), classes)) for name in NAMES
    }
    for k in range(members):
        inside, outside = np.flatnonzero(number == k), np.flatnonzero(number != k)
        known, unknown = examples.take(outside), examples.take(inside)
        for name in NAMES:
            method = Linear.fit(name, known.texts, known.truth, classes)
            said[name][inside] = method.probabilities(unknown.texts)
    return said


def _unseen(
    model: Ensemble, looked: list[Looked], rows: int, classes: int
) -> tuple[Float64[np.ndarray, "seen classes"], Rows]:
    """The mean logits of texts by the networks that did not train on them, and which texts these are."""
    total, times = np.zeros((rows, classes)), np.zeros(rows)
    for member, (corpus, parts) in zip(model.members, looked, strict=True):
        np.add.at(total, corpus.text[parts], logits_of(member, corpus, parts))
        np.add.at(times, corpus.text[parts], 1.0)
    seen = np.flatnonzero(times)
    return total[seen] / times[seen, None], seen


class _Course:
    """Draws batches for every network, and measures the losses."""

    def __init__(
        self,
        model: Ensemble,
        corpus: Corpus,
        truth: Rows,
        number: Rows,
        decision: Decision,
        config: TextClassifierConfig,
    ) -> None:
        self._model, self._corpus, self._config = model, corpus, config
        self._truth = torch.from_numpy(truth[corpus.text])
        self._adjustment = torch.from_numpy(decision.balance * np.log(decision.prior)).float()
        self._trained = [np.flatnonzero(number[corpus.text] != k) for k in range(len(model.members))]
        self.steps = -(-max(len(parts) for parts in self._trained) // config.batch)
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
        order, size = generator.permutation(self._trained[network]), self._config.batch
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
    counts = np.ones(shape)
    owner = np.repeat(np.arange(len(corpus.grams)), corpus.grams.lengths)
    used = np.isin(owner, parts)
    np.add.at(counts, (corpus.grams.values[used], truth[owner[used]]), 1.0)
    others = counts.sum(1, keepdims=True) - counts
    ratio = np.log(counts / counts.sum(0)) - np.log(others / others.sum(0))
    return torch.from_numpy(_WIDE * ratio).float()


def _fingerprint(examples: Examples, held_back: Examples | None, config: TextClassifierConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    for part in (examples, held_back):
        for text in () if part is None else part.texts:
            digest.update(clean(text).encode() + b"\0")
        if part is not None:
            digest.update(part.truth.tobytes())
    return digest.hexdigest()
