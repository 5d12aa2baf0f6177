"""A task in one folder and few lines: its verbs go the one way from data to a report, and it fills in the steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from sluicegate.data import Source

from .config import TaskConfig
from .report import Report
from .report.figures import figure, words
from .results import card
from .task import Run, TrainedTask
from .trained import TrainedNetwork

Config = TypeVar("Config", bound=TaskConfig)
Trained = TypeVar("Trained", bound=TrainedNetwork)


class PlainTask(TrainedTask[Config, Trained]):
    """A task that takes its verbs as they are: of the steps, it says what is read, trained, compared and predicted.

    What training leaves behind is a `TrainedNetwork`. A task with more to say, such as arguments of its own for `fit`,
    is a `TrainedTask`.
    """

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        progress: bool | None = None,
        origin: Source | None = None,
        validation_origin: Source | None = None,
        **columns: Any,
    ) -> PlainTask[Config, Trained]:
        """Train on data.

        Args:
            data: what the task reads.
            validation: rows to validate on; None holds some back.
            checkpoint: a file that keeps the state of training, so that a killed run can go on.
            resume: go on from that file where it is there.
            progress: show a progress bar; None shows it on a terminal.
            origin: what the data are called in messages.
            validation_origin: what the validation rows are called in messages.
            columns: what the columns are, by the task's names for them.

        Returns:
            The task itself, with the report on the validation rows in `report`.
        """
        examples = self._read(data, columns, origin or Source())
        other = validation_origin or Source("the validation table")
        held_back = None if validation is None else self._read(validation, columns, other)
        run = self._prepare(examples, held_back, columns)
        self._learn(run, checkpoint=checkpoint, resume=resume, progress=progress)
        return self

    def evaluate(self, data: Any, *, origin: Source | None = None) -> Report:
        """Measure the model beside simple methods on the same rows of data."""
        examples = self._read(data, self._roles(), origin or Source())
        return self._evaluated(self._report(self.trained, examples, "evaluation"))

    def predict(self, data: Any, *, origin: Source | None = None) -> Any:
        """Apply the model to data."""
        trained = self.trained
        return self._predicted(trained, self._read(data, self._roles(), origin or Source()))

    @abstractmethod
    def _read(self, data: Any, columns: Mapping[str, Any], origin: Source) -> Any:
        """What training and prediction take of data.

        Raises:
            DataError: the data cannot be used as they are.
        """

    @abstractmethod
    def _prepare(self, examples: Any, held_back: Any, columns: Mapping[str, Any]) -> Run[Trained]:
        """The training run on what was read, with `held_back` to validate on where it was given."""

    @abstractmethod
    def _compared(self, trained: Trained, examples: Any) -> dict[str, dict[str, float]]:
        """The figures of the model, which comes first, and of each simple method on the same rows."""

    @abstractmethod
    def _predicted(self, trained: Trained, examples: Any) -> Any:
        """What the model says."""

    def _report(self, trained: Trained, examples: Any, title: str) -> Report:
        """The figures on some rows; the first of `measures` decides."""
        figures = self._compared(trained, examples)
        model, metric, ideal = figures["model"], self.measures[0].name, self.measures[0].ideal
        simple = {name: row for name, row in figures.items() if name != "model"}
        best = min(simple, key=lambda name: abs(simple[name][metric] - ideal))
        ahead = abs(model[metric] - ideal) < abs(simple[best][metric] - ideal)
        verdict = (
            f"Use {'the model' if ahead else words(best)}: {words(metric)} is {figure(model[metric])} of the model and "
            f"{figure(simple[best][metric])} of {words(best)}, the best simple method, on the same rows."
        )
        return Report(f"{self.name}: {title}", model, simple, verdict, measures=self.measures)

    def _roles(self) -> dict[str, Any]:
        return dict(self.trained.columns)

    def _card(self, trained: Trained) -> str:
        module = type(self).__module__
        return card(
            self.name,
            (type(self).__doc__ or "").partition("\n")[0],
            self._results,
            data=[f"{name}: {column}" for name, column in trained.columns.items()],
            settings=self.config.model_dump(mode="json"),
            measures=self.measures,
            limits=["Where the verdict names a simple method, use that."],
            use=f'import sluicegate\nimport {module}\n\nmodel = sluicegate.load("this-folder")',
        )
