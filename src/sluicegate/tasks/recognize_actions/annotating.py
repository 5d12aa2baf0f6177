"""A video with the skeleton that was found, and what is done, written into its frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sluicegate.atomic import written_aside
from sluicegate.data.joint_layouts import Layout
from sluicegate.data.pose import Pose
from sluicegate.data.video import VideoWriter, frames_of

from .stream import ActionStream

_BONE, _JOINT = (255, 160, 0), (255, 255, 255)
_HEIGHT = 22  # pixels of the line of text


def annotated(stream: ActionStream, pose: Pose, layout: Layout, source: str | Path, out: Path) -> int:
    """Write a video again with what a stream says of it.

    Args:
        stream: it is pushed the skeletons.
        pose: finds them.
        layout: of their joints.
        source: the video.
        out: where it is written, whole or not at all.

    Returns:
        How many frames it has.

    Raises:
        DataError: the video cannot be read.
        MissingExtra: PyAV is not installed.
    """
    count = 0
    with written_aside(out) as new, VideoWriter(new) as writer:
        for frame in frames_of(source):
            joints = pose(frame.picture, frame.time)
            answer = stream.push(joints, time=frame.time)
            writer.write(drawn(frame.picture, joints, layout, answer), frame.time)
            count += 1
    return count


def drawn(
    picture: UInt8[np.ndarray, "height width 3"],
    joints: Float64[np.ndarray, "joints dimensions"],
    layout: Layout,
    answer: dict[str, Any],
) -> UInt8[np.ndarray, "height width 3"]:
    """A frame with a skeleton, and a line of text above."""
    found = picture.copy()
    for one, other in layout.bones:
        _line(found, joints[one], joints[other])
    for joint in joints:
        _dot(found, joint)
    if answer["label"] is not None:
        text = written(f"{answer['label']} {answer['probability']:.0%}")
        height, width = min(text.shape[0], found.shape[0]), min(text.shape[1], found.shape[1])
        found[:height, :width] = text[:height, :width]
    return found


@lru_cache(maxsize=512)
def written(text: str) -> UInt8[np.ndarray, "height width 3"]:
    """A text in white on black."""
    figure = Figure(figsize=((12 + 8 * len(text)) / 100, _HEIGHT / 100), dpi=100, facecolor="black")
    canvas: Any = FigureCanvasAgg(figure)
    figure.text(0.02, 0.25, text, color="white", fontsize=9, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _line(picture: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
    if np.isnan(one).any() or np.isnan(other).any():
        return
    steps = int(min(np.abs(other[:2] - one[:2]).max(), 10_000)) + 2
    places = one[:2] + np.linspace(0, 1, steps)[:, None] * (other[:2] - one[:2])
    _paint(picture, places, _BONE)


def _dot(picture: np.ndarray, joint: np.ndarray) -> None:
    if not np.isnan(joint).any():
        _paint(picture, joint[None, :2], _JOINT)


def _paint(picture: np.ndarray, places: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Squares of two pixels."""
    height, width = picture.shape[:2]
    for across in (0, 1):
        for down in (0, 1):
            x, y = (places.round().astype(np.int64) + np.array([across, down])).T
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            picture[y[inside], x[inside]] = colour
