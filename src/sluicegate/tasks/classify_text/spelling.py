"""How words are spelled: those that share character n-grams learn from each other.

Those that are features of texts, in `letters`, go on from word to word, and only so many letters have a number there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from sluicegate.data.words import CONTINUED, SPECIAL
from sluicegate.runtime.texts.ragged import Ragged

_SHORTEST, _LONGEST = 3, 5  # letters of an n-gram
_LEAST = 5  # tokens that have it: with rarer n-grams training took a third longer and came no further


@dataclass(frozen=True)
class Spelling:
    """The character n-grams (3 to 5) that five tokens or more have in common, the ends of a word counted as letters.

    Bojanowski et al. 2017, but for rare n-grams: what only one token has says nothing beyond the token itself.

    Args:
        ngrams: the numbers of those of each token.
        count: how many n-grams there are.
    """

    ngrams: Ragged
    count: int

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Spelling:
        """Of the tokens in the order of their numbers."""
        found = [sorted(set(_ngrams(token))) if token not in SPECIAL else [] for token in tokens]
        times = Counter(chain.from_iterable(found))
        shared = sorted(ngram for ngram in times if times[ngram] >= _LEAST)
        numbers = {ngram: number for number, ngram in enumerate(shared)}
        rows = [np.array([numbers[ngram] for ngram in own if ngram in numbers], dtype=np.int32) for own in found]
        return cls(Ragged.of(rows), len(shared))


def _ngrams(token: str) -> Iterator[str]:
    """The n-grams of a token; a piece that goes on with a word has no beginning."""
    letters = f"{token.removeprefix(CONTINUED)}>" if token.startswith(CONTINUED) else f"<{token}>"
    for length in range(_SHORTEST, _LONGEST + 1):
        for begin in range(len(letters) - length + 1):
            yield letters[begin : begin + length]
