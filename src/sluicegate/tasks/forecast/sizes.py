"""What follows the table unless the settings say it: the season, the context, the segment, and how long to train."""

from __future__ import annotations

import numpy as np

from sluicegate.data import Panel, find_season
from sluicegate.training import Schedule

from .batches import Columns
from .config import ForecasterConfig


def default_context(season: int, horizon: int, length: int) -> int:
    """Steps to look back on: two weeks of hours, or a few of longer seasons, as far as series of `length` allow."""
    seasons = season * (14 if season <= 24 else 4)
    wanted = min(max(seasons, 2 * horizon, 32), 1024)
    return max(2, min(wanted, length - 3 * horizon, (3 * length) // 4))


def context_for(panel: Panel, season: int, horizon: int) -> int:
    """The steps that the shortest series allows, or, where that is less than half, those that most series allow."""
    shortest, usual = (
        default_context(season, horizon, int(length)) for length in (panel.lengths.min(), np.median(panel.lengths))
    )
    return shortest if 2 * shortest >= usual else usual


def default_segment(season: int, context: int) -> int:
    """Steps in a segment: a season, or the largest part of a long one that divides it, but two segments at least."""
    if season == 1:
        return max(1, min(24, context // 8))
    size = next(part for part in range(min(season, 32), 0, -1) if season % part == 0)
    if size < 5:
        size *= max(1, 12 // size)
    return max(1, min(size, context // 2))


def season_in(panel: Panel, columns: Columns) -> int:
    """The steps after which the targets repeat; 1 where they do not."""
    longest = int(min(400, np.median(panel.lengths) // 3))
    return find_season(panel, list(columns.targets), panel.bounds[1:], longest)


def schedule_of(config: ForecasterConfig, windows: int) -> Schedule:
    """How long and how fast to train on so many windows."""
    steps = config.steps or int(np.clip(8 * windows / config.batch, 300, 1500))
    return Schedule(
        steps=steps,
        every=max(1, steps // 20),
        patience=config.patience,
        learning_rate=config.learning_rate,
        epoch=-(-windows // config.batch),
    )
