"""The report of a series classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sluicegate.data.names import shown
from sluicegate.tasks.classes.evaluation import Rows, report_on
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .explaining import explain
from .fitted import Fitted
from .fitting import Validation

_MISTAKES = 8
_METHODS = {
    "nearest_neighbour": "the nearest training recording by Euclidean distance, all brought to 64 steps",
    "summary_statistics": "logistic regression on mean, deviation, extremes, quartiles and mean change of each channel",
    "minirocket": "ridge regression on 10,000 features of random convolutions, by sktime",
}


def report(fitted: Fitted, validation: Validation, title: str, notes: Sequence[str]) -> Report:
    """Figures, facts and the most certain mistakes."""
    groups = validation.recordings.groups
    return report_on(
        f"Class of recordings: {title}",
        fitted.labels.classes,
        Rows(validation.truth, None if groups is None else tuple(groups.to_list())),
        validation.said,
        answers=fitted.decision.answers(validation.said["model"]),
        facts=_facts(fitted, validation),
        notes=notes,
        curve=fitted.curve,
        passages=_mistakes(fitted, validation),
    )


def _facts(fitted: Fitted, validation: Validation) -> dict[str, str]:
    shape, lengths = fitted.shape, validation.recordings.lengths
    networks = "1 network" if shape.members == 1 else f"the mean of {shape.members} networks"
    weights = sum(parameter.numel() for parameter in fitted.model.parameters())
    facts = {
        "recordings": f"{len(lengths):,}, of {lengths.min():,} to {lengths.max():,} steps",
        "trained on": f"{fitted.rows:,} recordings, {fitted.steps:,} steps",
        "channels": f"{shape.channels:,}",
        "classes": f"{len(fitted.labels.classes):,}",
        "model": f"{shape.cell.upper()}, {shape.hidden} units each way, {networks}, {weights:,} weights",
        "read in": f"windows of {fitted.window:,} steps at most that overlap by half, each step of the recurrent layer "
        f"{shape.stride:,} of them",
    }
    facts |= {name.replace("_", " "): _METHODS[name] for name in validation.said if name in _METHODS}
    return facts | fitted.decision.facts()


def _mistakes(fitted: Fitted, validation: Validation) -> list[Passage]:
    said, truth, classes = validation.said["model"], validation.truth, fitted.labels.classes
    answers = fitted.decision.answers(said)
    wrong = np.flatnonzero(answers != truth)
    certain = wrong[np.argsort(-said[wrong, answers[wrong]], kind="stable")[:_MISTAKES]]
    passages = []
    for row in certain.tolist():
        found = explain(fitted, validation.windowed, row, int(answers[row]))
        parts: list[tuple[str, float]] = []
        for begin, end, share in zip(found.edges[:-1], found.edges[1:], found.shares.sum(1), strict=True):
            parts += [(f"{begin}\u2013{end - 1}", float(share)), (" ", 0.0)]
        name = shown(validation.recordings.called[row])
        heading = f"recording {name}: said {classes[answers[row]]} ({said[row, answers[row]]:.2f}), is "
        passages.append(Passage(f"{heading}{classes[truth[row]]}; its stretches, in steps", tuple(parts)))
    return passages
