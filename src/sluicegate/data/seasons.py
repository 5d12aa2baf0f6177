"""The seasons of a panel: those that its values show, and those that its calendar suggests."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from .axis import DAY, WEEK, YEAR
from .panel import Panel

_STRONG = 0.3  # the correlation from which a season counts; below it, one step is as good a guess
_MORE = 0.02  # by which a longer season must repeat better than a shorter one
_WHOLE = 0.03  # how far a count of steps may lie from a whole number: some calendars leave holidays out
_SERIES, _ROWS = 50, 4096  # enough to see a season, few enough to look at in a moment


def find_season(panel: Panel, columns: list[str], ends: Int64[np.ndarray, " series"], longest: int) -> int:
    """The lag, up to `longest`, at which the series' changes repeat most; 1 where none repeats.

    Looks at the autocorrelation of first differences, averaged over up to 50 series, so that a trend is not
    taken for a season, and takes the shortest lag that comes within a tenth of the best one.
    """
    correlation = _correlation(panel, columns, ends, longest)
    peaks = _peaks(correlation)
    if not peaks:
        return 1
    best = max(correlation[lag] for lag in peaks)
    return next(lag for lag in peaks if correlation[lag] >= 0.9 * best)


def find_seasons(panel: Panel, columns: list[str], ends: Int64[np.ndarray, " series"], longest: int) -> list[int]:
    """The lag that `find_season` finds, and multiples of it, up to `longest`, at which the changes repeat better yet.

    A day and then a week of hours, say: at the week the same weekday comes again.
    """
    first = find_season(panel, columns, ends, longest)
    if first == 1:
        return []
    correlation = _correlation(panel, columns, ends, longest, fair=True)
    found = [first]
    for lag in range(2 * first, len(correlation) - first, first):
        if correlation[lag] > max(correlation[[lag - first, lag + first, found[-1]]]) + _MORE:
            found.append(lag)
    return found


def calendar_seasons(panel: Panel) -> list[int]:
    """The steps in a day, a week and a year, where these are two steps or more and whole.

    Measured by the local clock over the longest series, so that a calendar that leaves days out, or has months of
    different lengths, counts what it has.
    """
    longest = int(panel.lengths.argmax())
    rows = int(panel.lengths[longest])
    if panel.axis.kind == "integer" or rows < 2:
        return []
    ends = panel.ticks(np.array([longest]), panel.bounds[longest] + np.array([0, rows - 1]))
    first, last = panel.axis.local(ends)
    step = (int(last) - int(first)) / (rows - 1)
    if step <= 0:
        return []
    counts = [period / step for period in (DAY, WEEK, YEAR)]
    return [round(count) for count in counts if round(count) >= 2 and abs(count - round(count)) <= _WHOLE * count]


def _correlation(
    panel: Panel, columns: list[str], ends: Int64[np.ndarray, " series"], longest: int, *, fair: bool = False
) -> Float64[np.ndarray, " lags"]:
    """The autocorrelation of first differences up to a lag, the mean over up to 50 series; zeros where none is known.

    The sums are divided by the number of rows, which holds long lags back, or, to be fair to these, by that of pairs.
    """
    total = np.zeros(max(longest, 0) + 1)
    used = 0
    for i in np.linspace(0, len(panel.names) - 1, min(len(panel.names), _SERIES)).astype(int):
        begin, end = int(panel.bounds[i]), int(ends[i])
        for name in columns:
            steps = np.diff(panel.columns[name][max(begin, end - _ROWS) : end])
            deviation = steps.std() if len(steps) else 0.0
            if len(steps) < 3 * longest // 2 + 3 or np.ptp(steps) == 0 or deviation == 0:
                continue
            steps = (steps - steps.mean()) / deviation
            spectrum = np.abs(np.fft.rfft(steps, 2 * len(steps))) ** 2
            pairs = len(steps) - np.arange(longest + 1) * fair
            total += np.fft.irfft(spectrum)[: longest + 1] / pairs
            used += 1
    return total / max(used, 1)


def _peaks(correlation: Float64[np.ndarray, " lags"]) -> list[int]:
    return [
        lag
        for lag in range(2, len(correlation) - 1)
        if correlation[lag] > max(correlation[lag - 1], correlation[lag + 1], _STRONG)
    ]
