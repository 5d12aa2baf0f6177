"""Train a series classifier: the windows that are read, how large the networks are, and how long they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from sluicegate.tasks.classification.cross_validation import probabilities_by_fold
from sluicegate.tasks.classification.decision import Decision, Probabilities
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.labels import Labels
from sluicegate.tasks.classification.objective import loss_for
from sluicegate.tasks.classification.training import Preparation
from sluicegate.tasks.report import Report
from sluicegate.tasks.task import Run
from sluicegate.training import Curve, progress_bar

from .baselines import Method, fit_all
from .config import SeriesClassifierConfig
from .copies import ALIKE, equal_recordings, near_recordings
from .examples import Examples, Rows
from .model import Ensemble, Shape
from .objective import Objective
from .report import early_facts, report
from .trained import Columns, Trained
from .windows import Standard, Windowed

_FEW = 2000  # recordings up to which several networks share the work
_WHOLE = 400  # steps up to which recordings are read whole
_READ = 100  # steps of the recurrent layer at most
_EPOCHS, _STEPS, _MOST_STEPS = 60, 600, 12_000  # times through the recordings, and steps at least and at most
_CHECKS = 20  # of the validation loss, if training goes all the way


class SeriesPreparation(Preparation[Examples, Trained]):
    """Labelled recordings made ready to train on; where none are given to validate, some are held back."""

    what: ClassVar[str] = "recordings"
    alike: ClassVar[str] = ALIKE

    def __init__(
        self,
        examples: Examples,
        held_back: Examples | None,
        columns: Columns,
        labels: Labels,
        config: SeriesClassifierConfig,
    ) -> None:
        self._columns = columns
        self._standard = Standard.of(examples.recordings)
        self._longest = int(examples.recordings.lengths.max())
        self._window = config.window or min(self._longest, _WHOLE)
        self._windowed, self._other = (
            Windowed.of(part.recordings, self._standard, self._window)
            for part in (examples, examples if held_back is None else held_back)
        )
        recordings, channels = [examples.recordings], self._windowed.channels
        if held_back is not None:
            recordings, channels = [*recordings, held_back.recordings], [*channels, *self._other.channels]
        content = equal_recordings(*recordings)
        near = near_recordings(channels, content)
        super().__init__(examples, held_back, labels, config, content=content, near=near, few=_FEW)
        self._shape = self._sizes()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self._model = Ensemble(self._shape)

    def _sizes(self) -> Shape:
        config = self.config
        stride = config.stride or -(-min(self._window, self._longest) // _READ)
        return Shape(
            channels=len(self.examples.recordings.channels),
            classes=self.classes,
            stride=stride,
            hidden=config.hidden,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            members=self.members,
            memory=(min(self._window, self._longest) - 1) // stride + 1 if config.causal else 0,
        )

    def run(self, progress: bool | None) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        if self.held_back is None:
            validation_rows = [np.flatnonzero(self.number == k) for k in range(self.members)]
        else:
            validation_rows = [np.arange(len(self.held_back.truth))] * self.members
        self._objective = Objective(
            self._model,
            self._windowed,
            self.examples.truth,
            self.number,
            self._other,
            validation_rows,
            self.validating.truth,
            loss_for(self.decision, config, few=self.rows <= _FEW),
            seed=config.seed,
            batch=config.batch,
        )
        epoch = -(-self.rows // config.batch)
        steps = config.steps or min(max(_EPOCHS * epoch, _STEPS), _MOST_STEPS)
        every = max(1, steps // _CHECKS)
        return self.prepared(
            self._model, self._objective, steps=steps, every=every, epoch=epoch, blend=config.blend, progress=progress
        )

    def _simple(self, seen: Rows, progress: bool | None) -> tuple[Sequence[Method], dict[str, Probabilities]]:
        recordings, truth, classes = self._windowed.channels, self.examples.truth, self.classes
        rounds = self.members + 1 if self.held_back is None else 1
        with progress_bar("training the simple methods", rounds, progress) as report:
            methods = fit_all(recordings, truth, classes)
            report(1)
            if self.held_back is not None:
                return methods, {method.name: method.probabilities(self._other.channels)[seen] for method in methods}
            done = iter(range(2, rounds + 1))

            def learn_and_predict(outside: Rows, inside: Rows) -> dict[str, Probabilities]:
                trained = fit_all([recordings[i] for i in outside], truth[outside], classes)
                report(next(done))
                return {method.name: method.probabilities([recordings[i] for i in inside]) for method in trained}

            return methods, probabilities_by_fold(self.number, self.members, learn_and_predict)

    def _trained(self, decision: Decision, methods: Sequence[Method], curve: Curve) -> Trained:
        return Trained(
            columns=self._columns,
            labels=self.labels,
            standard=self._standard,
            window=self._window,
            shape=self._shape,
            model=self._model,
            decision=decision,
            rows=self.rows,
            steps=int(self.examples.recordings.lengths.sum()),
            methods=tuple(methods),
            curve=curve,
        )

    def _report(self, trained: Trained, seen: Rows, predicted: dict[str, Probabilities], notes: list[str]) -> Report:
        kept, decision = self.validating.take(seen), trained.decision
        early = {
            share: decision.calibrated(self._objective.early(share).unseen(self.classes)[0])
            for share in trained.early_shares
        }
        facts = early_facts(decision, early, kept.truth)
        return report(trained, Validation(kept, predicted, facts=facts), "validation recordings", notes)
