"""Texts with their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluicegate.data.words import clean
from sluicegate.tasks.classification.examples import Rows as Rows


@dataclass(frozen=True)
class Examples:
    """Texts and the numbers of their classes.

    Args:
        texts: one for each row.
        truth: the number of each row's class.
        groups: the name of each row's group, where there are groups.
    """

    texts: Sequence[str]
    truth: Rows
    groups: Sequence[str] | None = None

    def take(self, rows: Rows) -> Examples:
        """Some of the rows."""
        numbers = rows.tolist()
        groups = None if self.groups is None else [self.groups[i] for i in numbers]
        return Examples([self.texts[i] for i in numbers], self.truth[rows], groups)

    def digest(self, digest: Any) -> None:
        """Add the texts and their classes to a digest of `hashlib`."""
        for text in self.texts:
            digest.update(clean(text).encode() + b"\0")
        digest.update(self.truth.tobytes())
