"""Where people are in a picture: anchors, and boxes that overlap made one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from .models import PictureModel
from .regions import Picture, Region

COUNT, NUMBERS = 2254, 12
"""Anchors of the detector, and numbers that it gives for each: a box and four points."""

_GRIDS = ((28, 2), (14, 2), (7, 6))  # places along a side, and anchors at each
_LEAST, _SAME = 0.5, 0.3  # the least probability, and from which overlap on two boxes are one person


def anchors() -> Float64[np.ndarray, "anchors 2"]:
    """The middles of the anchors, from 0 to 1."""
    parts = []
    for side, each in _GRIDS:
        along = (np.arange(side) + 0.5) / side
        places = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
        parts.append(np.repeat(places, each, axis=0))
    return np.concatenate(parts)


class Detector:
    """Finds people.

    Args:
        model: gives 12 numbers and a score for each anchor.
    """

    def __init__(self, model: PictureModel) -> None:
        self._model, self._anchors = model, anchors()

    def __call__(self, picture: Picture) -> list[Region]:
        """The squares around all people, the surest first."""
        whole = Region.whole(picture)
        numbers, scores = self._model(whole.cut(picture, self._model.size) * 2 - 1)
        sure = 1 / (1 + np.exp(-np.clip(scores.reshape(-1).astype(np.float64), -100, 100)))
        rows = np.flatnonzero(sure >= _LEAST)
        if not len(rows):
            return []
        rows = rows[np.argsort(-sure[rows], kind="stable")]
        found = numbers.reshape(-1, NUMBERS)[rows].astype(np.float64) / self._model.size
        middles, sizes = found[:, :2] + self._anchors[rows], found[:, 2:4]
        boxes = np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1)
        points = found[:, 4:8].reshape(-1, 2, 2) + self._anchors[rows][:, None]
        people = []
        while len(boxes):
            same = _overlap(boxes[0], boxes) > _SAME
            weights = sure[rows][: len(boxes)][same]
            both = (points[same] * weights[:, None, None]).sum(0) / weights.sum()
            people.append(Region.of_body(*whole.out(both)))
            boxes, points, rows = boxes[~same], points[~same], rows[~same]
        return people


def _overlap(one: Float64[np.ndarray, " 4"], others: Float64[np.ndarray, "boxes 4"]) -> Float64[np.ndarray, " boxes"]:
    """The common area of boxes over that of both together; 1 of a box and itself."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0.0), axis=1)
    union = np.prod(np.maximum(one[2:] - one[:2], 0.0)) + areas - common
    ratio: Float64[np.ndarray, " boxes"] = np.where(
        (others == one).all(1), 1.0, common / np.where(union > 0, union, 1.0)
    )
    return ratio
