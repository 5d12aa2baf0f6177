"""The model card of an action recognizer."""

from __future__ import annotations

from sluicegate.tasks.classification.labels import listed
from sluicegate.tasks.classification.report import MEASURES
from sluicegate.tasks.results import Results, card, safe

from .config import ActionRecognizerConfig
from .trained import Trained


def action_card(config: ActionRecognizerConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    classes, shape = trained.labels.classes, trained.shape
    frequent = [f"{name} {share:.0%}" for name, share in zip(classes, trained.decision.prior.tolist(), strict=True)]
    rate = "unknown" if trained.reader.rate is None else f"{trained.reader.rate:.3g} steps a second"
    return card(
        "Actions",
        f"Tells {len(classes)} actions of people apart: {safe(listed(classes))}.",
        results,
        data=[
            f"{trained.rows:,} clips of {trained.steps:,} steps in all, their rate {rate}",
            f"skeletons of {shape.joints} joints in {shape.dimensions} dimensions",
            f"shares of the actions: {listed(frequent)}",
        ],
        settings=config.model_dump(mode="json")
        | {"folds": shape.members - shape.whole, "whole": shape.whole, "window": trained.window},
        measures=MEASURES,
        limits=[
            "It knows the actions above and no others: a clip of another kind gets one of them.",
            "It reads one person; who that is, is decided before.",
            "Skeletons must have the joints, and the order of joints, that training had.",
            "Its probabilities hold for people and cameras like those that it learnt from; `groups` tells of people "
            "that it has not seen.",
            "It must not decide about people alone: it has been trained on a few, and can be wrong about any.",
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.predict(clips)',
    )
