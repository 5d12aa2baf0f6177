"""The report of a classifier: its figures beside simple methods' on the same rows, and what it gets wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from sluicegate.metrics import classification_metrics, reliability
from sluicegate.tasks.report import Measure, Report
from sluicegate.tasks.report.content import Passage
from sluicegate.training import Curve

from .labels import Label
from .pictures import draw
from .verdict import Rows as Rows
from .verdict import verdict

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

UNEQUAL = 3.0
"""Where the largest class has so many times the rows of the smallest one, macro F1 decides and not accuracy."""

Probabilities = Float64[np.ndarray, "rows classes"]


def report_on(
    title: str,
    classes: Sequence[Label],
    rows: Rows,
    said: Mapping[str, Probabilities],
    *,
    answers: Int64[np.ndarray, " rows"],
    facts: Mapping[str, str],
    notes: Sequence[str],
    curve: Curve,
    passages: Sequence[Passage],
) -> Report:
    """Score what the model and each simple method predict for the rows.

    Args:
        title: what was evaluated.
        classes: the classes in the order of their numbers.
        rows: what was classified.
        said: predicted probabilities by method, `model` first.
        answers: the number of the class that the model predicted, the most probable one or another.
        facts: how it was measured.
        notes: what a reader should bear in mind.
        curve: the learning curve.
        passages: the most certain mistakes, with each part's share in the decision.
    """
    truth = rows.truth
    decided = {name: answers if name == "model" else probabilities.argmax(1) for name, probabilities in said.items()}
    metrics = {name: classification_metrics(truth, p, decided[name]) for name, p in said.items()}
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (truth, answers), 1)
    counts = np.bincount(truth, minlength=len(classes))
    details: dict[str, Any] = {
        "classes": [str(label) for label in classes],
        "confusion": confusion.tolist(),
        "reliability": {
            name: [[b.said, b.right, b.rows] for b in reliability(truth, probabilities)]
            for name, probabilities in said.items()
            if name != "majority_class"
        },
        "curve": asdict(curve),
        "groups": _by_group(rows, answers),
    }
    present = counts[counts > 0]
    unequal = bool(len(present) > 1 and present.max() >= UNEQUAL * present.min())
    return Report(
        title=title,
        metrics=metrics["model"],
        baselines={name: row for name, row in metrics.items() if name != "model"},
        verdict=verdict("macro_f1" if unequal else "accuracy", metrics, decided, rows),
        facts=dict(facts),
        notes=(*notes, *_caveats(classes, counts, unequal)),
        measures=MEASURES,
        draw=partial(draw, details),
        details=details,
        passages=tuple(passages),
    )


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
