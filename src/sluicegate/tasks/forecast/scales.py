"""The scale of each window: that of its series in training, or of its own rows where that one is worthless.

A series that stood still in training has no scale, and one whose rows are now a thousand times as large, or in another
unit, has none that is of use: the network would be given numbers such as it has never seen. Such a window is
standardised by its own rows, from the one before the first change on.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64

from sluicegate.data import Scaler

from .batches import Numbers, Point, Quantiles, repeated_before

_FAR = 30.0  # deviations, of training, by which rows may vary or lie off and still be told by its scale
_STILL, _OFF = 0.01, 5.0  # or, where they vary by next to nothing, how far off they may lie


class Scale(NamedTuple):
    """By what each window of one target is standardised; see `sluicegate.data.Scaler`."""

    mean: Float64[np.ndarray, " batch"]
    deviation: Float64[np.ndarray, " batch"]
    knee: Float64[np.ndarray, " batch"]

    @classmethod
    def of(cls, scaler: Scaler, series: Numbers, target: int) -> Scale:
        """The scale of each window's series."""
        return cls(*(values[series, target] for values in (scaler.mean, scaler.deviation, scaler.knee)))

    def unscale(self, mean: Point, quantiles: Quantiles, deviation: Point) -> tuple[Point, Quantiles]:
        """From the standardised scale to the target's unit.

        The mean lies above sinh of the transformed mean: of a normal error, by the factor exp(deviation^2 / 2).
        """
        level, knee = self.mean[:, None], self.knee[:, None]
        unit = np.where(self.deviation > 0, self.deviation, 1.0)[:, None]
        mean = mean * unit + level
        quantiles = quantiles * unit[..., None] + level[..., None]
        transformed = knee[:, 0] > 0
        if transformed.any():
            knee, level, unit = knee[transformed], level[transformed], unit[transformed]
            # Nothing sensible lies ten deviations above the mean, and its hyperbolic sine might not be finite.
            highest = level + 10 * unit
            variance = np.minimum((deviation[transformed] * unit) ** 2, 1.0)
            mean[transformed] = knee * np.sinh(np.minimum(mean[transformed], highest)) * np.exp(variance / 2)
            quantiles[transformed] = knee[..., None] * np.sinh(np.minimum(quantiles[transformed], highest[..., None]))
        return mean, quantiles


def worthless(
    context: Float[np.ndarray, "batch context"], deviation: Float64[np.ndarray, " batch"]
) -> Bool[np.ndarray, " batch"]:
    """Which windows the scale of training says nothing about.

    Args:
        context: standardised by that scale.
        deviation: of each window's series in training.
    """
    spread, off = context.std(1), np.abs(context.mean(1))
    out_of_range = (spread > _FAR) | (off > _FAR) | ((spread < _STILL) & (off > _OFF))
    changes = context.max(1) > context.min(1)
    lost: Bool[np.ndarray, " batch"] = changes & (out_of_range | (deviation == 0))
    return lost


def rescaled(
    values: Float64[np.ndarray, "batch context"], season: int
) -> tuple[Float64[np.ndarray, "batch context"], Scale, Numbers]:
    """Windows standardised by their own rows, from the one before the first change on.

    The rows before the first change say as little as rows that are not there, and are replaced like these.

    Args:
        values: contexts in the target's unit, each of which changes.
        season: steps in a season.

    Returns:
        The standardised contexts, their scales, and for each how many of its first rows are made up.
    """
    first = (values != values[:, :1]).argmax(1)
    scale = Scale(*np.zeros((3, len(values))))
    scaled = np.empty_like(values)
    for i, (row, begin) in enumerate(zip(values, first.tolist(), strict=True)):
        scale.mean[i], scale.deviation[i] = row[begin - 1 :].mean(), row[begin - 1 :].std()
        rows = begin + repeated_before(np.arange(-begin, len(row) - begin), len(row) - begin, season)
        scaled[i] = (row[rows] - scale.mean[i]) / scale.deviation[i]
    return scaled, scale, first


def at_least_as_wide(quantiles: Quantiles, levels: tuple[float, ...]) -> Quantiles:
    """Standardised quantiles no nearer to the median than those of a normal value of deviation 1."""
    scores = np.array([NormalDist().inv_cdf(q) for q in levels])
    wide = quantiles[..., levels.index(0.5), None] + scores
    kept: Quantiles = np.where(scores < 0, np.minimum(quantiles, wide), np.maximum(quantiles, wide))
    return kept
