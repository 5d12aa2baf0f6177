"""Skeletons over time: arrays `[time, joint, 2 or 3]` with NaN for joints that were not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from sluicegate.errors import DataError

Skeletons: TypeAlias = Float64[np.ndarray, "_ joints dimensions"]
LARGEST = 1e9
"""What a coordinate may be in size."""


@dataclass(frozen=True)
class Clip:
    """A person in motion.

    Args:
        values: where each joint is, NaN where it was not seen; in the first and the last step one was.
        times: of each step in seconds, ascending; None where steps follow at a rate that nobody has told.
    """

    values: Skeletons
    times: Float64[np.ndarray, " _"] | None = None

    def __len__(self) -> int:
        """How many steps."""
        return len(self.values)


def clip_of(array: Any, named: str, times: Any = None) -> Clip:
    """A clip of an array, from the first step in which a joint was seen to the last one.

    Args:
        array: `[time, joint, 2 or 3]`.
        named: what it is called in messages.
        times: of its steps, in seconds, where they are known.

    Raises:
        DataError: it is something else, nobody is seen in it, or times do not ascend.
    """
    values = _numbers(array, named)
    if values.ndim != 3 or values.shape[2] not in (2, 3) or not values.shape[1]:
        raise DataError(f"{named} is of shape {values.shape}: expected skeletons, [time, joint, 2 or 3]")
    if not len(values):
        raise DataError(f"{named} has no steps: leave it out")
    values = np.where(np.isnan(values).any(2, keepdims=True), np.nan, values)
    odd = ~(np.abs(values) <= LARGEST) & ~np.isnan(values)
    if odd.any():
        step, joint, _ = (int(place) for place in np.argwhere(odd)[0])
        raise DataError(
            f"{named} holds {float(values[odd][0])} at step {step}, joint {joint}: expected numbers of at most "
            f"{LARGEST:g} in size, and NaN for joints that were not seen"
        )
    seen = ~np.isnan(values).all((1, 2))
    if not seen.any():
        raise DataError(f"{named} shows nobody, for no joint was seen in any of its {len(values)} steps: leave it out")
    rows = np.flatnonzero(seen)
    kept = slice(int(rows[0]), int(rows[-1]) + 1)
    return Clip(values[kept], None if times is None else _ascending(times, len(values), named)[kept])


def _ascending(times: Any, steps: int, named: str) -> Float64[np.ndarray, " _"]:
    found = np.asarray(times, dtype=np.float64)
    if found.shape != (steps,):
        raise DataError(f"the times of {named} are of shape {found.shape}: expected {steps}, one for each step")
    if not np.isfinite(found).all() or (np.diff(found) <= 0).any():
        step = int(np.flatnonzero(~(np.diff(found, prepend=-np.inf) > 0))[0])
        raise DataError(
            f"{named} is at {found[step]:g} s in step {step}, which is not after the step before: expected times in "
            "seconds that ascend; put the frames into their order"
        )
    return found


def _numbers(array: Any, named: str) -> Float64[np.ndarray, ...]:
    try:
        filled = np.ma.filled(array.astype(np.float64), np.nan) if np.ma.isMaskedArray(array) else array
        return np.asarray(filled, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{named} is not an array of numbers ({error}): expected skeletons, [time, joint, 2 or 3]"
        ) from error


def require_alike(clips: Sequence[Clip], called: Sequence[str], joints: int, dimensions: int, by: str) -> None:
    """Hold clips to the joints and dimensions of the first, or of training.

    Raises:
        DataError: one has others.
    """
    for clip, name in zip(clips, called, strict=True):
        if clip.values.shape[1:] != (joints, dimensions):
            found = clip.values.shape
            raise DataError(
                f"{name} has {found[1]} joints in {found[2]} dimensions, where {by} has {joints} in {dimensions}: give "
                "skeletons of one joint layout, or bring them to one order first"
            )
