"""What the values of a series are like: their scale, and which of them there are.

`sluicegate.data.scaling` and `sluicegate.data.support` say what it is for.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

FREQUENT = 0.1
"""The share of zeros from which they count as frequent."""

_SMALL = 10.0
"""The standard deviation up to which whole numbers count as small: rounding matters."""

_CHUNK = 1 << 20  # values looked at together, so that ten million need little memory beside themselves


_RECENT = 100_000  # values that are enough to see whether a series is to be transformed
_GROWS = 0.2  # the correlation of changes with the level from which they count as growing with it


def arcsinh_scaled(values: ndarray, knee: float) -> ndarray:
    """Values on the scale on which they are standardised."""
    transformed: ndarray = np.arcsinh(values / knee) if knee > 0 else values
    return transformed


def find_knee(values: ndarray, season: int) -> float:
    """The knee of a series' arcsinh transform: its smallest values, if that makes its changes even, or 0 for none.

    Even means that the size of a change over a season hardly hangs on the level at which it happens.
    """
    values = values[-_RECENT:]
    if len(values) < 2 * season + 3 or values.min() < 0 or values.max() <= 0:
        return 0.0
    if np.mean(values == 0) >= FREQUENT or is_small_count(values):
        return 0.0  # between 0 and the next value there is nothing for a logarithm to even out
    knee = float(np.quantile(values[values > 0], 0.01))
    straight, transformed = (_growth(scaled, season) for scaled in (values, arcsinh_scaled(values, knee)))
    return knee if straight > _GROWS and abs(transformed) < straight else 0.0


def _growth(values: ndarray, season: int) -> float:
    """The correlation of the size of changes over a season with the level; 0 where either is constant."""
    size = np.abs(values[season:] - values[:-season])
    level = values[season:] + values[:-season]
    spread = size.std() * level.std()
    return float(((size - size.mean()) * (level - level.mean())).mean() / spread) if spread > 0 else 0.0


def moments(values: ndarray, knee: float) -> tuple[float, float]:
    """Mean and standard deviation of the transformed values; exactly the value and 0 where all values are one."""
    if values.min() == values.max():
        return float(arcsinh_scaled(values[:1], knee)[0]), 0.0
    starts = range(0, len(values), _CHUNK)
    mean = sum(float(arcsinh_scaled(values[i : i + _CHUNK], knee).sum()) for i in starts) / len(values)
    squares = sum(float(np.square(arcsinh_scaled(values[i : i + _CHUNK], knee) - mean).sum()) for i in starts)
    return mean, float(np.sqrt(squares / len(values)))


def standardise(values: ndarray, knee: float, mean: float, unit: float, out: ndarray) -> None:
    """Write values on the scale of training into `out`, 32-bit floats."""
    # In doubles, so that a small swing on a large level survives; in pieces, so that little memory is needed.
    for begin in range(0, len(values), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        out[part] = (arcsinh_scaled(values[part], knee) - mean) / unit


def support_of(values: ndarray) -> tuple[float, float, float]:
    """The least value, the span over which zeros are spread, and the grain; see `sluicegate.data.Support`."""
    if values.min() < 0:
        return -np.inf, 0.0, 0.0
    share, deviation = float((values == 0).mean()), float(values.std())
    grain = 1.0 if is_small_count(values) and deviation > 0 else 0.0
    zeros = max(grain, deviation) if FREQUENT <= share < 1 else grain
    return 0.0, zeros, grain


def is_small_count(values: ndarray) -> bool:
    """Whether values are whole numbers from 0 on that vary so little that rounding matters."""
    return bool(values.std() < _SMALL and values.min() >= 0 and (values == np.floor(values)).all())


def attained(
    mean: ndarray, quantiles: ndarray, least: ndarray, grain: ndarray, below: ndarray
) -> tuple[ndarray, ndarray]:
    """From forecasts of what was spread out to values that there are.

    Args:
        mean: of windows, `[batch horizon]`.
        quantiles: likewise, `[batch horizon quantiles]`.
        least: the least value of the series of each window.
        grain: 1 where its values are small whole numbers, else 0.
        below: which windows look back on negative values, whatever the series was in training.
    """
    lowest = np.where(below, -np.inf, least)[:, None]
    # Rounded up but for what single precision may have added to a whole number.
    rounded = np.where(grain[:, None, None] > 0, np.ceil(quantiles - 1e-4), quantiles)
    return np.maximum(mean, lowest), np.maximum(rounded, lowest[..., None])
