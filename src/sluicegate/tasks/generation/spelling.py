"""How words are spelled: runs of letters, for words that a model of words does not have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from .kneser_ney import END, KneserNey

_LETTERS = 0x110000  # that Unicode has


@dataclass(frozen=True)
class Spelling:
    """The letters of words, of which runs of five are counted when they are first asked for.

    Args:
        names: different words.
    """

    names: tuple[str, ...]

    def log_likelihood(self, words: Sequence[str]) -> Float64[np.ndarray, " words"]:
        """The logarithm of the probability of each word's letters and its end.

        Args:
            words: one at least.
        """
        unknown = len(self._letters) + 1
        tokens = self._numbered(words)
        found = self._runs.log_likelihood(tokens)
        found[tokens == unknown] -= math.log(_LETTERS)
        return np.add.reduceat(found, np.append(0, np.flatnonzero(tokens == END)[:-1] + 1))

    def follow(self, state: tuple[int, ...], letter: str) -> tuple[float, tuple[int, ...]]:
        """Go on by a letter: the logarithm of its probability, and where that leads.

        Args:
            state: where the letters before led; `BEGINNING` of `kneser_ney` before the first.
            letter: the next one.
        """
        number = self._letters.get(letter)
        if number is None:
            chance, state = self._runs.follow(state, len(self._letters) + 1)
            return chance - math.log(_LETTERS), state
        return self._runs.follow(state, number)

    def end(self, state: tuple[int, ...]) -> float:
        """The logarithm of the probability that a word ends."""
        return self._runs.follow(state, END)[0]

    @cached_property
    def _letters(self) -> dict[str, int]:
        return {letter: number for number, letter in enumerate(sorted(set().union(*self.names)), 1)}

    @cached_property
    def _runs(self) -> KneserNey:
        return KneserNey.of(self._numbered(self.names), len(self._letters) + 2)

    def _numbered(self, words: Sequence[str]) -> Int64[np.ndarray, " letters"]:
        """Words as numbers of letters, each with an end."""
        letters, unknown = self._letters, len(self._letters) + 1
        return np.array(
            [number for word in words for number in (*(letters.get(letter, unknown) for letter in word), END)],
            dtype=np.int64,
        )
