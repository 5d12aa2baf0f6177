"""Runs of five words as a model of texts: what it says of each line, words that training did not have included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int32, Int64

from .kneser_ney import END, KneserNey

_MOST = 10_000_000  # words that are counted, the first ones: they take 2 GB while they are
_LETTERS = 0x110000  # that Unicode has


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

    def by_line(self, lines: Sequence[str]) -> Float64[np.ndarray, " lines"]:
        """The logarithm of the probability of each line with its end, given its beginning alone."""
        found, _ = self.by_word(lines)
        ends = np.cumsum([len(line.split()) + 1 for line in lines])
        return np.add.reduceat(found, np.append(0, ends[:-1])) if len(lines) else found

    def by_word(self, lines: Sequence[str]) -> tuple[Float64[np.ndarray, " words"], Int64[np.ndarray, " words"]]:
        """The logarithm of the probability of each word and each line's end, and how often training had it."""
        words = [word for line in lines for word in (*line.split(), "")]
        unknown = len(self.names) + 1
        tokens = np.array([self._numbers.get(word, unknown) for word in words], dtype=np.int64)
        found = self._runs.log_likelihood(tokens)
        others = np.flatnonzero(tokens == unknown)
        if len(others):
            found[others] += self._spelled([words[place] for place in others.tolist()])
        return found, self._counts[tokens]

    def _spelled(self, words: Sequence[str]) -> Float64[np.ndarray, " words"]:
        """The logarithm of the probability of each word's letters."""
        unknown = len(self._letters) + 1
        tokens = _spelling(words, self._letters)
        found = self._spelling.log_likelihood(tokens)
        found[tokens == unknown] -= math.log(_LETTERS)
        return np.add.reduceat(found, np.append(0, np.flatnonzero(tokens == END)[:-1] + 1))

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
    def _letters(self) -> dict[str, int]:
        return {letter: number for number, letter in enumerate(sorted(set().union(*self.names)), 1)}

    @cached_property
    def _spelling(self) -> KneserNey:
        return KneserNey.of(_spelling(self.names, self._letters), len(self._letters) + 2)


def _spelling(words: Sequence[str], letters: dict[str, int]) -> Int64[np.ndarray, " letters"]:
    """Words as numbers of letters, each with an end."""
    unknown = len(letters) + 1
    return np.array(
        [number for word in words for number in (*(letters.get(letter, unknown) for letter in word), END)],
        dtype=np.int64,
    )
