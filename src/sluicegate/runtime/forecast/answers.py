"""From what the network puts out to forecasts: drawn to the last season, and calibrated."""

from __future__ import annotations

import numpy as np
from numpy import ndarray


def combined(
    outputs: ndarray,
    repeated: ndarray,
    shares: ndarray,
    median: int,
) -> ndarray:
    """The network's mean, and its quantiles with the median, each drawn to the last season by a share.

    All are standardised; the shares are those of the mean and of the median, which is the output of that number.
    """
    drawn = outputs.copy()
    drawn[..., 0] += shares[:, :1] * (repeated - outputs[..., 0])
    drawn[..., 1:] += (shares[:, 1:] * (repeated - outputs[..., median]))[..., None]
    return drawn


def calibrated(values: ndarray, quantiles: tuple[float, ...], widths: ndarray) -> ndarray:
    """Widen or narrow the quantiles about the median by their factors, and keep them in order."""
    middle = values[..., quantiles.index(0.5), None]
    return np.sort(middle + (values - middle) * widths, axis=-1)
