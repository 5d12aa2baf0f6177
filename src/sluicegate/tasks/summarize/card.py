"""The model card of a summarizer."""

from __future__ import annotations

from sluicegate.data.counted import counted
from sluicegate.tasks.results import Results, card, safe

from .config import SummarizerConfig
from .report import MEASURES
from .trained import Trained


def summarizer_card(config: SummarizerConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    text, summary = trained.columns
    return card(
        f"Summaries of {text}",
        f"Says in a few words what texts are about: {safe(summary)} of {safe(text)}.",
        results,
        data=[
            f"{counted(trained.pairs, 'pair')} of a text and its summary",
            f"texts: column {text}; summaries: column {summary}",
            f"{trained.shape.tokens:,} sub-words",
        ],
        settings=config.model_dump(mode="json"),
        measures=MEASURES,
        limits=[
            f"It reads the first {counted(trained.reads, 'sub-word')} of a text, and writes "
            f"{trained.writes:,} at most.",
            "It learnt from these texts: of texts of another kind it may say what they do not, and well.",
            "Names and numbers should be checked.",
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.summarize(["a text", "another"])',
    )
