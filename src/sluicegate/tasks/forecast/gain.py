"""By how much the mean forecasts of each series are to be multiplied, so that they add up to what came.

The mean of transformed values, or of values mostly zero and at times large, is the hardest part of a forecast:
an error of the network's is one of the level, and adds up. The sum of the forecasts over all rows, training and
validation alike, is compared with the sum of the truth: the ratio estimator of survey sampling, which does here what
the smearing of Duan (1983) does for a transform alone.

One series says little: with zeros on nineteen of twenty days, the sum of a year is known to 30 %. Each series' ratio is
therefore drawn towards that of all, by the share of the spread of ratios that their own errors do not explain
(James & Stein 1961). That of all is a line over the size of the series: the network sees a few rows of each, and takes
large ones for smaller than they are where these rows do not tell. Errors that follow each other, as those of prices do,
look more certain than they are: where there are few windows, a series' ratio is drawn further, and that of all
towards 1.

The network follows a trend only in part: the ratio of all series together, taken window by window, then rises or falls.
Its straight line is carried on to the rows to come, as far as its slope is more than chance, with errors that follow
each other accounted for.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sluicegate.data import Windows

from .batches import PreparedWindows
from .forecasting import forecast
from .trained import Trained

_MOST = 20_000  # windows that are forecast
_AT_ONCE = 1024
_DOUBTED = 10  # windows that are taken to say otherwise, that series do not differ and that the level is right
_BOUNDS = 0.5, 2.0  # beyond these something else is wrong
_LEAST = 8  # windows one after the other, or series, of which a slope is told
_ASKED = 2.0  # times its variance that is taken off the square of a slope (Akaike 1974)


def measure_gain(
    trained: Trained, windowed: PreparedWindows, windows: Windows
) -> Float64[np.ndarray, "series targets"]:
    """The factor of each series and target; 1 where values can be negative, or never are above zero.

    The model has factors of 1, and the windows hold each row once, of training and of validation.
    """
    gain = np.ones_like(trained.gain)
    numbers = np.linspace(0, len(windows) - 1, min(len(windows), _MOST)).astype(np.int64)
    series, origins = windows.locate(numbers)
    ages = windowed.panel.bounds[series + 1] - origins
    for j, name in enumerate(trained.columns.targets):
        positive = (trained.support.least[:, j] == 0) & (trained.deviation[:, j] > 0)
        if not positive.any():
            continue
        view = np.lib.stride_tricks.sliding_window_view(windowed.panel.columns[name], trained.shape.horizon)
        sums = np.empty((2, len(series)))
        for part in np.array_split(np.arange(len(series)), -(-len(series) // _AT_ONCE)):
            mean, _ = forecast(trained, windowed, series[part], origins[part], j)
            sums[:, part] = mean.sum(1), view[origins[part]].sum(1)
        own = _ratios(sums, series, trained.deviation[:, j], positive)
        kept = positive[series]
        drift = _drift(sums[:, kept] / trained.deviation[series[kept], j], ages[kept])
        gain[positive, j] = np.clip(own * drift, *_BOUNDS)
    return gain


def _ratios(
    sums: Float64[np.ndarray, "2 windows"],
    series: Int64[np.ndarray, " windows"],
    deviation: Float64[np.ndarray, " series"],
    chosen: Bool[np.ndarray, " series"],
) -> Float64[np.ndarray, " chosen"]:
    """The ratio of truth to forecast of each series, drawn towards that of all.

    Args:
        sums: of the forecasts and of the truth of each window.
        series: of each window.
        deviation: of each series, by which they are made comparable.
        chosen: the series that are asked for.
    """

    def total(values: Float64[np.ndarray, " windows"]) -> Float64[np.ndarray, " chosen"]:
        added: Float64[np.ndarray, " chosen"] = np.bincount(series, values, minlength=len(chosen))[chosen]
        return added

    forecasts, truths = total(sums[0]) / deviation[chosen], total(sums[1]) / deviation[chosen]
    some = forecasts > 0
    if forecasts.sum() <= 0 or truths.sum() <= 0:
        return np.ones(len(forecasts))
    sizes = np.log(deviation[chosen])
    level, middle, slope = _line(sizes[some], truths[some] / forecasts[some], forecasts[some])
    common = np.maximum(level + slope * (sizes - middle), 0.0)
    ratio = np.divide(truths, forecasts, out=common.copy(), where=some)
    every = np.ones(len(chosen))
    every[chosen] = ratio
    errors = total((sums[1] - every[series] * sums[0]) ** 2) / deviation[chosen] ** 2
    variance = np.divide(errors, forecasts**2, out=np.ones(len(forecasts)), where=some)
    beyond = max(0.0, float(((ratio - common) ** 2 - variance)[some].mean())) if some.any() else 0.0
    kept = beyond / (beyond + variance) if beyond > 0 else np.zeros(len(forecasts))
    windows = total(np.ones(len(series)))
    kept *= windows / (windows + _DOUBTED)
    drawn = common + kept * (ratio - common)
    # Of skewed values a low ratio looks more certain than a high one: the sum over all is made right again.
    drawn *= truths.sum() / (drawn * forecasts).sum()
    drawn = 1 + (drawn - 1) * windows.sum() / (windows.sum() + _DOUBTED)
    factors: Float64[np.ndarray, " chosen"] = np.clip(drawn, *_BOUNDS)
    return factors


def _drift(sums: Float64[np.ndarray, "2 windows"], ages: Int64[np.ndarray, " windows"]) -> float:
    """By how much the ratio of truth to forecast is higher in the rows to come than in all windows together.

    Args:
        sums: of the forecasts and of the truth of each window, comparable between series.
        ages: rows from where each window's horizon begins to the end of its series; of the rows to come it is 0.
    """
    distinct, place = np.unique(ages, return_inverse=True)
    forecasts, truths = (np.bincount(place, values) for values in sums)
    there = forecasts > 0
    if not there.any():
        return 1.0
    age = distinct[there].astype(np.float64)
    level, middle, slope = _line(age, truths[there] / forecasts[there], forecasts[there], following=True)
    return float(1 - slope * middle / level) if level > 0 else 1.0


def _line(
    x: Float64[np.ndarray, " points"],
    ratio: Float64[np.ndarray, " points"],
    weight: Float64[np.ndarray, " points"],
    *,
    following: bool = False,
) -> tuple[float, float, float]:
    """The line of ratios over `x`, as steep as is more than chance.

    Args:
        x: what the ratios may change with.
        ratio: of truth to forecast.
        weight: the forecasts, in the inverse of which the ratios' variances are taken to be.
        following: whether the points follow each other, so that neighbours may err alike.

    Returns:
        The mean ratio, the mean of `x`, and the slope, which is 0 of few points.
    """
    level, middle = (float(np.average(values, weights=weight)) for values in (ratio, x))
    apart = x - middle
    spread = float(weight @ apart**2)
    if len(x) < _LEAST or spread <= 0:
        return level, middle, 0.0
    slope = float(weight @ (apart * (ratio - level))) / spread
    rest = np.sqrt(weight) * (ratio - level - slope * apart)
    squared = float(rest @ rest)
    variance = squared / (len(x) - 2) / spread
    if following and squared > 0:
        follow = min(max(0.0, float(rest[1:] @ rest[:-1]) / squared), 0.9)
        variance *= (1 + follow) / (1 - follow)
    return level, middle, slope * max(0.0, 1 - _ASKED * variance / slope**2) if slope != 0 else 0.0
