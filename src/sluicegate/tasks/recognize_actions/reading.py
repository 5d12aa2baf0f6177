"""Clips with their actions, as users have them: arrays, files of skeletons or videos, a table of these, or a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from sluicegate.data import Source
from sluicegate.data.columns import select
from sluicegate.data.for_each import for_each
from sluicegate.data.frames import backend_of
from sluicegate.data.pose import Pose, clip_of_video
from sluicegate.data.skeletons import Clip, clip_of
from sluicegate.data.video import is_video
from sluicegate.errors import ConfigError, DataError

SKELETON_FILES = (".npy",)


@dataclass(frozen=True)
class Read:
    """Clips, and what is known of them.

    Args:
        clips: these.
        called: what each is called in messages and answers.
        labels: the action of each, where it is known.
        groups: the name of each one's group, where there are groups.
        backend: what kind of frame the user works with.
    """

    clips: Sequence[Clip]
    called: Sequence[str]
    labels: pl.Series | None
    groups: Sequence[str] | None
    backend: Any


def read(
    data: Any,
    *,
    labels: Any,
    groups: Any,
    columns: Mapping[str, str],
    pose: Pose | None,
    origin: Source,
    labelled: bool = True,
) -> Read:
    """Clips in any form.

    Args:
        data: arrays `[time, joint, 2 or 3]`, paths of videos and `.npy` files, or both, in a sequence; an array
            `[clips, time, joint, 2 or 3]`; one path; a table of paths; or a folder with a folder for each action.
        labels: the action of each clip, or the name of the column.
        groups: likewise, of groups.
        columns: what a table's columns are called.
        pose: finds skeletons in videos.
        origin: what the data are called in messages.
        labelled: whether the actions are wanted.

    Raises:
        DataError: it is something else, or a clip cannot be used.
        ConfigError: there are videos, and nothing that finds skeletons in them.
    """
    if data is None:
        raise DataError("there are no clips: give arrays [time, joint, 2 or 3], paths, or a table of paths")
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_dir():
            return _in_folder(path, groups, pose, labelled=labelled)
        data = [data]
    if isinstance(data, list | tuple | np.ndarray):
        return _in_sequence(data, labels, groups, pose)
    return _in_table(data, labels, groups, columns, pose, origin, labelled=labelled)


def _in_sequence(data: Any, labels: Any, groups: Any, pose: Pose | None) -> Read:
    if isinstance(data, np.ndarray) and data.ndim != 4 and data.dtype.kind != "O":
        raise DataError(
            f"the array of clips is of shape {data.shape}: expected [clips, time, joint, 2 or 3], or a list of arrays"
        )
    if not len(data):
        raise DataError("there are no clips: give one at least")
    called = [str(one) if isinstance(one, str | Path) else f"clip {row}" for row, one in enumerate(data)]
    clips = [one_clip(one, name, pose) for one, name in zip(data, called, strict=True)]
    column = for_each(labels, "labels", "label", len(clips))
    return Read(
        clips, called, column, _names(for_each(groups, "groups", "group", len(clips))), nw.Implementation.POLARS
    )


def _in_table(
    data: Any,
    labels: Any,
    groups: Any,
    columns: Mapping[str, str],
    pose: Pose | None,
    origin: Source,
    *,
    labelled: bool,
) -> Read:
    for name, value in (("labels", labels), ("groups", groups)):
        if value is not None and not isinstance(value, str):
            raise DataError(f"`{name}` must be the name of a column where clips come as a table: name it")
    label, path = labels or columns["label"], columns["path"]
    wanted = [path, *([label] if labelled else []), *([groups] if groups else [])]
    table = select(data, wanted, origin)
    if table.is_empty():
        raise DataError(f"{origin.name} holds no rows: expected the path of a clip in each")
    clips, called = [], []
    for row, value in enumerate(table[path].to_list()):
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"column {path!r} holds {value!r} in {origin.row(row)}: expected the path of a clip")
        clips.append(one_clip(value, f"{value} ({origin.row(row)})", pose))
        called.append(value)
    return Read(
        clips, called, table[label] if labelled else None, _names(table[groups] if groups else None), backend_of(data)
    )


def _in_folder(folder: Path, groups: Any, pose: Pose | None, *, labelled: bool) -> Read:
    """The clips of a folder in the order of their names; of one for each action where actions are wanted."""
    if groups is not None:
        raise ConfigError("`groups` names a column, and a folder has none: list the clips in a table")
    found = sorted(path for path in folder.glob("*/*" if labelled else "*") if is_clip(path) and path.is_file())
    if not labelled and not found:
        found = sorted(path for path in folder.glob("*/*") if is_clip(path) and path.is_file())
    if not found:
        inside = "a folder for each action with clips in it" if labelled else "clips"
        raise DataError(f"there are no clips in {folder}: expected {inside}, videos or .npy files of skeletons")
    clips = [one_clip(path, str(path), pose) for path in found]
    column = pl.Series("label", [path.parent.name for path in found]) if labelled else None
    return Read(clips, [str(path) for path in found], column, None, nw.Implementation.POLARS)


def is_clip(path: str | Path) -> bool:
    """Tell by a file's ending whether it holds a clip."""
    return is_video(path) or Path(path).suffix.lower() in SKELETON_FILES


def one_clip(one: Any, named: str, pose: Pose | None) -> Clip:
    """A clip of an array, a file of skeletons, or a video.

    Raises:
        DataError: it is something else, or cannot be used.
        ConfigError: it is a video, and there is nothing that finds skeletons in it.
    """
    if isinstance(one, Clip):
        return one
    if not isinstance(one, str | Path):
        return clip_of(one, named)
    path = Path(one)
    if path.suffix.lower() in SKELETON_FILES:
        return clip_of(_loaded(path, named), named)
    if not is_video(one):
        raise DataError(
            f"{named} is no clip, by its ending: expected a video, such as .mp4, or skeletons in an .npy file"
        )
    if pose is None:
        raise ConfigError(
            f"{named} is a video, and nothing finds skeletons in it: give a pose model as `pose_model` "
            "(`--pose-model FILE.tflite`), or run `sluicegate pose fetch` once"
        )
    return clip_of_video(one, pose)


def _loaded(path: Path, named: str) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{named} is not there: give the path of a clip") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{named} cannot be read as npy ({error}): save it again, as numbers") from error
    return found


def _names(groups: pl.Series | None) -> list[str] | None:
    return None if groups is None else [str(name) for name in groups.to_list()]
