"""The scale of each window: that of its series in training, or of its own rows where that one is worthless.

A series that stood still in training has no scale, and one whose rows are now a thousand times as large, or in another
unit, has none that is of use: the network would be given numbers such as it has never seen. Such a window is
standardised by its own rows, from the one before the first change on.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

FAR = 30.0
"""Deviations, of training, by which rows may vary or lie off and still be told by its scale."""

STILL, OFF = 0.01, 5.0
"""Or, where they vary by next to nothing, how far off they may lie."""


@runtime_checkable
class Scales(Protocol):
    """The scales of all series and targets, each `[series targets]`."""

    @property
    def mean(self) -> ndarray:
        """Of the values, transformed where there is a knee."""

    @property
    def deviation(self) -> ndarray:
        """Likewise; 0 where they are constant."""

    @property
    def knee(self) -> ndarray:
        """Where the arcsinh transform sets in; 0 for values that stay straight."""


class Scale(NamedTuple):
    """By what each window of one target is standardised; doubles `[batch]`; see `sluicegate.data.Scaler`."""

    mean: ndarray
    deviation: ndarray
    knee: ndarray

    @classmethod
    def of(cls, scaler: Scales, series: ndarray, target: int) -> Scale:
        """The scale of each window's series."""
        return cls(*(values[series, target] for values in (scaler.mean, scaler.deviation, scaler.knee)))

    def unscale(self, mean: ndarray, quantiles: ndarray, deviation: ndarray) -> tuple[ndarray, ndarray]:
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


def worthless(context: ndarray, deviation: ndarray) -> ndarray:
    """Which windows the scale of training says nothing about.

    Args:
        context: standardised by that scale, `[batch context]`.
        deviation: of each window's series in training.
    """
    spread, off = context.std(1), np.abs(context.mean(1))
    out_of_range = (spread > FAR) | (off > FAR) | ((spread < STILL) & (off > OFF))
    changes = context.max(1) > context.min(1)
    lost: ndarray = changes & (out_of_range | (deviation == 0))
    return lost


def rescaled(values: ndarray, season: int) -> tuple[ndarray, Scale, ndarray]:
    """Windows standardised by their own rows, from the one before the first change on.

    The rows before the first change say as little as rows that are not there, and are replaced like these.

    Args:
        values: contexts in the target's unit, `[batch context]`, each of which changes.
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


def at_least_as_wide(quantiles: ndarray, levels: tuple[float, ...]) -> ndarray:
    """Standardised quantiles no nearer to the median than those of a normal value of deviation 1."""
    scores = np.array([NormalDist().inv_cdf(q) for q in levels])
    wide = quantiles[..., levels.index(0.5), None] + scores
    kept: ndarray = np.where(scores < 0, np.minimum(quantiles, wide), np.maximum(quantiles, wide))
    return kept


def repeated_before(places: ndarray, known: ndarray | int, season: int) -> ndarray:
    """The places in a series that stand for these, which before the first are those of the first season over again.

    A map from the context to the horizon looks for the season where it would have been. A series that is not yet a
    season old repeats its first value.

    Args:
        places: places in a series, counted from its first row; negative ones are before it.
        known: how many rows of the series may be seen.
        season: steps in a season.

    >>> places = np.arange(-4, 3)
    >>> repeated_before(places, 3, season=3).tolist(), repeated_before(places, 2, season=3).tolist()
    ([2, 0, 1, 2, 0, 1, 2], [0, 0, 0, 0, 0, 1, 2])
    """
    there: ndarray = np.where(places < 0, places % np.where(np.asarray(known) >= season, season, 1), places)
    return there
