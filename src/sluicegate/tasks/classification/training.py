"""Train a classifier: folds, one network for each, and what the rows that each did not see settle.

A fit is here before the task builds its networks, which need the folds, and again when they are `prepared`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from sluicegate.tasks.config import TaskConfig
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, Schedule

from .decision import Decision, Probabilities
from .equal_rows import Pairs, Ties, copies_noted, shared_noted
from .examples import Examples, Rows
from .labels import Labels
from .loss import MIN_DELTA
from .networks import Ensemble
from .objective import Objective
from .predictions import FLATTERED
from .splitting import validation_folds
from .trained import TrainedClassifier

_NETWORKS = 5

Some = TypeVar("Some", bound=Examples)
Trained = TypeVar("Trained", bound=TrainedClassifier)


class Preparation(ABC, Generic[Some, Trained]):
    """Labelled rows made ready to train on: cut for the networks, each of which others validate.

    Args:
        examples: the rows.
        held_back: those that validate; None holds some of the rows back.
        labels: the classes.
        config: the settings.
        content: a number for each row to train on, then for each that validates, the same for equal ones.
        near: pairs of rows that are nearly equal, numbered as `content` is.
        few: rows up to which there are several networks.
    """

    what: ClassVar[str]
    """What the rows are called."""

    alike: ClassVar[str]
    """What makes two of them nearly equal."""

    def __init__(
        self,
        examples: Some,
        held_back: Some | None,
        labels: Labels,
        config: Any,
        *,
        content: Rows,
        near: Pairs,
        few: int,
    ) -> None:
        self.examples, self.held_back, self.labels, self.config = examples, held_back, labels, config
        self.rows, self.classes = len(examples.truth), len(labels.classes)
        self.validating = examples if held_back is None else held_back
        ties = Ties.of(examples.truth, examples.groups, content[: self.rows], config.folds or 1)
        most = _NETWORKS if ties.parts is None else max(1, min(_NETWORKS, ties.parts))
        self.members = config.folds or (most if self.rows <= few else 1)
        self.number = np.full(self.rows, -1)
        if held_back is None:
            self.number = validation_folds(examples.truth, ties, self.members, config.seed)
        self._content, self._near, self._ties = content, near, ties
        self.decision = Decision.before(examples.truth, self.classes, config.balance)

    @abstractmethod
    def _simple(self, seen: Rows, progress: bool | None) -> tuple[Sequence[Any], dict[str, Probabilities]]:
        """The simple methods, and what they say of rows that they were not trained on."""

    @abstractmethod
    def _trained(self, decision: Decision, methods: Sequence[Any], curve: Curve) -> Trained:
        """What was learnt."""

    @abstractmethod
    def _report(self, trained: Trained, seen: Rows, predicted: dict[str, Probabilities], notes: list[str]) -> Report:
        """The report on the rows that validated."""

    def prepared(
        self,
        model: Ensemble,
        objective: Objective,
        *,
        steps: int,
        every: int,
        epoch: int,
        blend: bool,
        progress: bool | None,
        further: Sequence[bytes] = (),
    ) -> Run[Trained]:
        """The run.

        Args:
            model: the networks.
            objective: what they are trained on.
            steps: at most.
            every: steps between two validation checks.
            epoch: steps in which the rows go by once.
            blend: whether the best simple method is mixed in.
            progress: whether a progress bar is shown.
            further: what training sees beside the rows.
        """
        return Run(
            model,
            objective.parts(),
            Schedule(
                steps=steps,
                every=every,
                patience=self.config.patience,
                min_delta=MIN_DELTA,
                learning_rate=self.config.learning_rate,
                epoch=epoch,
            ),
            self._fingerprint(further),
            lambda curve: self._finished(objective, curve, blend=blend, progress=progress),
        )

    def _finished(
        self, objective: Objective, curve: Curve, *, blend: bool, progress: bool | None
    ) -> tuple[Trained, Report]:
        self._ended()
        logits, seen = objective.unseen(self.classes)
        methods, simple = self._simple(seen, progress)
        decision, predicted = self.decision.after(logits, self.validating.truth[seen], simple, blend=blend)
        trained = self._trained(decision, methods, curve)
        compared = {"model": predicted, "majority_class": np.tile(self.decision.prior, (len(seen), 1)), **simple}
        if self.held_back is None:
            notes = copies_noted(self._near, self._ties, self.number, self.what, self.alike)
        else:
            notes = shared_noted(self._near, self._content, self.rows, self.what, self.alike)
        return trained, self._report(trained, seen, compared, [FLATTERED, *notes])

    def _fingerprint(self, further: Sequence[bytes]) -> str:
        config: TaskConfig = self.config
        digest = hashlib.sha256(config.model_dump_json().encode())
        for part in (self.examples, self.held_back):
            if part is not None:
                part.digest(digest)
        for content in further:
            digest.update(content)
        return digest.hexdigest()

    def _ended(self) -> None:
        """Settle what took part in training alone."""
