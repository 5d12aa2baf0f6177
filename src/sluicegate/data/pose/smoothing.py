"""The one-euro filter (Casiez et al. 2012): slow movements are smoothed much, fast ones little."""

from __future__ import annotations

from math import pi

import numpy as np
from jaxtyping import Float64


class OneEuro:
    """Smooths places over time.

        x' = x' + a(f) (x - x')        f = least + slope |v'|
        v' = v' + a(1) (v - v')        a(f) = 1 / (1 + 1 / (2 pi f dt))

    Args:
        least: the cutoff frequency at rest, in Hz.
        slope: by how much it grows with the speed, in body sizes a second.
    """

    def __init__(self, least: float = 1.0, slope: float = 10.0) -> None:
        self._least, self._slope = least, slope
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._time = 0.0
        self._place: Float64[np.ndarray, "points dimensions"] | None = None
        self._speed = np.zeros(())

    def __call__(
        self, places: Float64[np.ndarray, "points dimensions"], time: float, size: float
    ) -> Float64[np.ndarray, "points dimensions"]:
        """The smoothed places, at a time in seconds, of a body of so many pixels."""
        if self._place is None or time <= self._time:
            self._place, self._speed, self._time = places.copy(), np.zeros_like(places), time
            return places
        gap, self._time = time - self._time, time
        speed = (places - self._place) / (gap * max(size, 1.0))
        self._speed = self._speed + _share(np.ones(1), gap) * (speed - self._speed)
        fast = self._least + self._slope * np.abs(self._speed)
        self._place = self._place + _share(fast, gap) * (places - self._place)
        return self._place.copy()


def _share(frequency: Float64[np.ndarray, ...], gap: float) -> Float64[np.ndarray, ...]:
    share: Float64[np.ndarray, ...] = 1 / (1 + 1 / (2 * pi * frequency * gap))
    return share
