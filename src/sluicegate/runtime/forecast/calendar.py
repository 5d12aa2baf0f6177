"""What of the calendar a forecaster sees: sines and cosines of the place in the day, the week and the year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import ndarray


def waves(since: ndarray, periods: Sequence[tuple[int, int]]) -> ndarray:
    """Sines and cosines of the place of moments in periods.

    Args:
        since: microseconds since a Monday by the local clock.
        periods: in microseconds, each with its number of harmonics.

    Returns:
        Doubles, with an axis more than `since` has.
    """
    features = np.empty((*since.shape, 2 * sum(count for _, count in periods)))
    column = 0
    for period, count in periods:
        angle = (since % period) * (2 * np.pi / period)
        for harmonic in range(1, count + 1):
            features[..., column] = np.sin(harmonic * angle)
            features[..., column + 1] = np.cos(harmonic * angle)
            column += 2
    return features
