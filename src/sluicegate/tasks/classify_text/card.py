"""The model card of a text classifier."""

from __future__ import annotations

from sluicegate.tasks.classification.labels import listed
from sluicegate.tasks.classification.report import MEASURES
from sluicegate.tasks.results import Results, card, safe

from .config import TextClassifierConfig
from .trained import Trained


def text_card(config: TextClassifierConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    classes, shape = trained.labels.classes, trained.shape
    frequent = [f"{name} {share:.0%}" for name, share in zip(classes, trained.decision.prior.tolist(), strict=True)]
    chosen = {"embedding": shape.embedding, "folds": shape.members}
    return card(
        f"Class of {trained.text}",
        f"Tells {len(classes)} classes of texts apart: {safe(listed(classes))}.",
        results,
        data=[
            f"{trained.rows:,} rows",
            f"text: column {trained.text}; class: column {trained.labels.column}",
            f"shares of the classes: {listed(frequent)}",
            f"{shape.tokens:,} words and pieces of words",
            *(() if trained.covered is None else (f"vectors to start from: {trained.covered.fact()}",)),
        ],
        settings=config.model_dump(mode="json") | chosen,
        measures=MEASURES,
        limits=[
            "It knows the classes above and no others: a text of another kind gets one of them.",
            "It learnt from these texts: words that they lack are read as pieces, or as unknown.",
            "Its probabilities hold for texts like those that it learnt from; where the shares of the classes differ, "
            "so do they.",
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.predict(["a text", "another"])',
    )
