"""Clips whose times are known, at one rate: frames come unevenly, and each camera has a rate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sluicegate.data.skeletons import Clip, Skeletons

_MOST = 30.0
"""Steps in a second, at most: what is faster than that is not read."""


def usual_rate(clips: Sequence[Clip]) -> float | None:
    """The median rate of clips in steps per second; None where none has times."""
    rates = [1.0 / float(np.median(np.diff(clip.times))) for clip in clips if clip.times is not None and len(clip) > 1]
    return min(float(np.median(rates)), _MOST) if rates else None


@dataclass(frozen=True)
class Place:
    """How far a clip was read: the last frame, its time, the first one's, and how many steps of the rate there were."""

    frame: Skeletons  # [1, joints, dimensions]
    time: float
    begun: float
    steps: int


def at_rate(
    values: Skeletons, times: Float64[np.ndarray, " _"], rate: float, before: Place | None = None
) -> tuple[Skeletons, Place]:
    """The steps of a clip at a rate, between its frames by straight lines.

    Args:
        values: the next frames.
        times: of these, in seconds, ascending.
        rate: steps in a second.
        before: where the clip was left; None at its beginning.

    Returns:
        The steps up to the last frame, and where the clip is left. A joint that one of two frames lacks is NaN between
        them.
    """
    whole, at, begun, done = values, times, float(times[0]), 0
    if before is not None:
        whole, at = np.concatenate([before.frame, values]), np.concatenate([[before.time], times])
        begun, done = before.begun, before.steps
    last = int(np.floor((at[-1] - begun) * rate + 1e-6))
    wanted = begun + np.arange(done, last + 1) / rate
    after = np.searchsorted(at, wanted - 1e-6 / rate).clip(0, len(at) - 1)
    prior = np.maximum(after - 1, 0)
    gap = at[after] - at[prior]
    share = np.where(gap > 0, (wanted - at[prior]) / np.where(gap > 0, gap, 1.0), 1.0).clip(0.0, 1.0)
    share = np.where(share > 1 - 1e-6, 1.0, share)[:, None, None]
    mixed = whole[prior] * (1 - share) + whole[after] * share
    steps = np.where(share == 1, whole[after], mixed)
    return steps, Place(whole[-1:].copy(), float(at[-1]), begun, last + 1)


def brought_to(clip: Clip, rate: float | None) -> Skeletons:
    """The steps of a clip at a rate; as they are where the clip has no times, or there is no rate."""
    if rate is None or clip.times is None:
        return clip.values
    return at_rate(clip.values, clip.times, rate)[0]
