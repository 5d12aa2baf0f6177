"""Skeletons of videos: what finds the pose of one person in one frame after the other, and a clip of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, UInt8

from sluicegate.errors import DataError

from ..skeletons import Clip, clip_of
from ..video import Frame, frames_of


@runtime_checkable
class Pose(Protocol):
    """Finds the skeleton of one person in frames that follow one another."""

    def reset(self) -> None:
        """Begin with another video."""

    def __call__(
        self, picture: UInt8[np.ndarray, "height width 3"], time: float
    ) -> Float64[np.ndarray, "joints dimensions"]:
        """The joints of the person in a frame, in pixels, at a time in seconds; NaN for what is not seen."""


def clip_of_video(source: str | Path, pose: Pose, *, where: str = "") -> Clip:
    """The skeletons of a video.

    Raises:
        DataError: it cannot be read, or shows nobody.
        MissingExtra: PyAV is not installed.
    """
    return clip_of_frames(frames_of(source, where=where), pose, f"{source}{where}")


def clip_of_frames(frames: Iterable[Frame], pose: Pose, named: str) -> Clip:
    """The skeletons of frames.

    Raises:
        DataError: there are none, or they show nobody.
    """
    pose.reset()
    found, times = [], []
    for frame in frames:
        found.append(pose(frame.picture, frame.time))
        times.append(frame.time)
    if not found:
        raise DataError(f"{named} has no frames: leave it out")
    return clip_of(np.stack(found), named, times)
