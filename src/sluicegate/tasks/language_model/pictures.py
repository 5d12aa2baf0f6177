"""The pictures of a language model's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.drawing import BLUE, ORANGE, drawn
from sluicegate.tasks.report.figures import words
from sluicegate.tasks.report.learning_curve import learning_curve


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give."""
    pictures = [_by_frequency(**details["by_frequency"])] if details["by_frequency"]["bins"] else []
    if details["curve"]["steps"]:
        pictures.append(_learning_curve(details["curve"]))
    return pictures


def _by_frequency(bins: list[str], figures: dict[str, list[float]]) -> Picture:
    with drawn(
        "By how often training had a word",
        "Perplexity of the words that training had so many times (words in brackets). Lower is better.",
    ) as (picture, made):
        axes = picture.add_subplot()
        places, width = np.arange(len(bins)), 0.8 / len(figures)
        for number, ((name, values), colour) in enumerate(zip(figures.items(), (BLUE, ORANGE), strict=True)):
            # From 1, the least that there is: on this scale, 0 is nowhere.
            beside, heights = places + (number + 0.5) * width - 0.4, np.array(values) - 1
            axes.bar(beside, heights, width * 0.92, bottom=1, color=colour, label=words(name))
        axes.set_yscale("log")
        axes.set_xticks(places, bins, fontsize=7)
        axes.set_ylabel("perplexity")
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=2)
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    training, validation = np.array(curve["training"]) * curve["per_word"], np.array(curve["validation"])
    return learning_curve(
        "Perplexity of a word: on the training texts as they went by, with dropout, and on the validation texts "
        "without. Lower is better.",
        curve["steps"],
        np.exp(np.minimum(20, training)).tolist(),
        np.exp(np.minimum(20, validation)).tolist(),
        of="perplexity",
        logarithmic=True,
    )
