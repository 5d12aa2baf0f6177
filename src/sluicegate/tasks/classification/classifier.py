"""What the tasks that tell classes apart share, above how each reads its rows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sluicegate.errors import ConfigError
from sluicegate.tasks.config import TaskConfig
from sluicegate.tasks.task import TrainedTask

from .report import MEASURES
from .trained import TrainedClassifier

if TYPE_CHECKING:
    from .estimator import Estimator

Config = TypeVar("Config", bound=TaskConfig)
Trained = TypeVar("Trained", bound=TrainedClassifier)


class Classifier(TrainedTask[Config, Trained]):
    """A task that tells classes apart."""

    measures = MEASURES
    rows_called: ClassVar[str]
    """What its rows are called in messages."""

    estimator: ClassVar[str]
    """The name of its class for scikit-learn's tools, in the module `estimator` beside its own."""

    def as_sklearn(self) -> Estimator:
        """An untrained classifier with the same settings for scikit-learn's tools: `fit(X, y)`, labels as answers."""
        # With scikit-learn, which takes longer to load than all that a prediction needs.
        beside = import_module(".estimator", type(self).__module__.rpartition(".")[0])
        found: Estimator = getattr(beside, self.estimator)(**dict(self.config))
        return found

    def _require_no_folds(self, validation: Any) -> None:
        """Refuse rows to validate on where the rows are to be cut.

        Raises:
            ConfigError: both are asked for.
        """
        folds = getattr(self.config, "folds", None)
        if validation is not None and (folds or 1) > 1:
            raise ConfigError(
                f"`folds` (={folds}) cuts the {self.rows_called} into parts that validate, and `validation` brings "
                f"{self.rows_called} that do: give one of the two"
            )
