"""The report of a classifier: its figures beside simple methods' on the same rows, and what it gets wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Int64

from sluicegate.metrics import classification_metrics, reliability
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.content import Passage

from .decision import UNEQUAL
from .examples import Examples, Validation
from .labels import Label
from .trained import TrainedClassifier
from .verdict import Rows, verdict

MEASURES = (
    Measure("accuracy", "share of rows whose predicted class is right", ideal=1.0),
    Measure(
        "balanced_accuracy", "mean over the classes of the share of their rows that was found: each counts alike", 1.0
    ),
    Measure("macro_f1", "mean over the classes of F1, the harmonic mean of precision and recall", 1.0),
    Measure("log_loss", "mean of minus the logarithm of the probability that the true class was given, in nats"),
    Measure(
        "ece",
        "expected calibration error: how far the probability of the predicted class lies from the share of times "
        "that it is right, in 15 bins of equal width (Guo et al. 2017)",
    ),
    Measure(
        "roc_auc",
        "chance that a row of a class has a higher probability of it than a row of another one, mean over the classes",
        1.0,
    ),
)

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
    from .pictures import draw  # with matplotlib, half a second to load, which no prediction needs

    examples: Examples = validation.examples
    predicted, truth, classes = validation.probabilities, examples.truth, trained.labels.classes
    answers = trained.decision.answers(predicted["model"])
    rows = Rows(truth, None if examples.groups is None else tuple(examples.groups))
    decided = {
        name: answers if name == "model" else probabilities.argmax(1) for name, probabilities in predicted.items()
    }
    metrics = {name: classification_metrics(truth, p, decided[name]) for name, p in predicted.items()}
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (truth, answers), 1)
    counts = np.bincount(truth, minlength=len(classes))
    details: dict[str, Any] = {
        "classes": [str(label) for label in classes],
        "confusion": confusion.tolist(),
        "reliability": {
            name: [[b.said, b.right, b.rows] for b in reliability(truth, probabilities)]
            for name, probabilities in predicted.items()
            if name != "majority_class"
        },
        "curve": asdict(trained.curve),
        "groups": _by_group(rows, answers),
    }
    present = counts[counts > 0]
    unequal = bool(len(present) > 1 and present.max() >= UNEQUAL * present.min())
    return Report(
        title=title,
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict("macro_f1" if unequal else "accuracy", metrics, decided, rows),
        facts={**facts, **trained.decision.facts(), **validation.facts},
        notes=(*notes, *validation.notes, *_caveats(classes, counts, unequal)),
        measures=MEASURES,
        draw=partial(draw, details),
        details=details,
        passages=_mistakes(trained, validation, answers, explained),
        passages_title="The most certain mistakes",
        passages_legend="A blue line under a part: it spoke for what the model said; an orange one: against it. The "
        "stronger the line, the larger its share.",
    )


def _mistakes(
    trained: TrainedClassifier,
    validation: Validation[Any],
    answers: Int64[np.ndarray, " rows"],
    explained: Callable[[int, int, str], Passage],
) -> tuple[Passage, ...]:
    """The most certain ones, explained."""
    truth, predicted, classes = validation.examples.truth, validation.probabilities["model"], trained.labels.classes
    wrong = np.flatnonzero(answers != truth)
    certain = wrong[np.argsort(-predicted[wrong, answers[wrong]], kind="stable")[:_MISTAKES]]
    passages = []
    for row in certain.tolist():
        label = int(answers[row])
        heading = f"said {classes[label]} ({predicted[row, label]:.2f}), is {classes[truth[row]]}"
        passages.append(explained(row, label, heading))
    return tuple(passages)


def _caveats(classes: Sequence[Label], counts: Int64[np.ndarray, " classes"], unequal: bool) -> list[str]:
    notes = []
    if unequal:
        present = np.flatnonzero(counts)
        most, least = present[counts[present].argmax()], present[counts[present].argmin()]
        notes.append(
            f"The classes are of unequal size, {counts[most]:,} rows of {classes[most]} and {counts[least]:,} of "
            f"{classes[least]}: accuracy flatters whoever says the large one, so macro F1 decides."
        )
    if missing := int((counts == 0).sum()):
        notes.append(f"{missing} of the {len(classes)} classes do not occur in these rows.")
    return notes


def _by_group(rows: Rows, answers: Int64[np.ndarray, " rows"]) -> dict[str, list[float]]:
    """For each group, the accuracy and the number of rows."""
    if rows.groups is None:
        return {}
    names = np.array([str(group) for group in rows.groups])
    return {
        str(name): [float((answers == rows.truth)[names == name].mean()), float((names == name).sum())]
        for name in np.unique(names)
    }


def network_facts(trained: TrainedClassifier, cell: str, hidden: int, beside: str = "", *, way: str = "each") -> str:
    """What the networks are, for the facts of a report."""
    members = len(trained.model.members)
    networks = "1 network" if members == 1 else f"the mean of {members} networks"
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    return f"{cell.upper()}, {hidden} units {way} way{beside}, {networks}, {weights:,} weights"
