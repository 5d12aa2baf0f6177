"""The report of a classifier: figures, facts and the most certain mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .evaluation import Rows, report_on
from .examples import Examples, Validation
from .trained import TrainedClassifier

_MISTAKES = 8


def reported(
    title: str,
    trained: TrainedClassifier,
    validation: Validation[Any],
    *,
    facts: Mapping[str, str],
    notes: Sequence[str],
    explained: Callable[[int, int, str], Passage],
) -> Report:
    """Set the model beside the simple methods on the same rows.

    Args:
        title: what was evaluated.
        trained: what was learnt.
        validation: the rows, and what each method says of them.
        facts: how it was measured.
        notes: what a reader should bear in mind, before what the rows add to it.
        explained: given a row, the class that the model said and a heading, what each part of the row contributed.
    """
    examples: Examples = validation.examples
    said, groups = validation.said["model"], examples.groups
    answers, classes = trained.decision.answers(said), trained.labels.classes
    wrong = np.flatnonzero(answers != examples.truth)
    certain = wrong[np.argsort(-said[wrong, answers[wrong]], kind="stable")[:_MISTAKES]]
    passages = []
    for row in certain.tolist():
        label = int(answers[row])
        heading = f"said {classes[label]} ({said[row, label]:.2f}), is {classes[examples.truth[row]]}"
        passages.append(explained(row, label, heading))
    return report_on(
        title,
        classes,
        Rows(examples.truth, None if groups is None else tuple(groups)),
        validation.said,
        answers=answers,
        facts={**facts, **trained.decision.facts(), **validation.facts},
        notes=[*notes, *validation.notes],
        curve=trained.curve,
        passages=passages,
    )


def network_facts(trained: TrainedClassifier, cell: str, hidden: int, beside: str = "") -> str:
    """What the networks are, for the facts of a report."""
    members = len(trained.model.members)
    networks = "1 network" if members == 1 else f"the mean of {members} networks"
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    return f"{cell.upper()}, {hidden} units each way{beside}, {networks}, {weights:,} weights"
