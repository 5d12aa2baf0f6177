"""The picture of figures of several methods, side by side in each of some groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .drawing import BLUE, GREEN, ORANGE, PURPLE, drawn
from .figures import words
from .picture import Picture

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)  # of the model and the simple methods, in their order


def grouped_bars(
    title: str, caption: str, bins: Sequence[str], figures: Mapping[str, Sequence[float]], metric: str
) -> Picture:
    """Bars of the model and of the simple methods, group by group.

    Args:
        title: what is shown.
        caption: how to read it.
        bins: the names of the groups.
        figures: of each method, one for each group.
        metric: what they are of.
    """
    with drawn(title, caption) as (picture, made):
        axes = picture.add_subplot()
        places, width = np.arange(len(bins)), 0.8 / len(figures)
        for number, (name, values) in enumerate(figures.items()):
            axes.bar(
                places + (number + 0.5) * width - 0.4,
                values,
                width * 0.92,
                color=_COLOURS[number % len(_COLOURS)],
                label=words(name),
            )
        axes.set_xticks(places, bins)
        axes.set_ylabel(words(metric))
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=min(3, len(figures)))
    return made[0]
