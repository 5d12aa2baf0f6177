"""The report of an action recognizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from sluicegate.data.names import shown
from sluicegate.tasks.classification.examples import Validation
from sluicegate.tasks.classification.report import network_facts, reported
from sluicegate.tasks.report import Report
from sluicegate.tasks.report.content import Passage

from .examples import Examples
from .explaining import explain
from .pictures import draw, told
from .trained import Trained

_METHODS = {
    "time_warping": "the nearest training clip by dynamic time warping of normalised skeletons, in 24 steps",
    "summary_statistics": "logistic regression on mean, deviation, extremes, quartiles and mean change of each joint",
    "minirocket": "ridge regression on 10,000 features of random convolutions, by sktime",
}
_DRAWN = 4  # mistakes


def report(trained: Trained, validation: Validation[Examples], title: str, notes: Sequence[str] = ()) -> Report:
    """Figures, facts and the most certain mistakes."""
    examples = validation.examples
    mistakes: list[dict[str, Any]] = []
    upwards = trained.shape.dimensions == 3

    def explained(row: int, label: int, heading: str) -> Passage:
        prepared = trained.prepared([examples.clips[row]])
        found = explain(trained, prepared, 0, label)
        parts: list[tuple[str, float]] = []
        for begin, end, shares in zip(found.edges[:-1], found.edges[1:], found.shares, strict=True):
            most = int(np.abs(shares).argmax())
            parts += [(f"{begin:.0%}\u2013{end:.0%}: joint {most}", float(shares.sum())), (" ", 0.0)]
        name = shown(examples.called[row])
        if len(mistakes) < _DRAWN:
            mistakes.append(told(prepared.normal[0], f"{name}: {heading}", upwards=upwards))
        return Passage(f"{name}: {heading}; its stretches, each with the joint that weighs most", tuple(parts))

    made = reported(
        f"Actions: {title}",
        trained,
        validation,
        facts=_facts(trained, validation),
        notes=notes,
        explained=explained,
    )
    details = {**made.details, "mistakes": mistakes, "bones": [list(bone) for bone in trained.reader.layout.bones]}
    return replace(made, details=details, draw=partial(draw, details))


def _facts(trained: Trained, validation: Validation[Examples]) -> dict[str, str]:
    shape, reader = trained.shape, trained.reader
    lengths = [len(clip) for clip in validation.examples.clips]
    rate = "at their own rate" if reader.rate is None else f"at {reader.rate:.3g} steps a second"
    facts = {
        "clips": f"{len(lengths):,}, of {min(lengths):,} to {max(lengths):,} steps",
        "trained on": f"{trained.rows:,} clips, {trained.steps:,} steps",
        "skeletons": f"{shape.joints} joints in {shape.dimensions}-D, {reader.layout.name or 'layout unknown'}",
        "actions": f"{len(trained.labels.classes):,}",
        "model": network_facts(trained, shape.cell, shape.hidden, way="one" if shape.causal else "each"),
        "read": f"step by step, {rate}" if shape.causal else f"in {shape.frames} steps, whatever the length",
    }
    return facts | {name.replace("_", " "): _METHODS[name] for name in validation.probabilities if name in _METHODS}
