"""Train a classifier: folds, one network for each, and what the rows that each did not see settle."""

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

from .decision import Decision, Said
from .equal_rows import Pairs, Ties, copies_noted, shared_noted
from .examples import Examples, Rows, Validation
from .labels import Labels
from .loss import MIN_DELTA
from .networks import Ensemble
from .objective import Objective
from .predictions import FLATTERED
from .splitting import validation_folds
from .trained import TrainedClassifier

_NETWORKS = 5
_CONSISTENCY = 1.0  # that is asked for where there are few rows

Some = TypeVar("Some", bound=Examples)
Trained = TypeVar("Trained", bound=TrainedClassifier)


class Preparation(ABC, Generic[Some, Trained]):
    """Labelled rows made ready to train on: cut for the networks, each of which others validate.

    Args:
        examples: the rows.
        held_back: those that validate; None holds some of the rows back.
        labels: the classes.
        config: the knobs.
        content: a number for each row, the same for equal ones.
        few: rows up to which there are several networks.
    """

    what: ClassVar[str]
    """What the rows are called."""

    alike: ClassVar[str]
    """What makes two of them nearly equal."""

    def __init__(
        self, examples: Some, held_back: Some | None, labels: Labels, config: Any, *, content: Rows, few: int
    ) -> None:
        self.examples, self.held_back, self.labels, self.config = examples, held_back, labels, config
        self.rows, self.classes, self.content = len(examples.truth), len(labels.classes), content
        self.shown = examples if held_back is None else held_back
        ties = Ties.of(examples.truth, examples.groups, content, config.folds or 1)
        most = _NETWORKS if ties.parts is None else max(1, min(_NETWORKS, ties.parts))
        self.members = config.folds or (most if self.rows <= few else 1)
        if held_back is None:
            self.number = validation_folds(examples.truth, ties, self.members, config.seed)
            self.notes = copies_noted(self._near(), ties, self.number, self.what, self.alike)
        else:
            self.number = np.full(self.rows, -1)
            self.content = self._content_of_both(held_back)
            self.notes = shared_noted(self._near(), self.content, self.rows, self.what, self.alike)
        self.decision = Decision.before(examples.truth, self.classes, config.balance)

    @abstractmethod
    def _content_of_both(self, held_back: Some) -> Rows:
        """A number for each row to train on, then for each that validates, the same for equal ones."""

    @abstractmethod
    def _near(self) -> Pairs:
        """Pairs of rows that are nearly equal, numbered as `content` is."""

    @abstractmethod
    def _simple(self, seen: Rows, progress: bool | None) -> tuple[Sequence[Any], dict[str, Said]]:
        """The simple methods, and what they say of rows that they were not trained on."""

    @abstractmethod
    def _trained(self, decision: Decision, methods: Sequence[Any], curve: Curve) -> Trained:
        """What was learnt."""

    @abstractmethod
    def _validation(self, seen: Rows, said: dict[str, Said]) -> Validation[Some]:
        """What is known of the model on the rows that validated."""

    @abstractmethod
    def _report(self, trained: Trained, validation: Validation[Some], notes: Sequence[str]) -> Report:
        """The report on these rows."""

    def consistency(self, *, few: bool) -> float:
        """How much two readings of a row are to agree; unless given, it is asked for of few rows only."""
        given: float | None = self.config.consistency
        return given if given is not None else _CONSISTENCY if few else 0.0

    def prepared(
        self, model: Ensemble, objective: Objective, *, steps: int, every: int, epoch: int, blend: bool, progress: Any
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
            self._fingerprint(),
            lambda curve: self._finished(objective, curve, blend=blend, progress=progress),
        )

    def _finished(
        self, objective: Objective, curve: Curve, *, blend: bool, progress: bool | None
    ) -> tuple[Trained, Report]:
        self._ended()
        logits, seen = objective.unseen(self.classes)
        methods, simple = self._simple(seen, progress)
        decision, said = self.decision.after(logits, self.shown.truth[seen], simple, blend=blend)
        trained = self._trained(decision, methods, curve)
        frequency = np.bincount(self.examples.truth, minlength=self.classes) / self.rows
        compared = {"model": said, "majority_class": np.tile(frequency, (len(seen), 1)), **simple}
        validation = self._validation(seen, compared)
        return trained, self._report(trained, validation, [FLATTERED, *self.notes])

    def _fingerprint(self) -> str:
        config: TaskConfig = self.config
        digest = hashlib.sha256(config.model_dump_json().encode())
        for part in (self.examples, self.held_back):
            if part is not None:
                part.digest(digest)
        self._digest_further(digest)
        return digest.hexdigest()

    def _ended(self) -> None:
        """Settle what took part in training alone."""

    def _digest_further(self, digest: Any) -> None:
        """Add what else training sees."""
