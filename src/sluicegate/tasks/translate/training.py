"""Train a translator, and find the dictionary that it stands beside."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from sluicegate.tasks.generation.slots import SLOTS
from sluicegate.tasks.generation.training import Preparation
from sluicegate.tasks.report import Report
from sluicegate.training import Curve

from .dictionary import Dictionary
from .report import report
from .trained import Trained

_REPORTED = 1000  # validation pairs that are translated for the report, at most
_LONG = 0.99  # of the training sources are no longer than what is read at once


class TranslatorPreparation(Preparation[Trained]):
    """Pairs of texts made ready to train a translator on."""

    @property
    def slots(self) -> Collection[str]:
        """A translation keeps all numbers."""
        return SLOTS if self.config.copies else ()

    def _trained(self, curve: Curve) -> Trained:
        return Trained(
            columns=self.columns,
            subwords=self.subwords,
            shape=self.shape,
            model=self.model,
            pairs=len(self.pairs),
            curve=curve,
            reads=max(1, int(np.quantile(self.pairs.sources.lengths, _LONG))),
            dictionary=Dictionary.of(self.texts.sources, self.texts.targets),
        )

    def _report(self, trained: Trained, notes: Sequence[str]) -> Report:
        return report(trained, self.config, self.validating.first(_REPORTED), "validation pairs", notes)
