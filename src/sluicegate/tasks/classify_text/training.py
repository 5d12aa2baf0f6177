"""Train a text classifier: folds, one network for each, and its probabilities of the rows not seen."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sluicegate.data.vectors import VectorFile
from sluicegate.data.words import clean
from sluicegate.tasks.classification.decision import Decision
from sluicegate.tasks.classification.equal_rows import Ties
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.loss import MIN_DELTA
from sluicegate.tasks.classification.splitting import validation_folds
from sluicegate.training import Schedule, train

from .baselines import by_fold, fit_both, majority
from .config import TextClassifierConfig
from .copies import copies_noted, equal_texts, shared_noted
from .corpus import Corpus
from .examples import Examples, Validation
from .grams import Grams
from .letters import Letters
from .model import Ensemble, Shape
from .objective import Objective, unseen
from .ragged import Ragged
from .spelling import Spelling
from .terms import Words
from .trained import Trained
from .vocabulary import Vocabulary

_FEW = 20_000  # rows up to which there are several networks, and a rare word has weights of its own
_FEW_TOKENS, _FEW_WEIGHTS = 100_000, 500_000  # and weights of words up to which they are wider, and read twice
_NETWORKS = 5
UNITS, _MORE_UNITS = 64, 128
_WINDOWS = (2, 3)  # words that convolutions see there; of larger tables they took half as long again and helped nothing
_CONSISTENCY = 1.0  # that is asked for there
_EPOCHS, _MORE_EPOCHS = 15, 25  # times through the rows, and where consistency is asked for, which takes longer
_STEPS, _MOST_STEPS = 400, 12_000  # at least and at most
_MANY, _LARGE_BATCH = 100_000, 256  # rows beyond which a step takes more of them: most of its time goes into weights
_LOOK_LEAST, _LOOK = 10, 1000  # steps between two validation checks: patience outlasts the warm-up
_BLENDED = 1000  # rows up to which the better simple method is mixed in: of 480 rows of MR it knows more
_GRAMS, _WIDE_WEIGHTS = 200_000, 1_000_000  # words and pairs, and weights of theirs for all classes, at most
_START = 0.3  # the size of a word's embedding at the start


def fit(
    examples: Examples,
    held_back: Examples | None,
    text: str,
    labels: Labels,
    config: TextClassifierConfig,
    *,
    vectors: VectorFile | None,
    checkpoint: Path | None,
    resume: bool,
    progress: bool | None,
) -> tuple[Trained, Validation]:
    """Train on examples, with `held_back` to validate on and `vectors` to start from where they are given.

    Returns:
        What was learnt, and what the rows that validated say.
    """
    rows, classes = len(examples.truth), len(labels.classes)
    batch = config.batch or (64 if rows <= _MANY else _LARGE_BATCH)
    words = Words.of(examples.texts)
    lined = words.long()  # words are as good as unique, so that all are read in pieces
    least = 1 if rows <= _FEW and not lined else 2
    vocabulary = Vocabulary.of(examples.texts, least, config, vectors)
    tokenizer = vocabulary.tokenizer
    # As they will be read, and as they will be read by a network that knows no rare word.
    capitals = config.lowercase and any(text != text.lower() for text in examples.texts)
    ways = [way for way in (tokenizer, vocabulary.strange) if way is not None]
    plain = [Corpus.of(examples.texts, way, capitals=capitals) for way in ways]
    together = Ragged.joined([corpus.tokens for corpus in plain])
    letters = Letters.of(tokenizer.tokens()) if lined else None
    grams = Grams.of(together, least, max(1, min(_GRAMS, _WIDE_WEIGHTS // classes)), letters)
    corpora = [replace(corpus, grams=grams.within(corpus.tokens)) for corpus in plain]
    few = len(plain[0].tokens.values) <= _FEW_TOKENS and len(grams.keys) * classes <= _FEW_WEIGHTS
    content = equal_texts(words)
    ties = Ties.of(examples.truth, examples.groups, content, config.folds or 1)
    members = config.folds or _networks(rows, ties)
    number = np.full(rows, -1)
    if held_back is None:
        number = validation_folds(examples.truth, ties, members, config.seed)
        notes = copies_noted(words, content, ties, number)
    else:
        notes = shared_noted(examples.texts, held_back.texts)
    shape = Shape(
        tokens=len(tokenizer),
        grams=len(grams.keys),
        classes=classes,
        embedding=vocabulary.embedding,
        hidden=config.hidden or (_MORE_UNITS if few else UNITS),
        layers=config.layers,
        cell=config.cell,
        dropout=config.dropout,
        word_dropout=config.word_dropout,
        members=members,
        capitals=capitals,
        windows=_WINDOWS if few else (),
    )
    decision = Decision.before(examples.truth, classes, config.balance)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = Ensemble(shape)
        spelling = Spelling.of(tokenizer.tokens()) if rows <= _FEW else None
        model.begin(torch.from_numpy(_START * vocabulary.start(together)), spelling)
    consistency = config.consistency
    if consistency is None:
        consistency = _CONSISTENCY if few else 0.0
    objective = Objective(model, corpora, examples.truth, number, decision, config, batch, consistency)
    if held_back is None:
        corpus = corpora[-1]
        looked = [(corpus, np.flatnonzero(number[corpus.text] == k)) for k in range(members)]
    else:
        other = Corpus.of(held_back.texts, tokenizer, grams, capitals=capitals)
        looked = [(other, np.arange(len(other.text)))] * members
    shown = examples if held_back is None else held_back
    steps = objective.steps * (config.epochs or 1)
    if config.epochs is None:
        epochs = _MORE_EPOCHS if consistency > 0 else _EPOCHS
        steps = min(max(epochs, -(-_STEPS // objective.steps)) * objective.steps, _MOST_STEPS)
    curve = train(
        model,
        objective.parts(looked, shown.truth),
        Schedule(
            steps=steps,
            every=max(_LOOK_LEAST, min(objective.steps // 2, _LOOK)),
            patience=config.patience,
            min_delta=MIN_DELTA,
            learning_rate=config.learning_rate,
            epoch=objective.steps,
        ),
        seed=config.seed,
        fingerprint=_fingerprint(examples, held_back, config, vocabulary),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    model.finish()
    logits, seen = unseen(model, looked, len(shown.truth), classes)
    kept = shown.take(seen)
    words = words.spelt() if lined else words
    if held_back is None:
        simple, baselines = by_fold(words, examples.truth, number, members, classes, config.seed)
        simple = {name: said[seen] for name, said in simple.items()}
    else:
        baselines, _ = fit_both(words, examples.truth, classes, config.seed)
        simple = {linear.name: linear.probabilities(kept.texts) for linear in baselines}
    blend = lined or rows <= _BLENDED if config.blend is None else config.blend
    decision, said = decision.after(logits, kept.truth, simple, blend=blend)
    trained = Trained(
        text=text,
        labels=labels,
        tokenizer=tokenizer,
        grams=grams,
        shape=shape,
        model=model,
        decision=decision,
        rows=rows,
        covered=vocabulary.covered,
        baselines=baselines,
        curve=curve,
    )
    majority_said = majority(examples.truth, classes, len(seen))
    new_words = tokenizer.shares(looked[0][0].tokens.values)
    said_of = {"model": said, "majority_class": majority_said, **simple}
    return trained, Validation(kept, said_of, new_words, tuple(notes))


def _networks(rows: int, ties: Ties) -> int:
    """How many to train: of some groups or different texts no more than these."""
    if rows > _FEW:
        return 1
    return _NETWORKS if ties.parts is None else max(1, min(_NETWORKS, ties.parts))


def _fingerprint(
    examples: Examples, held_back: Examples | None, config: TextClassifierConfig, vocabulary: Vocabulary
) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    for part in (examples, held_back):
        for text in () if part is None else part.texts:
            digest.update(clean(text).encode() + b"\0")
        if part is not None:
            digest.update(part.truth.tobytes())
    if vocabulary.vectors is not None:
        digest.update("\0".join(vocabulary.vectors.words).encode())
        digest.update(vocabulary.vectors.values.tobytes())
    return digest.hexdigest()
