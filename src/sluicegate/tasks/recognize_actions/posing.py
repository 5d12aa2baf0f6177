"""What finds skeletons in videos, from what the user gives."""

from __future__ import annotations

from pathlib import Path

from sluicegate.data.pose import Pose, open_pose
from sluicegate.data.pose.fetching import fetched


def pose_of(given: str | Path | Pose | None) -> Pose | None:
    """What finds skeletons.

    Args:
        given: the path of a pose model, what finds skeletons itself, or None for the model that was fetched.

    Returns:
        None where none is given, and none was fetched.

    Raises:
        DataError: the file is no pose model.
        MissingExtra: ai-edge-litert is not installed.
    """
    if isinstance(given, str | Path):
        return open_pose(given)
    if given is None and (model := fetched()) is not None:
        return open_pose(model)
    return given
