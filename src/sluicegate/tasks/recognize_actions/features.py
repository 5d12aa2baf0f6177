"""What the networks read of each step: joints from the body's middle, bones, distances, and speeds at two lags.

    joints      p_j - (middle of the body)
    bones       (p_a - p_b) / |p_a - p_b|
    distances   |p_j - p_k| of all pairs (Yang et al. 2019, DD-Net)
    speeds      p_t - p_(t-1)  and  p_t - p_(t-2)

of skeletons that are normalised by the body. A feature of a joint that was never seen is the mean of training, so that
it says nothing. Each is computed place by place in an order of its own, so that no bit hangs on what is read beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sluicegate.data.joint_layouts import Layout

LAGS = (1, 2)
"""Steps over which speeds are measured."""

_PAIRS = 16
"""Joints up to which all distances are read; of more, those of the trunk's and the limbs' ends."""

_LEAST = 1e-2  # deviation of a feature
_SHORT = 1e-3  # length of a bone, against the body


class Features:
    """Computes the features of a layout.

    Args:
        layout: of the joints.
        dimensions: 2 or 3.
    """

    def __init__(self, layout: Layout, dimensions: int) -> None:
        self._layout, self._dimensions = layout, dimensions
        self._centre = list(layout.centre)
        self._bones = np.array(layout.bones, dtype=np.int64).reshape(-1, 2)
        self._first, self._second = np.triu_indices(len(chosen := _measured(layout)), 1)
        self._measured = np.array(chosen, dtype=np.int64)

    @property
    def count(self) -> int:
        """How many there are."""
        d = self._dimensions
        return self._layout.joints * d * (1 + len(LAGS)) + len(self._bones) * d + len(self._first)

    @property
    def joints_of(self) -> list[tuple[int, ...]]:
        """The joints that each feature is of."""
        d, every = self._dimensions, range(self._layout.joints)
        single = [(joint,) for joint in every for _ in range(d)]
        pairs = self._measured[np.stack([self._first, self._second], 1)].tolist()
        bones = [tuple(bone) for bone in self._bones.tolist() for _ in range(d)]
        return [*single, *(tuple(pair) for pair in pairs), *bones, *single * len(LAGS)]

    def of(
        self, steps: Float32[np.ndarray, "*batch time joints dimensions"]
    ) -> Float32[np.ndarray, "*batch time features"]:
        """The features of steps, NaN where a joint was never seen."""
        flat = (*steps.shape[:-2], -1)
        parts = [self._joints(steps).reshape(flat), self._distances(steps), self._directions(steps).reshape(flat)]
        for lag in LAGS:
            speed = steps - steps  # 0 before there is one, NaN of what is not seen
            np.subtract(steps[..., lag:, :, :], steps[..., :-lag, :, :], out=speed[..., lag:, :, :])
            parts.append(speed.reshape(flat))
        return np.concatenate(parts, axis=-1)

    def _joints(self, steps: np.ndarray) -> np.ndarray:
        if not self._centre:
            return steps
        middle = steps[..., self._centre[0], :]
        for joint in self._centre[1:]:
            middle = middle + steps[..., joint, :]
        joints: np.ndarray = steps - (middle / np.float32(len(self._centre)))[..., None, :]
        return joints

    def _distances(self, steps: np.ndarray) -> np.ndarray:
        squares = np.zeros((*steps.shape[:-2], len(self._first)), np.float32)
        for k in range(self._dimensions):
            along = np.ascontiguousarray(steps[..., self._measured, k])
            apart = along[..., self._first]
            apart -= along[..., self._second]
            apart *= apart
            squares += apart
        return np.sqrt(squares)

    def _directions(self, steps: np.ndarray) -> np.ndarray:
        bones = steps[..., self._bones[:, 0], :] - steps[..., self._bones[:, 1], :]
        squares = np.zeros(bones.shape[:-1], np.float32)
        for k in range(self._dimensions):
            squares += bones[..., k] * bones[..., k]
        directions: np.ndarray = bones / (np.sqrt(squares) + np.float32(_SHORT))[..., None]
        return directions


def _measured(layout: Layout) -> list[int]:
    """The joints whose distances are read."""
    if layout.joints <= _PAIRS:
        return list(range(layout.joints))
    ends = {joint for part in layout.parts[1:] for joint in (part[0], part[len(part) // 2], part[-1])}
    return sorted(ends | set(layout.centre) | set(layout.parts[0][:4])) if ends else list(range(_PAIRS))


@dataclass(frozen=True)
class Standard:
    """The mean and the standard deviation of each feature in training."""

    mean: Float32[np.ndarray, " features"]
    deviation: Float32[np.ndarray, " features"]

    @classmethod
    def of(cls, features: Float32[np.ndarray, "clips time features"]) -> Standard:
        """Measure features; those that were never seen have mean 0."""
        flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
        known = ~np.isnan(flat)
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, flat, 0.0).sum(0) / count
        squares = np.where(known, np.square(flat - mean), 0.0).sum(0) / count
        return cls(mean.astype(np.float32), np.maximum(np.sqrt(squares), _LEAST).astype(np.float32))

    def apply(self, features: Float32[np.ndarray, ...]) -> Float32[np.ndarray, ...]:
        """Features in deviations from the mean; those that were not seen are 0."""
        scaled = (features - self.mean) / self.deviation
        known: Float32[np.ndarray, ...] = np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0, copy=False)
        return known
