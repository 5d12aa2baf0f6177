"""The report of a series classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluicegate.data.names import shown
from sluicegate.tasks.classification.evaluation import Rows, report_on
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .explaining import explain
from .trained import Trained
from .training import Validation

_MISTAKES = 8
_METHODS = {
    "nearest_neighbour": "the nearest training recording by Euclidean distance, all brought to 64 steps",
    "summary_statistics": "logistic regression on mean, deviation, extremes, quartiles and mean change of each channel",
    "minirocket": "ridge regression on 10,000 features of random convolutions, by sktime",
}


def report(trained: Trained, validation: Validation, title: str, notes: Sequence[str]) -> Report:
    """Figures, facts and the most certain mistakes."""
    groups = validation.recordings.groups
    return report_on(
        f"Class of recordings: {title}",
        trained.labels.classes,
        Rows(validation.truth, None if groups is None else tuple(groups.to_list())),
        validation.said,
        answers=trained.decision.answers(validation.said["model"]),
        facts=_facts(trained, validation),
        notes=notes,
        curve=trained.curve,
        passages=_mistakes(trained, validation),
    )


def _facts(trained: Trained, validation: Validation) -> dict[str, str]:
    shape, lengths = trained.shape, validation.recordings.lengths
    networks = "1 network" if shape.members == 1 else f"the mean of {shape.members} networks"
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    facts = {
        "recordings": f"{len(lengths):,}, of {lengths.min():,} to {lengths.max():,} steps",
        "trained on": f"{trained.rows:,} recordings, {trained.steps:,} steps",
        "channels": f"{shape.channels:,}",
        "classes": f"{len(trained.labels.classes):,}",
        "model": f"{shape.cell.upper()}, {shape.hidden} units {'one' if shape.causal else 'each'} way, {networks}, "
        f"{weights:,} weights",
        "read in": f"{_read_in(trained)}, each step of the recurrent layer {shape.stride:,} of them",
    }
    for share, said in validation.early.items():
        right = (trained.decision.answers(said) == validation.truth).mean()
        facts[f"after {share:.0%} of each recording"] = f"{right:.1%} of the answers are right"
    facts |= {name.replace("_", " "): _METHODS[name] for name in validation.said if name in _METHODS}
    return facts | trained.decision.facts()


def _read_in(trained: Trained) -> str:
    if trained.shape.causal:
        return f"whole recordings, one way, of which the last {trained.window:,} steps count most"
    return f"windows of {trained.window:,} steps at most that overlap by half"


def _mistakes(trained: Trained, validation: Validation) -> list[Passage]:
    said, truth, classes = validation.said["model"], validation.truth, trained.labels.classes
    answers = trained.decision.answers(said)
    wrong = np.flatnonzero(answers != truth)
    certain = wrong[np.argsort(-said[wrong, answers[wrong]], kind="stable")[:_MISTAKES]]
    passages = []
    for row in certain.tolist():
        found = explain(trained, validation.windowed, row, int(answers[row]))
        parts: list[tuple[str, float]] = []
        for begin, end, share in zip(found.edges[:-1], found.edges[1:], found.shares.sum(1), strict=True):
            parts += [(f"{begin}\u2013{end - 1}", float(share)), (" ", 0.0)]
        name = shown(validation.recordings.called[row])
        heading = f"recording {name}: said {classes[answers[row]]} ({said[row, answers[row]]:.2f}), is "
        passages.append(Passage(f"{heading}{classes[truth[row]]}; its stretches, in steps", tuple(parts)))
    return passages
