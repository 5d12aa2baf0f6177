"""The model card of a language model."""

from __future__ import annotations

from sluicegate.data.counted import counted
from sluicegate.tasks.results import Results, card

from .config import LanguageModelConfig
from .report import MEASURES
from .trained import Trained


def language_model_card(config: LanguageModelConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    return card(
        "Language model",
        "Tells how probable texts are, word by word, and writes such texts.",
        results,
        data=[f"{counted(trained.words, 'word')}, with the ends of lines", f"{trained.shape.tokens:,} tokens"],
        settings=config.model_dump(mode="json"),
        measures=MEASURES,
        limits=[
            "What it writes is probable, and not true: it knows words and their order, and nothing of the world.",
            "Texts of another kind than it was trained on are less probable to it, however good they are.",
            "The folder holds the words of the training texts, for the 5-gram that evaluations stand beside: whoever "
            "has the model has these.",
            "Where the verdict names the 5-gram, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.generate("how a text begins", seed=0)',
    )
