"""What a user must know of series that are new, short, or of another scale than in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from sluicegate.data import Panel
from sluicegate.data.names import in_words

from .batches import PerSeries


def told(
    panel: Panel, new: Bool[np.ndarray, " series"], origins: PerSeries, context: int, trained: Sequence[Any]
) -> list[str]:
    """A sentence on series that training did not have, and one on those that have too few rows.

    `new` tells which series are not among the `trained`; `origins` are the rows at which their first horizons begin.
    """
    sentences, before = [], origins - panel.bounds[:-1]
    if new.any():
        sentences.append(
            f"{_these(panel.names, new, trained)} not there in training: the scale is that of the rows given before "
            "the first forecast."
        )
    short = before < context
    if short.any():
        shortest = f"{before[short].min()} rows" if before[short].min() > 1 else "1 row"
        sentences.append(
            f"{_these(panel.names, short)} shorter than the {context} rows that a forecast looks back on (the shortest "
            f"has {shortest}): the linear map takes the first season to have been the same before, and the recurrent "
            "layer skips what is not there."
        )
    return sentences


def told_of_scales(names: Sequence[Any], lost: Bool[np.ndarray, " series"]) -> list[str]:
    """A sentence on series whose scale in training says nothing about the rows given."""
    if not lost.any():
        return []
    return [
        f"{_these(names, lost)} of another scale than in training, where the values stood still or were of another "
        "size: the rows given decide the scale, and the interval is wide."
    ]


def _these(names: Sequence[Any], which: Bool[np.ndarray, " series"], trained: Sequence[Any] = ()) -> str:
    """The subject and the verb of a sentence about some of the series."""
    count, first = int(which.sum()), names[int(which.argmax())]
    if len(names) == 1 and first == "":
        return "The table was"
    example = in_words(first, trained)
    return f"Series {example} was" if count == 1 else f"{count} series, such as {example}, were"
