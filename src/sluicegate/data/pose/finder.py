"""The skeleton of one person, frame by frame: found once, then followed by where the joints were last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from .detector import COUNT, NUMBERS, Detector
from .models import LiteModel, PictureModel
from .regions import Picture, Region
from .smoothing import OneEuro

JOINTS = 33
"""Joints of a skeleton, in the layout `blazepose`."""

DETECTOR = "pose_detection.tflite"
"""What the detector is called, which is looked for beside the pose model."""

_POINTS, _EACH = 39, 5  # of the model: the joints, two points that say where the body is, and others; their numbers
_THERE, _SEEN = 0.5, 0.3  # the least probability of a person, and of a joint


class PersonFinder:
    """Finds joints, and follows one person among several.

    The person is the surest that is found, or after being lost the nearest to where they were. While they are seen,
    the square that is looked at is made of the joints of the frame before, so that a detector is not asked.

    Args:
        pose: a model that gives 195 numbers and a score for the square around a person.
        detector: finds people; None looks at the whole picture until somebody is seen.
        smooth: whether joints are smoothed over time.
    """

    layout = "blazepose"

    def __init__(self, pose: PictureModel, detector: Detector | None = None, *, smooth: bool = True) -> None:
        self._pose, self._detector = pose, detector
        self._filter = OneEuro() if smooth else None
        self.reset()

    def reset(self) -> None:
        """Begin with another video."""
        self._region: Region | None = None
        self._last: Region | None = None
        if self._filter is not None:
            self._filter.reset()

    def __call__(self, picture: Picture, time: float) -> Float64[np.ndarray, "joints dimensions"]:
        """The joints in a frame, in pixels; NaN for what is not seen."""
        found = None
        if self._region is not None:
            found = self._look(picture, self._region)
        if found is None and (begin := self._first(picture)) is not None:
            if self._filter is not None:
                self._filter.reset()
            found = self._look(picture, begin)
        if found is None:
            self._region = None
            return np.full((JOINTS, 2), np.nan)
        places, sure = found
        self._region = self._last = Region.of_body(places[JOINTS], places[JOINTS + 1])
        joints = places[:JOINTS]
        if self._filter is not None:
            joints = self._filter(joints, time, self._region.size)
        return np.where(sure[:JOINTS, None] >= _SEEN, joints, np.nan)

    def _first(self, picture: Picture) -> Region | None:
        """Where to look for a person of whom nothing is known yet, or who was lost."""
        if self._detector is None:
            return Region.whole(picture)
        people = self._detector(picture)
        if not people or (last := self._last) is None:
            return people[0] if people else None
        return min(people, key=lambda person: np.hypot(person.x - last.x, person.y - last.y))

    def _look(
        self, picture: Picture, region: Region
    ) -> tuple[Float64[np.ndarray, "points 2"], Float64[np.ndarray, " points"]] | None:
        """The points in a square, and how sure each is seen; None where nobody is there."""
        if not region.size > 2:
            return None
        numbers, score = self._pose(region.cut(picture, self._pose.size))
        if not float(score.reshape(-1)[0]) >= _THERE:
            return None
        points = numbers.reshape(_POINTS, _EACH).astype(np.float64)
        return region.out(points[:, :2] / self._pose.size), 1 / (1 + np.exp(-points[:, 3]))


def open_pose(path: str | Path) -> PersonFinder:
    """The finder of a pose model, and of the detector beside it where there is one.

    Raises:
        DataError: it is missing, or no pose model.
        MissingExtra: ai-edge-litert is not installed.
    """
    path = Path(path)
    pose = LiteModel(path, (_POINTS * _EACH, 1), "a pose model such as pose_landmark_full.tflite")
    beside = path.with_name(DETECTOR)
    detector = None
    if beside.is_file():
        detector = Detector(LiteModel(beside, (COUNT * NUMBERS, COUNT), "the detector that belongs to the pose model"))
    return PersonFinder(pose, detector)
