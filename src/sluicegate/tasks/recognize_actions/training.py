"""Train an action recognizer: what is read of clips, how large the networks are, and how long they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch

from sluicegate.data.joint_layouts import layout_of
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
from .clips import Alterations
from .config import ActionRecognizerConfig
from .examples import Examples, Rows, equal_clips
from .model import Ensemble, Shape
from .objective import Objective
from .prepared import Prepared, Reader
from .rate import usual_rate
from .report import report
from .trained import Columns, Trained, flat

_FEW = 2000  # clips up to which several networks share the work
_WHOLE = 2  # networks that are trained on all clips beside these
_EPOCHS, _STEPS, _MOST_STEPS = 50, 400, 2000  # times through the clips, and steps at least and at most
_CHECKS = 20  # of the validation loss, if training goes all the way
_NONE = np.empty((0, 2), dtype=np.int64)


class ActionPreparation(Preparation[Examples, Trained]):
    """Clips with their actions made ready to train on; where none are given to validate, some are held back."""

    what: ClassVar[str] = "clips"
    alike: ClassVar[str] = "they hold the same numbers"

    def __init__(
        self,
        examples: Examples,
        held_back: Examples | None,
        columns: Columns,
        labels: Labels,
        config: ActionRecognizerConfig,
    ) -> None:
        self._columns = columns
        joints, dimensions = examples.clips[0].values.shape[1:]
        layout = layout_of(config.layout, joints, dimensions)
        frames = None if config.causal else config.frames
        self._reader = Reader(layout, dimensions, usual_rate(examples.clips), frames)
        self._prepared = Prepared(self._reader, examples.clips)
        self._other = self._prepared
        if held_back is not None:
            self._other = Prepared(self._reader, held_back.clips, self._prepared.standard)
        several = [examples] if held_back is None else [examples, held_back]
        content = equal_clips(*several)
        super().__init__(examples, held_back, labels, config, content=content, near=_NONE, few=_FEW)
        self._shape = self._sizes(joints, dimensions)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self._model = Ensemble(self._shape)

    def _sizes(self, joints: int, dimensions: int) -> Shape:
        config = self.config
        return Shape(
            joints=joints,
            dimensions=dimensions,
            features=self._reader.features.count,
            classes=self.classes,
            frames=config.frames,
            hidden=config.hidden,
            layers=config.layers,
            cell=config.cell,
            dropout=config.dropout,
            members=self.members + self._whole,
            whole=self._whole,
            memory=self._usual_length if config.causal else 0,
        )

    @property
    def _whole(self) -> int:
        """Networks that train on all clips, as long as is best for those that others validate."""
        if self.held_back is not None:
            return 0  # all networks do
        asked = self.config.whole
        return asked if asked is not None else _WHOLE if self.members > 1 else 1

    @property
    def _usual_length(self) -> int:
        """Steps of a clip, the median."""
        return max(1, int(np.median([len(clip) for clip in self._prepared.normal])))

    @property
    def _alterations(self) -> Alterations:
        """How clips are altered: bodies are of size 1, and how large a point without bones is say its paths."""
        how = Alterations(mirror=self.config.mirror)
        if self._reader.layout.bones:
            return how
        size = float(np.sqrt(np.mean([np.square(clip).mean() for clip in self._prepared.normal])))
        return replace(how, astray=size * how.astray, jitter=size * how.jitter)

    def run(self, progress: bool | None) -> Run[Trained]:
        """What is trained, and for how long."""
        config = self.config
        if self.held_back is None:
            validation_rows = [np.flatnonzero(self.number == k) for k in range(self.members)]
        else:
            validation_rows = [np.arange(len(self.held_back.truth))] * self.members
        objective = Objective(
            self._model,
            self._prepared,
            self.examples.truth,
            self.number,
            self._other,
            validation_rows,
            self.validating.truth,
            loss_for(self.decision, config, few=False),
            self._alterations,
            seed=config.seed,
            batch=config.batch,
            whole=self._whole,
        )
        epoch = -(-self.rows // config.batch)
        steps = config.steps or min(max(_EPOCHS * epoch, _STEPS), _MOST_STEPS)
        every = max(1, steps // _CHECKS)
        return self.prepared(
            self._model, objective, steps=steps, every=every, epoch=epoch, blend=False, progress=progress
        )

    def _simple(self, seen: Rows, progress: bool | None) -> tuple[Sequence[Method], dict[str, Probabilities]]:
        clips, truth, classes = flat(self._prepared), self.examples.truth, self.classes
        rounds = self.members + 1 if self.held_back is None else 1
        with progress_bar("training the simple methods", rounds, progress) as told:
            methods = fit_all(clips, truth, classes)
            told(1)
            if self.held_back is not None:
                other = flat(self._other)
                return methods, {method.name: method.probabilities(other)[seen] for method in methods}
            done = iter(range(2, rounds + 1))

            def learn_and_predict(outside: Rows, inside: Rows) -> dict[str, Probabilities]:
                trained = fit_all([clips[i] for i in outside], truth[outside], classes)
                told(next(done))
                return {method.name: method.probabilities([clips[i] for i in inside]) for method in trained}

            return methods, probabilities_by_fold(self.number, self.members, learn_and_predict)

    def _trained(self, decision: Decision, methods: Sequence[Method], curve: Curve) -> Trained:
        return Trained(
            columns=self._columns,
            labels=self.labels,
            reader=self._reader,
            asked=self.config.layout,
            standard=self._prepared.standard,
            window=self._usual_length,
            shape=self._shape,
            model=self._model,
            decision=decision,
            rows=self.rows,
            steps=sum(len(clip) for clip in self.examples.clips),
            methods=tuple(methods),
            curve=curve,
        )

    def _report(self, trained: Trained, seen: Rows, predicted: dict[str, Probabilities], notes: list[str]) -> Report:
        return report(trained, Validation(self.validating.take(seen), predicted), "validation clips", notes)
