"""Recordings with their classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from sluicegate.data import Recordings

Rows = Int64[np.ndarray, " _"]


@dataclass(frozen=True)
class Examples:
    """Recordings and the numbers of their classes."""

    recordings: Recordings  # with their groups where there are any
    truth: Rows  # the number of each one's class

    @property
    def groups(self) -> list[str] | None:
        """The name of each recording's group."""
        groups = self.recordings.groups
        return None if groups is None else [str(name) for name in groups.to_list()]

    def take(self, rows: Rows) -> Examples:
        """Some of the recordings."""
        return Examples(self.recordings.take(rows), self.truth[rows])

    def digest(self, digest: Any) -> None:
        """Add the recordings, their classes and groups to a digest of `hashlib`."""
        for values in self.recordings.values:
            digest.update(np.ascontiguousarray(values).tobytes() + b"\0")
        digest.update(self.truth.tobytes() + repr(self.groups).encode())
