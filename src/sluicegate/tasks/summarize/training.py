"""Train a summarizer, and count what the simple methods need beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluicegate.tasks.generation.training import Preparation
from sluicegate.tasks.report import Report
from sluicegate.training import Curve

from .config import SummarizerConfig
from .extracts import Weights
from .report import report
from .trained import Trained

_REPORTED = 1000  # validation texts that are summarized for the report, at most
_LONG = 0.99  # of the training summaries are shorter than the longest one that is written


class SummarizerPreparation(Preparation[Trained]):
    """Texts and their summaries made ready to train on."""

    config: SummarizerConfig

    @property
    def reads(self) -> int:
        """The beginning of a text tells what it is about."""
        return self.config.longest

    def _trained(self, curve: Curve) -> Trained:
        return Trained(
            columns=self.columns,
            subwords=self.subwords,
            shape=self.shape,
            model=self.model,
            pairs=len(self.pairs),
            curve=curve,
            reads=self.config.longest,
            writes=int(np.quantile(self.pairs.targets.lengths, _LONG)) + 1,
            weights=Weights.of(self.texts.sources),
        )

    def _report(self, trained: Trained, notes: Sequence[str]) -> Report:
        return report(trained, self.config, self.validating.first(_REPORTED), "validation rows", notes)
