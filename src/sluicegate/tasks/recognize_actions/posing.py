"""What finds skeletons in videos, from what the user gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sluicegate.data.poses import Pose
from sluicegate.errors import ConfigError


def pose_of(given: Any) -> Pose | None:
    """What finds skeletons.

    Args:
        given: a `Pose`, or None for none.

    Raises:
        ConfigError: it is something else.
    """
    if given is None or isinstance(given, Pose):
        return given
    kind = "a path" if isinstance(given, str | Path) else type(given).__name__
    raise ConfigError(f"`pose_model` is {kind}: expected a `Pose`, which finds skeletons frame by frame")
