"""The model card of a transcriber."""

from __future__ import annotations

from sluicegate.tasks.results import Results, card

from .config import TranscriberConfig
from .report import MEASURES
from .trained import Trained


def transcriber_card(config: TranscriberConfig, trained: Trained, results: Results) -> str:
    """What the model is, how good, on what, and what it cannot do."""
    return card(
        "Transcriber",
        "Writes down what is said in recordings.",
        results,
        data=[
            f"{trained.recordings:,} recordings, {trained.seconds / 60:,.1f} minutes, at {trained.rate:,} Hz",
            *(f"{role}: column {name}" for role, name in trained.columns.items()),
        ],
        settings=config.model_dump(mode="json"),
        measures=MEASURES,
        limits=[
            "It learnt from these voices: of others, of other accents, microphones and rooms, it understands less.",
            "It writes what sounds most like what it learnt, and words that it never heard it spells by their sound.",
            "Its confidence is how probable the letters of a word are, and not that the word is right.",
            "The folder holds the words of the training texts: whoever has the model has these.",
            "Where the verdict names a simple method, use that.",
        ],
        use='import sluicegate\n\nmodel = sluicegate.load("this-folder")\nmodel.transcribe("call.wav").text',
    )
