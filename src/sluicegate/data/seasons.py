"""Find the season of a panel whose time axis does not tell."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from .panel import Panel

_STRONG = 0.3  # the correlation from which a season counts; below it, one step is as good a guess
_SERIES, _ROWS = 50, 4096  # enough to see a season, few enough to look at in a moment


def find_season(panel: Panel, columns: list[str], ends: Int64[np.ndarray, " series"], longest: int) -> int:
    """The lag, up to `longest`, at which the series' changes repeat most; 1 where none repeats.

    Looks at the autocorrelation of first differences, averaged over up to 50 series, so that a trend is not
    taken for a season, and takes the shortest lag that comes within a tenth of the best one.
    """
    total = np.zeros(longest + 1)
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
            total += np.fft.irfft(spectrum)[: longest + 1] / len(steps)
            used += 1
    if used == 0 or longest < 2:
        return 1
    correlation = total / used
    peaks = [
        lag for lag in range(2, longest) if correlation[lag] > max(correlation[lag - 1], correlation[lag + 1], _STRONG)
    ]
    if not peaks:
        return 1
    best = max(correlation[lag] for lag in peaks)
    return next(lag for lag in peaks if correlation[lag] >= 0.9 * best)
