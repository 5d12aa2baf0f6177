"""Runs of five words as a model of texts: what it says of each line, words that training did not have included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int32, Int64

from sluicegate.tasks.generation.kneser_ney import END, KneserNey
from sluicegate.tasks.generation.spelling import Spelling

_MOST = 10_000_000  # words that are counted, the first ones: they take 2 GB while they are


@dataclass(frozen=True)
class FiveGram:
    """The words of training, of which runs are counted when they are first asked for: they take many times the place.

    A word that training did not have is one of the unknown, and then spelled: by the same method, of runs of five
    letters in the different words of training.

    Args:
        names: the different words, numbered from 1; 0 is the end of a line.
        words: the training texts in these numbers.
    """

    names: tuple[str, ...]
    words: Int32[np.ndarray, " words"]

    @classmethod
    def of(cls, lines: Sequence[str]) -> FiveGram:
        """Note down the words of training."""
        numbers: dict[str, int] = {}
        words: list[int] = []
        for line in lines:
            words += [numbers.setdefault(word, len(numbers) + 1) for word in line.split()]
            words.append(END)
            if len(words) > _MOST:
                break
        return cls(tuple(numbers), np.array(words, dtype=np.int32))

    def by_word(self, lines: Sequence[str]) -> tuple[Float64[np.ndarray, " words"], Int64[np.ndarray, " words"]]:
        """The logarithm of the probability of each word and each line's end, and how often training had it."""
        words = [word for line in lines for word in (*line.split(), "")]
        unknown = len(self.names) + 1
        tokens = np.array([self._numbers.get(word, unknown) for word in words], dtype=np.int64)
        found = self._runs.log_likelihood(tokens)
        others = np.flatnonzero(tokens == unknown)
        if len(others):
            found[others] += self._spelling.log_likelihood([words[place] for place in others.tolist()])
        return found, self._counts[tokens]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {"": END} | {word: number for number, word in enumerate(self.names, 1)}

    @cached_property
    def _counts(self) -> Int64[np.ndarray, " numbers"]:
        return np.bincount(self.words, minlength=len(self.names) + 2)

    @cached_property
    def _runs(self) -> KneserNey:
        return KneserNey.of(self.words.astype(np.int64), len(self.names) + 2)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self.names)
