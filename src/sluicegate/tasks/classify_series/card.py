"""The model card of a series classifier."""

from __future__ import annotations

from sluicegate.tasks.classification.labels import listed
from sluicegate.tasks.classification.report import MEASURES
from sluicegate.tasks.results import Results, card, safe

from .config import SeriesClassifierConfig
from .trained import Trained

_CAUSAL = (
    "It answers at every step, and its probabilities are calibrated on whole recordings: after a few steps they are "
    "too certain.",
)


def series_card(config: SeriesClassifierConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    classes, shape = trained.labels.classes, trained.shape
    frequent = [f"{name} {share:.0%}" for name, share in zip(classes, trained.decision.prior.tolist(), strict=True)]
    chosen = {"window": trained.window, "stride": shape.stride, "folds": shape.members}
    return card(
        "Class of recordings",
        f"Tells {len(classes)} classes of recordings apart: {safe(listed(classes))}.",
        results,
        data=[
            f"{trained.rows:,} recordings of {trained.steps:,} steps in all",
            f"channels: {listed(trained.columns.channels)}",
            f"shares of the classes: {listed(frequent)}",
        ],
        settings=config.model_dump(mode="json") | chosen,
        measures=MEASURES,
        limits=[
            "It knows the classes above and no others: a recording of another kind gets one of them.",
            "It reads steps and knows no clock: recordings must have the sampling rate, the units and the order of "
            "channels that training had.",
            "Its probabilities hold for recordings like those that it learnt from, of the same people or machines "
            "unless `groups` kept these apart.",
            *(_CAUSAL if shape.causal else ()),
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.predict(recordings)',
    )
