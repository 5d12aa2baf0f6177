"""Video into a stream, and a line of JSON for each frame; or the same video with what is done written into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.atomic import write_atomic
from sluicegate.data.video import Frame, frames_of, is_video
from sluicegate.errors import ConfigError

from .failures import note
from .output import json_line
from .signals import Signals

if TYPE_CHECKING:
    from sluicegate.tasks import Task


def answer_frames(task: Task, stream: Any, source: str, say: Callable[[str], None], state: Path | None) -> None:
    """Answer each frame until the video ends or a signal comes; the state is written at the end.

    Args:
        task: whose stream it is.
        stream: it is pushed each frame.
        source: a video, a camera or an address.
        say: is given an answer to each, a line of JSON.
        state: the file for the state at the end; None keeps none.

    Raises:
        ConfigError: the task does not watch videos.
        DataError: the video cannot be read.
        Stopped: a signal came.
    """
    _require_watching(task)
    try:
        with Signals() as signals:
            frames = frames_of(source)
            while (frame := _next(signals, frames)) is not None:
                answer = {"time": frame.time, **stream.push(frame.picture, time=frame.time)}
                say(json_line(answer))
    finally:
        if state is not None:
            write_atomic(state, stream.snapshot())
    stream.finish()


def annotate(task: Task, videos: Sequence[Path], out: Path, options: Mapping[str, Any]) -> None:
    """Write a video again, with skeletons and what is done.

    Raises:
        ConfigError: the task does not watch videos, or there is none, or several.
        DataError: the video cannot be read.
    """
    _require_watching(task)
    if len(videos) != 1 or not is_video(videos[0]):
        raise ConfigError(f"`--out` (={out}) is a video, and {len(videos)} files are given: give one video to annotate")
    if out.exists() and videos[0].exists() and out.samefile(videos[0]):
        raise ConfigError(f"`--out` (={out}) is the video that is read, which would be lost: give another path")
    count = task.annotate(videos[0], out, **options)  # type: ignore[attr-defined]
    note(f"wrote {count:,} frames to {out}")


def _next(signals: Signals, frames: Iterator[Frame]) -> Frame | None:
    """The next frame, which may be long in coming: a signal ends that."""
    with signals.ending():
        return next(frames, None)


def _require_watching(task: Task) -> None:
    if not hasattr(task, "annotate"):
        raise ConfigError(f"a model of the task {task.name} does not watch videos: give it what it was trained on")
