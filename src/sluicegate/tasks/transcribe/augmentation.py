"""Other versions of a recording: faster or slower, louder or quieter, in noise, or through a telephone.

And of its features: bands and times that are blanked out (SpecAugment, Park et al. 2019).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import MissingExtra

from .noises import Noises

_SPEEDS = 0.87, 1.15
_GAINS = -18.0, 6.0  # dB
_SNR = 0.0, 20.0  # dB
_NOISY, _LIMITED = 0.5, 0.2  # shares of the versions
_BEFORE = 0.4  # seconds of silence before and after a recording, at most
_BAND_MASKS, _BAND_SHARE = 2, 0.15
_TIME_MASKS, _TIME_SHARE, _LONGEST_MASK = 2, 0.06, 10  # frames

Samples = Float32[np.ndarray, " samples"]


def version(
    samples: Samples, rate: int, noises: Noises, generator: np.random.Generator
) -> Float32[np.ndarray, " found"]:
    """A version of a recording, by chance."""
    found = at_speed(samples, float(generator.uniform(*_SPEEDS)))
    before, after = (int(share * rate) for share in generator.uniform(0.0, _BEFORE, 2))
    if generator.random() < 0.5:
        before = after = 0
    power = float(np.sqrt(np.mean(np.square(found, dtype=np.float64)))) if len(found) else 0.0
    found = np.pad(found, (before, after))
    if generator.random() < _NOISY:
        level = power * 10 ** (-float(generator.uniform(*_SNR)) / 20)
        found = found + noises.draw(len(found), generator) * np.float32(level)
    if generator.random() < _LIMITED:
        found = band_limited(found, rate, float(generator.uniform(50, 350)), float(generator.uniform(0.38, 0.5)) * rate)
    found = found * np.float32(10 ** (float(generator.uniform(*_GAINS)) / 20))
    clipped: Samples = np.clip(found, -1.0, 1.0).astype(np.float32)
    return clipped


def at_speed(samples: Samples, speed: float) -> Float32[np.ndarray, " found"]:
    """A recording that runs so many times as fast, its pitch as much higher."""
    try:
        import soxr
    except ImportError as error:
        raise MissingExtra("soxr", "speech", "changing the speed of audio") from error
    found: Samples = soxr.resample(samples, speed, 1.0, quality="LQ").astype(np.float32)
    return found


def band_limited(samples: Samples, rate: int, low: float, high: float) -> Samples:
    """A recording of which only the frequencies between two, in Hz, are left."""
    spectrum = np.fft.rfft(samples)
    at = np.fft.rfftfreq(max(1, len(samples)), 1 / rate)
    spectrum *= np.clip((at - low) / 50 + 1, 0.03, 1) * np.clip((high - at) / 100 + 1, 0.01, 1)
    found: Samples = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    return found


def masked(
    frames: Float32[np.ndarray, "frames values"], bins: int, generator: np.random.Generator
) -> Float32[np.ndarray, "frames values"]:
    """Features with bands and times blanked out: set to 0, their mean.

    Args:
        frames: stacked mel frames, each of `bins` bands.
        bins: mel bands.
        generator: the source of chance.
    """
    found = frames.reshape(len(frames), -1, bins).copy()
    for _ in range(_BAND_MASKS):
        width = int(generator.integers(0, round(_BAND_SHARE * bins) + 1))
        begin = int(generator.integers(0, bins - width + 1))
        found[:, :, begin : begin + width] = 0.0
    for _ in range(_TIME_MASKS):
        width = int(generator.integers(0, min(_LONGEST_MASK, int(_TIME_SHARE * len(frames))) + 1))
        begin = int(generator.integers(0, len(frames) - width + 1))
        found[begin : begin + width] = 0.0
    return found.reshape(frames.shape)
