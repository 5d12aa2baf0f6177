"""Recordings on the scale of training: their channels, and the changes of these from step to step."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

_LARGEST = 1e6  # deviations from the mean


def standardised(values: ndarray, mean: ndarray, deviation: ndarray, before: ndarray | None = None) -> ndarray:
    """A recording and its changes, in deviations from the mean; or a part of one, with the step before it.

    Args:
        values: `[steps channels]`.
        mean: of the channels and then of their changes, in training.
        deviation: likewise; 0 where there is one value only.
        before: the step before, `[1 channels]`; None is none.

    Returns:
        32-bit floats `[steps features]`.
    """
    return scaled(with_changes(values, before), mean, deviation)


def scaled(values: ndarray, mean: ndarray, deviation: ndarray) -> ndarray:
    """Channels and their changes, doubles `[steps features]`, in deviations from the mean, as 32-bit floats."""
    unit = np.where(deviation > 0, deviation, 1.0)
    # In doubles, so that a small swing on a large level survives; and no larger than what a float can square.
    features: ndarray = np.clip((values - mean) / unit, -_LARGEST, _LARGEST).astype(np.float32)
    return features


def with_changes(values: ndarray, before: ndarray | None = None) -> ndarray:
    """The channels and their changes from step to step, which do not hang on where a sensor's zero is."""
    exact = values.astype(np.float64)
    return np.concatenate([exact, np.diff(exact, axis=0, prepend=exact[:1] if before is None else before)], axis=1)
