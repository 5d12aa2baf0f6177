"""The model card of a tracker."""

from __future__ import annotations

from sluicegate.data.counted import counted
from sluicegate.tasks.results import Results, card

from .config import TrackerConfig
from .report import MEASURES
from .trained import Trained


def tracker_card(config: TrackerConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    origin = "errors such as detectors make were put into these" if trained.simulated else "those of a detector beside"
    return card(
        "Tracker",
        "Follows objects from frame to frame by the boxes of a detector.",
        results,
        data=[f"{counted(trained.sequences, 'sequence')}, {trained.boxes:,} true boxes, {origin}"],
        settings=config.model_dump(mode="json"),
        measures=MEASURES,
        limits=[
            "It sees boxes and no pictures: two objects that meet and part again may be taken for each other.",
            "It learnt how these objects move, and how this detector errs: of others it knows less.",
            "What the detector never sees it does not follow.",
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.predict("detections.txt")',
    )
