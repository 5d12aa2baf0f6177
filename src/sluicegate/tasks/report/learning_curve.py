"""The picture of how a training went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from .drawing import BLUE, ORANGE, drawn
from .picture import Picture


def learning_curve(
    caption: str,
    steps: Sequence[int],
    training: Sequence[float],
    validation: Sequence[float],
    *,
    of: str = "loss",
    logarithmic: bool = False,
) -> Picture:
    """Two lines, and a dot where the weights that were taken were measured: at the lowest of the validation part.

    Args:
        caption: what was measured, and how.
        steps: at which it was.
        training: on the training part, at each.
        validation: on the validation part, at each.
        of: what was measured, beside the axis.
        logarithmic: whether equal distances up the axis are equal ratios.
    """
    with drawn("Learning curve", caption) as (picture, made):
        axes = picture.add_subplot()
        axes.plot(steps, training, color=ORANGE, label="training", linewidth=1.2)
        axes.plot(steps, validation, color=BLUE, label="validation", linewidth=1.8)
        best = int(np.argmin(validation))
        axes.scatter([steps[best]], [validation[best]], color=BLUE, s=22, zorder=3)
        if logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel("steps")
        axes.set_ylabel(of)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.grid(axis="y")
        picture.legend(loc="outside upper left", ncols=2)
    return made[0]
