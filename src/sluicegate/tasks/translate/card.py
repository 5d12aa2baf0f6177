"""The model card of a translator."""

from __future__ import annotations

from sluicegate.data.counted import counted
from sluicegate.tasks.results import Results, card, safe

from .config import TranslatorConfig
from .report import MEASURES
from .trained import Trained


def translator_card(config: TranslatorConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    source, target = trained.columns
    return card(
        f"From {source} to {target}",
        f"Translates texts of {safe(source)} into {safe(target)}.",
        results,
        data=[
            f"{counted(trained.pairs, 'pair')} of texts",
            f"sources: column {source}; translations: column {target}",
            f"{trained.shape.tokens:,} sub-words for both",
        ],
        settings=config.model_dump(mode="json"),
        measures=MEASURES,
        limits=[
            "It learnt from these pairs: on texts of another kind it may write what was never said, and well.",
            "Its confidence is the probability of a word given those before it, and not that it is right.",
            "Names and numbers should be checked.",
            "Where the verdict names the dictionary, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.translate(["a text", "another"])',
    )
