"""Train a series classifier: folds, one network for each, and what the recordings that each did not see say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64

from sluicegate.data import Recordings
from sluicegate.tasks.classification.cross_validation import said_by_fold
from sluicegate.tasks.classification.decision import Decision, Said
from sluicegate.tasks.classification.equal_rows import Ties
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.loss import MIN_DELTA
from sluicegate.tasks.classification.splitting import validation_folds
from sluicegate.training import Schedule, progress_bar, train

from .baselines import Method, Values, fit_all
from .config import SeriesClassifierConfig
from .copies import copies_noted, equal_recordings, shared_noted
from .model import Ensemble, Shape
from .objective import Objective
from .trained import Columns, Trained
from .windows import Standard, Windowed

_FEW = 2000  # recordings up to which several networks share the work
_FOLDS = 5
_CONSISTENCY = 1.0  # that is asked for there
_WHOLE = 400  # steps up to which recordings are read whole
_READ = 100  # steps of the recurrent layer at most
_EPOCHS, _STEPS, _MOST_STEPS = 60, 600, 12_000  # times through the recordings, and steps at least and at most
_LOOKS = 20  # at the validation recordings, if training goes all the way

Rows = Int64[np.ndarray, " _"]


@dataclass(frozen=True)
class Examples:
    """Recordings and the numbers of their classes.

    Args:
        recordings: with their groups where there are any.
        truth: the number of each one's class.
    """

    recordings: Recordings
    truth: Rows

    @property
    def groups(self) -> list[str] | None:
        """The name of each recording's group."""
        groups = self.recordings.groups
        return None if groups is None else [str(name) for name in groups.to_list()]


@dataclass(frozen=True)
class Validation:
    """What is known of the model on recordings that it was not trained on.

    Args:
        recordings: which.
        windowed: the same, standardised.
        truth: the number of each one's class.
        said: probabilities by method.
        notes: what a reader should know of recordings that are there several times.
        early: of causal networks, the probabilities after the first parts of each recording, by the share of these.
    """

    recordings: Recordings
    windowed: Windowed
    truth: Rows
    said: dict[str, Said]
    notes: tuple[str, ...] = ()
    early: Mapping[float, Said] = field(default_factory=dict)


def fit(
    examples: Examples,
    held_back: Examples | None,
    columns: Columns,
    labels: Labels,
    config: SeriesClassifierConfig,
    *,
    checkpoint: Path | None,
    resume: bool,
    progress: bool | None,
) -> tuple[Trained, Validation]:
    """Train on examples, with `held_back` to validate on where it is given.

    Returns:
        What was learnt, and what the recordings that validated say.
    """
    truth, classes = examples.truth, len(labels.classes)
    standard = Standard.of(examples.recordings)
    content = equal_recordings(examples.recordings)
    ties = Ties.of(truth, examples.groups, content, config.folds or 1)
    shape, window = _shape(examples, ties, classes, config)
    windowed = Windowed.of(examples.recordings, standard, window)
    decision = Decision.before(truth, classes, config.balance)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = Ensemble(shape)
    if held_back is None:
        shown, other = examples, windowed
        number = validation_folds(truth, ties, shape.members, config.seed)
        notes = copies_noted(windowed.channels, content, ties, number)
        looked = [np.flatnonzero(number == k) for k in range(shape.members)]
    else:
        shown, other = held_back, Windowed.of(held_back.recordings, standard, window)
        number = np.full(len(truth), -1)
        looked = [np.arange(len(shown.truth))] * shape.members
        notes = shared_noted(
            equal_recordings(examples.recordings, held_back.recordings), windowed.channels, other.channels
        )
    consistency = config.consistency
    if consistency is None:
        consistency = _CONSISTENCY if len(truth) <= _FEW else 0.0
    objective = Objective(model, windowed, truth, number, decision, config, consistency)
    epoch = -(-len(truth) // config.batch)
    steps = config.steps or min(max(_EPOCHS * epoch, _STEPS), _MOST_STEPS)
    curve = train(
        model,
        objective.parts(other, shown.truth, looked),
        Schedule(
            steps=steps,
            every=max(1, steps // _LOOKS),
            patience=config.patience,
            min_delta=MIN_DELTA,
            learning_rate=config.learning_rate,
            epoch=epoch,
        ),
        seed=config.seed,
        fingerprint=_fingerprint(examples, held_back, config),
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    logits = objective.unseen(other, looked, classes)
    methods, simple, seen = _simple(
        windowed.channels,
        truth,
        classes,
        None if held_back is None else other.channels,
        number,
        shape.members,
        progress,
    )
    decision, said = decision.after(logits[seen], shown.truth[seen], simple, blend=config.blend)
    majority = np.tile(np.bincount(truth, minlength=classes) / len(truth), (len(seen), 1))
    trained = Trained(
        columns=columns,
        labels=labels,
        standard=standard,
        window=window,
        shape=shape,
        model=model,
        decision=decision,
        rows=len(truth),
        steps=int(examples.recordings.lengths.sum()),
        methods=methods,
        curve=curve,
    )
    kept = shown.recordings.take(seen)
    return trained, Validation(
        kept,
        trained.windowed(kept),
        shown.truth[seen],
        {"model": said, "majority_class": majority, **simple},
        tuple(notes),
        {
            share: decision.calibrated(objective.unseen(other.first(share), looked, classes)[seen])
            for share in trained.early_shares
        },
    )


def _simple(
    recordings: Sequence[Values],
    truth: Rows,
    classes: int,
    held_back: Sequence[Values] | None,
    number: Rows,
    folds: int,
    progress: bool | None,
) -> tuple[tuple[Method, ...], dict[str, Said], Rows]:
    """The simple methods, what they say of recordings that they were not trained on, and which these are."""
    rounds = 1 if held_back is not None else folds + 1
    with progress_bar("training the simple methods", rounds, progress) as report:
        methods = fit_all(recordings, truth, classes)
        report(1)
        if held_back is not None:
            said = {method.name: method.probabilities(held_back) for method in methods}
            return methods, said, np.arange(len(held_back))
        done = iter(range(2, rounds + 1))

        def learn_and_say(outside: Rows, inside: Rows) -> dict[str, Said]:
            trained = fit_all([recordings[i] for i in outside], truth[outside], classes)
            report(next(done))
            return {method.name: method.probabilities([recordings[i] for i in inside]) for method in trained}

        return methods, *said_by_fold(number, folds, learn_and_say)


def _shape(examples: Examples, ties: Ties, classes: int, config: SeriesClassifierConfig) -> tuple[Shape, int]:
    """The sizes of the networks and of a window, as the knobs say or the recordings ask."""
    rows, longest = len(examples.truth), int(examples.recordings.lengths.max())
    window = config.window or (longest if longest <= _WHOLE else _WHOLE)
    few = _FOLDS if ties.parts is None else max(1, min(_FOLDS, ties.parts))
    members = config.folds or (few if rows <= _FEW else 1)
    stride = config.stride or -(-min(window, longest) // _READ)
    return (
        Shape(
            channels=len(examples.recordings.channels),
            classes=classes,
            stride=stride,
            hidden=config.hidden,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            members=members,
            memory=(min(window, longest) - 1) // stride + 1 if config.causal else 0,
        ),
        window,
    )


def _fingerprint(examples: Examples, held_back: Examples | None, config: SeriesClassifierConfig) -> str:
    digest = hashlib.sha256(config.model_dump_json().encode())
    for part in (examples, held_back):
        if part is not None:
            for values in part.recordings.values:
                digest.update(np.ascontiguousarray(values).tobytes() + b"\0")
            digest.update(part.truth.tobytes() + repr(part.groups).encode())
    return digest.hexdigest()
