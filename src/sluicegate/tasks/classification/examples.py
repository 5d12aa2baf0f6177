"""Labelled rows, and what is said of those that a classifier was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Int64

from .decision import Probabilities

Rows = Int64[np.ndarray, " _"]


@runtime_checkable
class Examples(Protocol):
    """Rows and the numbers of their classes."""

    @property
    def truth(self) -> Rows:
        """The number of each row's class."""

    @property
    def groups(self) -> Sequence[str] | None:
        """The name of each row's group, where there are groups."""

    def take(self, rows: Rows) -> Examples:
        """Some of the rows."""

    def digest(self, digest: Any) -> None:
        """Add all that training sees of them to a digest of `hashlib`."""


Some = TypeVar("Some", bound=Examples)


@dataclass(frozen=True)
class Validation(Generic[Some]):
    """What is known of the model on rows that it was not trained on.

    Args:
        examples: the rows.
        probabilities: by method, `model` first.
        notes: what a reader should know of the rows.
        facts: further ones, of how it was measured.
    """

    examples: Some
    probabilities: dict[str, Probabilities]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
