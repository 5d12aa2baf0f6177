"""The pictures of a transcriber's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.bars import grouped_bars
from sluicegate.tasks.report.drawing import BLUE, INK, drawn
from sluicegate.tasks.report.figures import plain
from sluicegate.tasks.report.learning_curve import learning_curve

_CONFUSED = 12  # pairs of words in a picture


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give: of these, any may be absent.

    `bars` is a list of what `by_group` and `by_length` give, `confusions` one of `said`, `written` and `times`,
    `reliability` one of the confidence, the share that is right and the number of words, `curve` the learning curve.
    """
    pictures = [grouped_bars(**bars) for bars in details.get("bars", ())]
    if details.get("confusions"):
        pictures.append(_confusions(details["confusions"]))
    if details.get("reliability"):
        pictures.append(_reliability(details["reliability"]))
    if details.get("curve", {}).get("steps"):
        pictures.append(_learning_curve(details["curve"]))
    return pictures


def _confusions(confusions: list[tuple[str, str, int]]) -> Picture:
    shown = confusions[:_CONFUSED]
    caption = (
        "Words that were said, and what was written for them; (nothing) was left out, or put in. The most frequent."
    )
    with drawn("What is taken for what", caption, (5.6, 1.0 + 0.22 * len(shown))) as (picture, made):
        axes = picture.add_subplot()
        places = np.arange(len(shown))
        axes.barh(places, [times for *_, times in shown], color=BLUE, height=0.65)
        axes.set_yticks(places, [f"{_named(said)} → {_named(written)}" for said, written, _ in shown])
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("times")
        axes.grid(axis="x")
    return made[0]


def _named(word: str) -> str:
    return plain(word)[:18] or "(nothing)"


def _reliability(bins: list[tuple[float, float, int]]) -> Picture:
    caption = (
        "Share of words that are right by their confidence: on the diagonal it is true, below it is too high. Larger "
        "points are more words."
    )
    with drawn("Can the confidence be believed?", caption) as (picture, made):
        axes = picture.add_subplot()
        said, right, rows = np.array(bins).T
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
        axes.plot(said, right, color=BLUE, linewidth=1.1)
        axes.scatter(said, right, s=6 + 60 * rows / rows.sum(), color=BLUE, linewidth=0)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share that is right")
        axes.grid(axis="y")
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    return learning_curve(
        "Loss of a token in nats (CTC): on the training recordings as they went by, changed and with dropout, and on "
        "the validation recordings as they are. Lower is better.",
        curve["steps"],
        curve["training"],
        curve["validation"],
    )
