"""What training a classifier leaves behind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from sluicegate.tasks.trained import TrainedModel
from sluicegate.training import Curve

from .decision import Decision, Probabilities
from .labels import Labels
from .networks import Ensemble


@runtime_checkable
class Method(Protocol):
    """A simple method, trained on the same rows."""

    @property
    def name(self) -> str:
        """Its name in reports."""

    def probabilities(self, rows: Any) -> Probabilities:
        """The probability of each class, for each row."""


class TrainedClassifier(TrainedModel):
    """The networks, the simple methods beside them, and what makes answers of logits."""

    labels: Labels
    model: Ensemble
    decision: Decision
    rows: int
    methods: Sequence[Method]
    curve: Curve

    @abstractmethod
    def network(self, inputs: Any) -> Probabilities:
        """The networks' calibrated probability of each class, for each row."""

    def for_methods(self, inputs: Any) -> Any:
        """The rows as the simple methods take them."""
        return inputs

    def usable(self) -> Sequence[Method]:
        """The simple methods whose packages are installed."""
        return self.methods

    def probabilities(self, inputs: Any) -> Probabilities:
        """The probability of each class, for each row."""
        predicted = self.network(inputs)
        if self.decision.blend is None or not len(predicted):
            return predicted
        method = next(method for method in self.methods if method.name == self.decision.blend.name)
        return self.decision.mixed(predicted, method.probabilities(self.for_methods(inputs)))

    def compared(self, inputs: Any) -> dict[str, Probabilities]:
        """The probabilities of rows by the model and by each simple method."""
        predicted = {"model": self.probabilities(inputs)}
        prior = self.decision.prior
        predicted["majority_class"] = np.tile(prior / prior.sum(), (len(predicted["model"]), 1))
        rows = self.for_methods(inputs)
        return predicted | {method.name: method.probabilities(rows) for method in self.usable()}
