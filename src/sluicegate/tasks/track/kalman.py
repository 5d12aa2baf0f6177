"""The Kalman filter of SORT, for all tracks at once: a box with the speed of its centre and of its area.

Bewley et al. 2016, "Simple Online and Realtime Tracking": the state is the centre, the area, the ratio of the sides,
and the changes of the first three from frame to frame, which stay as they are; the ratio has none.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from sluicegate.data.boxes import Boxes

_SEEN, _STATE = 4, 7
_MEASURED = np.array([1.0, 1.0, 10.0, 10.0])  # the variance of what is seen
_MOVED = np.array([1.0, 1.0, 1.0, 1.0, 0.01, 0.01, 1e-4])  # the variance that a frame adds
_FIRST = np.array([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])  # at first: speeds are not known
_STEP = np.eye(_STATE)
_STEP[[0, 1, 2], [4, 5, 6]] = 1.0


class KalmanTracks:
    """The states of all tracks."""

    def __init__(self) -> None:
        self.means: Float64[np.ndarray, "tracks 7"] = np.zeros((0, _STATE))
        self.spreads: Float64[np.ndarray, "tracks 7 7"] = np.zeros((0, _STATE, _STATE))

    def begin(self, boxes: Boxes) -> None:
        """Begin tracks behind those that there are."""
        means = np.zeros((len(boxes), _STATE))
        means[:, :_SEEN] = _as_seen(boxes)
        spreads = np.broadcast_to(np.diag(_FIRST), (len(boxes), _STATE, _STATE))
        self.means = np.concatenate([self.means, means])
        self.spreads = np.concatenate([self.spreads, spreads])

    def keep(self, rows: np.ndarray) -> None:
        """Keep only these tracks."""
        self.means, self.spreads = self.means[rows], self.spreads[rows]

    def predict(self) -> Boxes:
        """Go on by a frame, and say where each track is."""
        shrinks = self.means[:, 2] + self.means[:, 6] <= 0
        self.means[shrinks, 6] = 0.0
        self.means = self.means @ _STEP.T
        self.spreads = _STEP @ self.spreads @ _STEP.T + np.diag(_MOVED)
        return self.boxes()

    def correct(self, rows: np.ndarray, boxes: Boxes) -> None:
        """Tell tracks where they were seen."""
        spread = self.spreads[rows]
        seen = spread[:, :_SEEN, :_SEEN] + np.diag(_MEASURED)
        gain = np.linalg.solve(seen, spread[:, :_SEEN]).transpose(0, 2, 1)
        off = _as_seen(boxes) - self.means[rows, :_SEEN]
        self.means[rows] += (gain @ off[:, :, None])[:, :, 0]
        self.spreads[rows] = spread - gain @ spread[:, :_SEEN]

    def boxes(self) -> Boxes:
        """Where each track is."""
        width = np.sqrt(np.maximum(self.means[:, 2] * self.means[:, 3], 1e-9))
        height = self.means[:, 2] / width
        return np.stack([self.means[:, 0] - width / 2, self.means[:, 1] - height / 2, width, height], axis=1)


def _as_seen(boxes: Boxes) -> Boxes:
    width, height = boxes[:, 2], boxes[:, 3]
    return np.stack([boxes[:, 0] + width / 2, boxes[:, 1] + height / 2, width * height, width / height], axis=1)
