"""Frames of a video file, a camera or a network stream, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from sluicegate.errors import DataError, MissingExtra

VIDEO_FILES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp", ".ogv")
"""Endings of videos."""

_ADDRESSES = ("rtsp://", "rtsps://", "http://", "https://", "rtmp://", "udp://", "tcp://")
_CAMERA = "camera:"
_TICKS = 1000  # of a second, in a file that is written


@dataclass(frozen=True)
class Frame:
    """A picture of a video.

    Args:
        picture: `[height, width, 3]`, red, green and blue.
        time: in seconds from the beginning.
    """

    picture: UInt8[np.ndarray, "height width 3"]
    time: float


def is_video(source: str | Path) -> bool:
    """Tell by what names it whether it is a video: an ending, a camera such as `camera:0`, or an address."""
    text = str(source)
    return text.startswith((_CAMERA, *_ADDRESSES)) or Path(text).suffix.lower() in VIDEO_FILES


def is_live(source: str | Path) -> bool:
    """Tell whether it is a camera or an address, which has no end of its own."""
    return str(source).startswith((_CAMERA, *_ADDRESSES))


def frames_of(source: str | Path, *, where: str = "") -> Iterator[Frame]:
    """Read a video frame by frame, of which one is in memory at a time.

    Args:
        source: a file, a camera such as `camera:0`, or an address such as `rtsp://...`.
        where: what named it, such as ` in line 3 of clips.csv`, for messages.

    Raises:
        DataError: it is missing, cannot be decoded, has no frames, or their size changes.
        MissingExtra: PyAV is not installed.
    """
    av = _require_av()
    named = f"{source}{where}"
    if not is_live(source) and not Path(source).is_file():
        raise DataError(f"{named} is not there or is not a file: give the path of a video")
    try:
        with _opened(av, source) as container:
            yield from _decoded(container, named)
    except av.FFmpegError as error:
        raise DataError(
            f"{named} cannot be decoded as a video ({' '.join(str(error).split())}): give another file, or convert it"
        ) from error


def _decoded(container: Any, named: str) -> Iterator[Frame]:
    if not container.streams.video:
        raise DataError(f"{named} holds no video, or was cut short: give a file with pictures")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    begin: float | None = None
    size, last, count = None, -1.0, 0
    for frame in container.decode(stream):
        if size not in (None, (frame.width, frame.height)):
            raise DataError(
                f"{named} changes its size from {size[0]} x {size[1]} to {frame.width} x {frame.height} at frame "
                f"{count}: cut it there, or convert it to one size"
            )
        size = (frame.width, frame.height)
        at = float(frame.time) if frame.time is not None else count / float(stream.average_rate or 25)
        begin = at if begin is None else begin
        if at - begin > last:  # a camera may tell a time twice
            yield Frame(frame.to_ndarray(format="rgb24"), last := at - begin)
        count += 1
    if not count:
        raise DataError(f"{named} has no frames: leave it out")


def _opened(av: Any, source: str | Path) -> Any:
    text = str(source)
    if not text.startswith(_CAMERA):
        return av.open(text)
    number = text.removeprefix(_CAMERA)
    if not number.isdecimal():
        raise DataError(f"{text} names no camera: give its number, such as camera:0")
    return av.open(f"/dev/video{number}", format="v4l2")


def _require_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "video", "reading a video") from error
    return av


class VideoWriter:
    """Writes an MP4 file frame by frame.

    Args:
        path: of the file, whatever its ending.

    Raises:
        MissingExtra: PyAV is not installed.
    """

    def __init__(self, path: Path) -> None:
        self._av, self._path = _require_av(), path
        self._stream: Any = None

    def __enter__(self) -> VideoWriter:
        self._container = self._av.open(str(self._path), "w", format="mp4")
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if self._stream is not None and kind is None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def write(self, picture: UInt8[np.ndarray, "height width 3"], time: float) -> None:
        """Write a frame, at a time in seconds; of an odd size the last row or column is left out."""
        height, width = (side - side % 2 for side in picture.shape[:2])
        if self._stream is None:
            self._stream = self._container.add_stream("mpeg4", rate=30)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
            self._stream.bit_rate = 8 * width * height
            self._stream.codec_context.time_base = Fraction(1, _TICKS)
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        frame.pts, frame.time_base = round(time * _TICKS), Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))
