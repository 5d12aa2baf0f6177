"""Train a tracker: how objects move, and what the tracker meets when it follows them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from sluicegate.data.boxes import BoxSequence
from sluicegate.errors import DataError
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Schedule

from .config import TrackerConfig
from .errors import Errors, fitted, put_into
from .examples import pieces_of
from .judging import Met, met, taught, together
from .labelling import Lesson
from .model import Shape, TrackerNetwork
from .objective import Objective
from .report import report
from .running import Follower, Mind, Rules
from .trained import Trained

_VALIDATED = 0.2  # of each sequence, its end
_STRENGTHS = (0.0, 0.5, 1.0, 1.0)  # of the jitter in copies of each sequence
_PIECES, _VALIDATING = 64, 800  # pieces for each of the steps' pieces at most, and those that validate
_ROUNDS = 3  # of following the training sequences and learning from it
_JUDGED = 600  # steps of each
_MATCHED_FIRST = 0.0  # logit of what overlaps, in the first round
_LEAST = 3  # boxes of an object that says how objects move


@dataclass(frozen=True)
class Given:
    """Sequences to learn from.

    Args:
        known: those with a detector's boxes.
        bare: those without.
    """

    known: Sequence[Lesson]
    bare: Sequence[BoxSequence]


class Preparation:
    """Sequences made ready to train on.

    Args:
        given: to train on.
        held_back: those that validate; None holds back the end of each.
        config: the settings.

    Raises:
        DataError: there is no object to learn from.
    """

    def __init__(self, given: Given, held_back: Given | None, config: TrackerConfig) -> None:
        self.config = config
        rng = np.random.default_rng((config.seed, 7))
        known, bare = list(given.known), list(given.bare)
        self.errors = fitted(known) if known else Errors()
        self.simulated = not known
        if not known:
            known = [put_into(truth, self.errors, rng) for truth in bare]
        if held_back is None:
            kept = 1 - _VALIDATED
            self.validating = [lesson.part(kept, 1.0) for lesson in known]
            known = [lesson.part(0.0, kept) for lesson in known]
            bare = [Lesson(truth, truth).part(0.0, kept).truth for truth in bare]
        else:
            others = [put_into(truth, self.errors, rng) for truth in held_back.bare] if not held_back.known else []
            self.validating = [*held_back.known, *others]
        self.known = [lesson for lesson in known if len(lesson.truth)]
        truths = [*(lesson.truth for lesson in self.known), *bare]
        _require_objects(truths)
        self.copies = [put_into(truth, self.errors, rng, strength) for truth in truths for strength in _STRENGTHS]
        self.rules = Rules(age=config.age)
        self.shape = Shape(config.cell, config.hidden, config.layers)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = TrackerNetwork(self.shape)
        count = min(8000, _PIECES * config.steps)
        self.pieces = pieces_of([*self.known, *self.known, *self.copies], count, rng)
        self.held_back = pieces_of(self.validating, min(_VALIDATING, count), rng)
        self.truths = truths

    def run(self) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        motion = self.network.motion
        objective = Objective(motion, self.pieces, self.held_back, config.batch)
        schedule = Schedule(
            steps=config.steps,
            every=max(1, config.steps // 15),
            patience=config.patience,
            learning_rate=config.learning_rate,
            epoch=max(1, len(self.pieces) // config.batch),
            warm_up=max(1, min(50, config.steps // 10)),
        )
        return Run(motion, [objective.part()], schedule, self._fingerprint(), self._finished)

    def _finished(self, curve: Curve) -> tuple[Trained, Report]:
        self._judge()
        config = self.config
        trained = Trained(
            shape=self.shape,
            model=self.network.eval(),
            rules=self.rules,
            errors=self.errors,
            rate=float(np.median([truth.rate for truth in self.truths])),
            mixed=config.mixed,
            sequences=len(self.truths),
            boxes=sum(map(len, self.truths)),
            simulated=self.simulated,
            curve=curve,
        )
        notes = [
            "There were no boxes of a detector to learn from: errors such as detectors make were put into true ones."
        ]
        return trained, report(trained, self.validating, "validation", notes if self.simulated else ())

    def _judge(self) -> None:
        """Teach the networks that judge, by what the tracker has met so far with those that it had."""
        met_so_far: list[tuple[Met, Met]] = []
        for number in range(_ROUNDS):
            rules = self.rules if number else replace(self.rules, match=_MATCHED_FIRST)
            follower = Follower(Mind(self.network, judges=number > 0), rules, classes=self.config.mixed)
            met_so_far.append(met(follower, self.known))
            pairs, tracks = zip(*met_so_far[-2:], strict=True)
            steps = min(_JUDGED, 20 * self.config.steps)
            taught(self.network.pairs, together(pairs), self.config.seed, steps)
            taught(self.network.tracks, together(tracks[-1:]), self.config.seed, steps)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.config.model_dump_json().encode())
        for part in (self.pieces, self.held_back):
            for tensor in (part.steps, part.ahead, part.truth, part.weight):
                digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


def _require_objects(truths: Sequence[BoxSequence]) -> None:
    for truth in truths:
        assert truth.ids is not None
        if len(truth) and np.unique(truth.ids, return_counts=True)[1].max() >= _LEAST:
            return
    raise DataError(
        f"no object has {_LEAST} boxes in the part that is trained on: expected objects that are followed over frames, "
        "each with one id"
    )
