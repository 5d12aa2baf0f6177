"""Clips with their actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from sluicegate.data.skeletons import Clip
from sluicegate.tasks.classification.equal_rows import numbered

Rows = Int64[np.ndarray, " _"]


@dataclass(frozen=True)
class Examples:
    """Clips and the numbers of their actions."""

    clips: Sequence[Clip]
    called: Sequence[str]  # what each is called in messages
    truth: Rows  # the number of each one's action
    groups: Sequence[str] | None  # the name of each one's group, where there are groups

    def take(self, rows: Rows) -> Examples:
        """Some of the clips."""
        chosen = rows.tolist()
        groups = None if self.groups is None else [self.groups[row] for row in chosen]
        return Examples(
            [self.clips[row] for row in chosen], [self.called[row] for row in chosen], self.truth[rows], groups
        )

    def digest(self, digest: Any) -> None:
        """Add the clips, their actions and groups to a digest of `hashlib`."""
        for clip in self.clips:
            digest.update(_content(clip) + b"\0")
        digest.update(self.truth.tobytes() + repr(None if self.groups is None else list(self.groups)).encode())


def equal_clips(*several: Examples) -> Rows:
    """A number for each clip, the same for those of the same numbers."""
    return numbered(_content(clip) for examples in several for clip in examples.clips)


def _content(clip: Clip) -> bytes:
    values = np.ascontiguousarray(clip.values) + 0.0  # zeros with and without a sign are the same
    times = b"" if clip.times is None else clip.times.tobytes()
    return values.tobytes() + repr(values.shape).encode() + times
