"""How words are spelled: those that share character n-grams learn from each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sluicegate.data.words import CONTINUED, SPECIAL

from .ragged import Ragged

_SHORTEST, _LONGEST = 3, 5  # letters of an n-gram
_LEAST = 5  # tokens that have it: with rarer n-grams training took a third longer and came no further


@dataclass(frozen=True)
class Spelling:
    """The character n-grams (3 to 5) that five tokens or more have in common, the ends of a word counted as letters.

    Bojanowski et al. 2017, but for rare n-grams: what only one token has says nothing beyond the token itself.

    Args:
        runs: the numbers of the n-grams of each token.
        count: how many n-grams there are.
    """

    runs: Ragged
    count: int

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Spelling:
        """Of the tokens in the order of their numbers."""
        found = [sorted(set(_runs(token))) if token not in SPECIAL else [] for token in tokens]
        owners: dict[str, int] = {}
        for runs in found:
            for run in runs:
                owners[run] = owners.get(run, 0) + 1
        shared = sorted(run for run, times in owners.items() if times >= _LEAST)
        numbers = {run: number for number, run in enumerate(shared)}
        rows = [np.array([numbers[run] for run in runs if run in numbers], dtype=np.int32) for runs in found]
        return cls(Ragged.of(rows), len(shared))


def _runs(token: str) -> Iterator[str]:
    """The n-grams of a token; a piece that goes on with a word has no beginning."""
    letters = f"{token.removeprefix(CONTINUED)}>" if token.startswith(CONTINUED) else f"<{token}>"
    for length in range(_SHORTEST, _LONGEST + 1):
        for begin in range(len(letters) - length + 1):
            yield letters[begin : begin + length]
