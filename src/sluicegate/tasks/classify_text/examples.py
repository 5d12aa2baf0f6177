"""Texts with their classes, and the probabilities of those that validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int64

Rows: TypeAlias = Int64[np.ndarray, " rows"]


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


@dataclass(frozen=True)
class Validation:
    """What is known of the model on rows that it was not trained on.

    Args:
        examples: the rows.
        said: predicted probabilities by method.
        new_words: the shares of the words that are unknown, and that are read in pieces.
        notes: what a reader should know of rows that are there several times.
    """

    examples: Examples
    said: dict[str, Float64[np.ndarray, "rows classes"]]
    new_words: tuple[float, float]
    notes: tuple[str, ...] = ()
