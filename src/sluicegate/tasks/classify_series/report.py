"""The report of a series classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sluicegate.data.names import shown
from sluicegate.tasks.classification.decision import Decision, Probabilities
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.report import network_facts, reported
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .examples import Examples, Rows
from .explaining import explain
from .trained import Trained

_METHODS = {
    "nearest_neighbour": "the nearest training recording by Euclidean distance, all brought to 64 steps",
    "summary_statistics": "logistic regression on mean, deviation, extremes, quartiles and mean change of each channel",
    "minirocket": "ridge regression on 10,000 features of random convolutions, by sktime",
}


def report(trained: Trained, validation: Validation[Examples], title: str, notes: Sequence[str] = ()) -> Report:
    """Figures, facts and the most certain mistakes."""
    examples = validation.examples

    def explained(row: int, label: int, heading: str) -> Passage:
        found = explain(trained, trained.windowed(examples.recordings.take(np.array([row]))), 0, label)
        parts: list[tuple[str, float]] = []
        for begin, end, share in zip(found.edges[:-1], found.edges[1:], found.shares.sum(1), strict=True):
            parts += [(f"{begin}\u2013{end - 1}", float(share)), (" ", 0.0)]
        name = shown(examples.recordings.called[row])
        return Passage(f"recording {name}: {heading}; its stretches, in steps", tuple(parts))

    return reported(
        f"Class of recordings: {title}",
        trained,
        validation,
        facts=_facts(trained, validation),
        notes=notes,
        explained=explained,
    )


def _facts(trained: Trained, validation: Validation[Examples]) -> dict[str, str]:
    shape, lengths = trained.shape, validation.examples.recordings.lengths
    facts = {
        "recordings": f"{len(lengths):,}, of {lengths.min():,} to {lengths.max():,} steps",
        "trained on": f"{trained.rows:,} recordings, {trained.steps:,} steps",
        "channels": f"{shape.channels:,}",
        "classes": f"{len(trained.labels.classes):,}",
        "model": network_facts(trained, shape.cell, shape.hidden, way="one" if shape.causal else "each"),
        "read in": f"{_read_in(trained)}, each step of the recurrent layer {shape.stride:,} of them",
    }
    return facts | {name.replace("_", " "): _METHODS[name] for name in validation.probabilities if name in _METHODS}


def early_facts(decision: Decision, early: Mapping[float, Probabilities], truth: Rows) -> dict[str, str]:
    """How often causal networks are right before the end, by the share of each recording that they had read."""
    right = {share: float((decision.answers(probabilities) == truth).mean()) for share, probabilities in early.items()}
    return {f"after {share:.0%} of each recording": f"{r:.1%} of the answers are right" for share, r in right.items()}


def _read_in(trained: Trained) -> str:
    if trained.shape.causal:
        return f"whole recordings, one way, of which the last {trained.window:,} steps count most"
    return f"windows of {trained.window:,} steps at most that overlap by half"
