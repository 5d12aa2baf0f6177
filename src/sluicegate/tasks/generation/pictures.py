"""The pictures of a writer's report, drawn from its `details`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from sluicegate.tasks.report import Picture
from sluicegate.tasks.report.bars import grouped_bars
from sluicegate.tasks.report.drawing import BLUE, FAINT, drawn
from sluicegate.tasks.report.figures import plain
from sluicegate.tasks.report.learning_curve import learning_curve

_LETTERS = 14  # of a word beside an attention map


def draw(details: dict[str, Any]) -> list[Picture]:
    """All pictures that the details give."""
    pictures = [
        grouped_bars(*(details[name][part] for part in ("title", "caption", "bins", "figures", "metric")))
        for name in ("by_length", "by_rarity")
        if name in details
    ]
    if details["curve"]["steps"]:
        pictures.append(_learning_curve(details["curve"]))
    pictures += [_attention(number, **one) for number, one in enumerate(details["attention"], 1)]
    return pictures


def _attention(number: int, read: list[str], written: list[str], weights: list[list[float]]) -> Picture:
    caption = (
        "How much each word that was written (down) drew from each word that was read (across), or of many words from "
        "those that it drew from most: darker is more."
    )
    size = (min(9.0, 1.6 + 0.32 * len(read)), min(9.0, 1.3 + 0.26 * len(written)))
    with drawn(f"What was looked at: example {number}", caption, size) as (picture, made):
        axes = picture.add_subplot()
        shades = LinearSegmentedColormap.from_list("shades", ["#ffffff", BLUE])
        edges = (np.arange(len(read) + 1) - 0.5, np.arange(len(written) + 1) - 0.5)
        axes.pcolormesh(*edges, np.array(weights), cmap=shades, vmin=0, vmax=1, edgecolors=FAINT, linewidth=0.3)
        axes.set_xticks(range(len(read)), [_short(word) for word in read], rotation=45, ha="left")
        axes.set_yticks(range(len(written)), [_short(word) for word in written])
        axes.xaxis.tick_top()
        axes.invert_yaxis()
    return made[0]


def _learning_curve(curve: dict[str, Any]) -> Picture:
    return learning_curve(
        "Mean loss of a sub-word, in nats: on the training pairs as they went by, with dropout and smoothed labels, "
        "and on the validation pairs without. Lower is better.",
        curve["steps"],
        curve["training"],
        curve["validation"],
    )


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
