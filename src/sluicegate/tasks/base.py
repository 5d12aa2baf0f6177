"""What every task is: the same verbs, and a folder that holds it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from sluicegate import bundle
from sluicegate.errors import BundleError

from .report import Report


class Task(ABC):
    """A task: `fit`, `evaluate`, `predict` and `save`; `load` brings it back.

    A subclass names itself in `name`, under which saved models say whose they are.
    """

    name: ClassVar[str]
    _known: ClassVar[dict[str, type[Task]]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        Task._known[cls.name] = cls

    @abstractmethod
    def fit(self, data: Any, *args: Any, **kwargs: Any) -> Task:
        """Train on data and return the task itself."""

    @abstractmethod
    def evaluate(self, data: Any, *args: Any, **kwargs: Any) -> Report:
        """Measure the model beside simple methods on the same rows of data."""

    @abstractmethod
    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to data."""

    @abstractmethod
    def _files(self) -> dict[str, bytes]:
        """The files of the saved model, `config.json` among them."""

    @classmethod
    @abstractmethod
    def _from_bundle(cls, saved: bundle.Bundle) -> Task:
        """The task that `_files` wrote."""

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, whole or not at all; an older model there is replaced.

        Raises:
            NotFittedError: there is nothing to save yet.
            BundleError: the folder cannot be written, or holds something else.
        """
        bundle.write(folder, self._files())


def load(folder: str | Path) -> Task:
    """Load a model that `save` wrote.

    Raises:
        BundleError: the folder is not there, was cut short or altered, or was written by a newer version.
    """
    saved = bundle.read(folder)
    task = saved.json(bundle.CONFIG).get("task")
    if task not in Task._known:
        raise BundleError(
            f"{saved.folder} holds a model for the task {task!r}, which this version does not know "
            f"(it knows {', '.join(sorted(Task._known))}): install a newer sluicegate"
        )
    return Task._known[task]._from_bundle(saved)
