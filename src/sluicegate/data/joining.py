"""Two panels that follow one another, put on one axis: a history and what comes after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from .panel import Panel


def on_one_axis(history: Panel, after: Panel) -> tuple[Panel, Panel]:
    """Both panels with the holidays of both, and those between them: open days on which neither has a row.

    Raises:
        DataError: one holds rows on a day that the other leaves out.
    """
    if history.axis.kind != "open":
        return history, after
    rows = np.concatenate([_moments(history), _moments(after)])
    assert history.axis.hours is not None
    assert after.axis.hours is not None
    days = after.axis.hours.days_closed(history.axis.hours)
    axis = replace(history.axis, hours=history.axis.hours.without(days).fitted(rows, find=history.axis.step == 1))
    return history.on(axis), after.on(axis)


def _moments(panel: Panel) -> Int64[np.ndarray, " moments"]:
    """When there are rows, each moment once."""
    numbers = np.concatenate(
        [
            np.arange(start, start + length)
            for start, length in sorted({*zip(panel.starts.tolist(), panel.lengths.tolist(), strict=True)})
        ]
    )
    return panel.axis.naive(np.unique(numbers))
