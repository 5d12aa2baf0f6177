"""Skeletons as the networks take them: gaps closed, and position, size and facing told by the body itself.

    m_t = mean of the body's middle up to t          s_t = root of the mean squared length of its bones up to t
    a_t = mean of the lines across hips and shoulders up to t
    n_t = R(a_t) (p_t - m_t) / s_t                    R turns a_t, seen from above, to the side

All of it looks back alone, so that a stream says what `predict` says. A model that reads both ways takes the values
after the last step for all steps. In two dimensions nothing is turned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64

from sluicegate.data.joint_layouts import Layout

Values = Float64[np.ndarray, "time joints dimensions"]
Normal = Float32[np.ndarray, "_ joints dimensions"]


@dataclass
class Sums:
    """What is remembered of a body.

    Args:
        held: where each joint was last, `[joints, dimensions]`; None before the first step.
        middle: the sum of the middles, and how many there were.
        lengths: the sum of the bones' squared lengths, and how many there were.
        across: the sum of the lines across, and how many there were.
    """

    held: Float64[np.ndarray, "joints dimensions"] | None = None
    middle: Float64[np.ndarray, " sums"] = field(default_factory=lambda: np.zeros(4))
    lengths: Float64[np.ndarray, " two"] = field(default_factory=lambda: np.zeros(2))
    across: Float64[np.ndarray, " sums"] = field(default_factory=lambda: np.zeros(4))


class Bodies:
    """Normalises skeletons of a layout.

    Args:
        layout: of the joints.
        dimensions: 2 or 3.
    """

    def __init__(self, layout: Layout, dimensions: int) -> None:
        self._dimensions = dimensions
        self._bones = np.array(layout.bones, dtype=np.int64).reshape(-1, 2)
        self._centre = list(layout.centre)
        self._across = np.array(layout.across, dtype=np.int64).reshape(-1, 2)

    def whole(self, values: Values) -> Normal:
        """A clip that is there as a whole: gaps are closed by straight lines, and one size holds for all steps."""
        filled = between(values)
        middle, size, across = self._running(filled, Sums())[:3]
        return self._normal(filled, middle[-1:], size[-1:], across[-1:])

    def onwards(self, values: Values, sums: Sums) -> tuple[Normal, Sums]:
        """The next steps of a clip that goes on, in which a joint is held where it was last seen."""
        filled = held(values, sums.held)
        middle, size, across, after = self._running(filled, sums)
        return self._normal(filled, middle, size, across), after

    def _running(self, filled: Values, sums: Sums) -> tuple[np.ndarray, np.ndarray, np.ndarray, Sums]:
        """The means up to each step, and the sums after the last."""
        d = self._dimensions
        places = self._middle(filled)
        middle = _summed(places, np.ones(places.shape, dtype=bool), sums.middle[: d + 1])
        bones = filled[:, self._bones[:, 0]] - filled[:, self._bones[:, 1]]
        squares = _squared(bones)
        known = ~np.isnan(squares)
        count = known.sum(1).astype(np.float64)
        lengths = _added(np.stack([_row_sums(np.where(known, squares, 0.0)), count], 1), sums.lengths)
        lines = filled[:, self._across[:, 0]] - filled[:, self._across[:, 1]]
        seen = ~np.isnan(lines).any(2)
        line = np.where(seen[..., None], lines, 0.0)
        lined = _added(
            np.concatenate([_column_sums(line), seen.sum(1)[:, None].astype(np.float64)], 1), sums.across[: d + 1]
        )
        after = Sums(filled[-1].copy(), _padded(middle[-1]), lengths[-1].copy(), _padded(lined[-1]))
        size = np.sqrt(lengths[:, 0] / np.maximum(lengths[:, 1], 1.0))
        size = np.where(size > 0, size, 1.0)
        return middle[:, :d] / np.maximum(middle[:, d:], 1.0), size, lined[:, :d], after

    def _middle(self, filled: Values) -> Float64[np.ndarray, "time dimensions"]:
        """The middle of the body, of all joints that are known where those of the centre are not."""
        chosen = filled[:, self._centre] if self._centre else filled
        middle = _mean(chosen)
        return np.where(np.isnan(middle), _mean(filled), middle)

    def _normal(self, filled: Values, middle: np.ndarray, size: np.ndarray, across: np.ndarray) -> Normal:
        moved = (filled - middle[:, None]) / size[:, None, None]
        if self._dimensions == 3:
            x, z = across[:, :1], across[:, 2:3]
            length = np.sqrt(x * x + z * z)
            far = length > 0
            unit = np.where(far, length, 1.0)
            cos, sin = np.where(far, x / unit, 1.0), np.where(far, z / unit, 0.0)
            first, last = moved[..., 0], moved[..., 2]
            moved = np.stack([cos * first + sin * last, moved[..., 1], cos * last - sin * first], axis=-1)
        normal: Normal = moved.astype(np.float32)
        return normal


def between(values: Values) -> Values:
    """Gaps closed by straight lines, and ends by the nearest value; joints that were never seen stay NaN."""
    missing = np.isnan(values[..., 0])
    if not missing.any():
        return values
    filled, steps = values.copy(), np.arange(len(values))
    for joint in np.flatnonzero(missing.any(0) & ~missing.all(0)).tolist():
        gone = missing[:, joint]
        for k in range(values.shape[2]):
            filled[gone, joint, k] = np.interp(steps[gone], steps[~gone], values[~gone, joint, k])
    return filled


def held(values: Values, before: Float64[np.ndarray, "joints dimensions"] | None) -> Values:
    """Gaps closed by what was last seen; joints that were not seen yet stay NaN."""
    missing = np.isnan(values[..., 0])
    if not missing.any():
        return values
    whole = values if before is None else np.concatenate([before[None], values])
    gone = np.isnan(whole[..., 0])
    last = np.maximum.accumulate(np.where(gone, 0, np.arange(len(whole))[:, None]), axis=0)
    filled: Values = np.take_along_axis(whole, last[..., None], axis=0)
    return filled[len(whole) - len(values) :]


def _mean(places: Values) -> Float64[np.ndarray, "time dimensions"]:
    known = ~np.isnan(places[..., 0])
    count = known.sum(1)[:, None]
    summed = _column_sums(np.where(known[..., None], places, 0.0))
    return np.where(count > 0, summed / np.maximum(count, 1), np.nan)


# Sums are taken one after the other: NumPy's own hang on how much is summed beside.
def _row_sums(values: Float64[np.ndarray, "time columns"]) -> Float64[np.ndarray, " time"]:
    total = np.zeros(len(values))
    for column in range(values.shape[1]):
        total = total + values[:, column]
    return total


def _column_sums(values: Values) -> Float64[np.ndarray, "time dimensions"]:
    total = np.zeros((len(values), values.shape[2]))
    for joint in range(values.shape[1]):
        total = total + values[:, joint]
    return total


def _squared(bones: Values) -> Float64[np.ndarray, "time bones"]:
    total = np.zeros(bones.shape[:2])
    for k in range(bones.shape[2]):
        total = total + bones[..., k] * bones[..., k]
    return total


def _summed(
    places: Float64[np.ndarray, "time dimensions"],
    known: np.ndarray,
    before: Float64[np.ndarray, " sums"],
) -> Float64[np.ndarray, "time sums"]:
    count = np.asarray(known.any(1), dtype=np.float64)[:, None]
    return _added(np.concatenate([places, count], axis=1), before)


def _added(values: Float64[np.ndarray, "time sums"], before: Float64[np.ndarray, " sums"]) -> np.ndarray:
    """The sums up to each step, from those before the first."""
    return np.add.accumulate(np.concatenate([before[None], values]), axis=0)[1:]


def _padded(sums: np.ndarray) -> Float64[np.ndarray, " sums"]:
    return np.concatenate([sums, np.zeros(4 - len(sums))])
