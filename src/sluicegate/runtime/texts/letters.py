"""Character n-grams as features: what texts have in common whose words hardly ever come again.

Where spaces are rare, as in Thai, Lao, Khmer and Burmese, in sequences of DNA, in keys and in addresses, a word is a
line or the whole text, and pieces of it depend on where the cut before them fell. Character n-grams do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy import ndarray

from .ragged import Ragged
from .words import CONTINUED, SPECIAL, STRETCH

SHORTEST, LONGEST = 3, 6
"""Letters of an n-gram: 6 fit into a number of 63 bits, and without them a motif of DNA drowns in chance."""

_BITS = 10
MOST = (1 << _BITS) - 2  # letters that have a number: those that most words have
_SPACE = 1

Numbers: TypeAlias = ndarray


@dataclass(frozen=True)
class Letters:
    """The letters of each token, as numbers from 2; 1 is the space between words, and 0 a letter without a number.

    Args:
        alphabet: the letters in the order of their numbers.
        spelt: of each token, by its number.
        inner: whether a token goes on with the word of the one before.
    """

    alphabet: str
    spelt: Ragged
    inner: ndarray

    @classmethod
    def of(cls, tokens: Sequence[str], alphabet: str | None = None) -> Letters:
        """Of tokens in the order of their numbers; without an alphabet, their own letters, the most frequent ones."""
        inner = np.array([token.startswith(CONTINUED) and token != CONTINUED for token in tokens], dtype=bool)
        plain = [
            "" if token in SPECIAL else token[len(CONTINUED) * goes :]
            for token, goes in zip(tokens, inner, strict=True)
        ]
        if alphabet is None:
            times = Counter(letter for token in plain for letter in set(token))
            alphabet = "".join(sorted(sorted(times, key=lambda letter: (-times[letter], letter))[:MOST]))
        numbers = {letter: number for number, letter in enumerate(alphabet, _SPACE + 1)}
        # A special token has one letter, which has no number: no n-gram goes over it.
        rows = [np.array([numbers.get(letter, 0) for letter in token or "\0"], dtype=np.int32) for token in plain]
        return cls(alphabet, Ragged.of(rows), inner)

    def within(self, rows: Ragged) -> tuple[Ragged, ndarray]:
        """The letters of rows of tokens, a space before each word but the first, and the token of each by its place."""
        if not len(rows.values):
            return Ragged(rows.values, np.zeros(len(rows) + 1, dtype=np.int64)), np.empty(0, dtype=np.int64)
        tokens = rows.values.astype(np.int64)
        places, _ = self.spelt.places(tokens)
        letters, token = self.spelt.values[places], np.repeat(np.arange(len(tokens)), self.spelt.lengths[tokens])
        spaced = np.flatnonzero(self._opens(rows))
        before = np.searchsorted(token, spaced)  # a token has one letter at least
        letters = np.insert(letters, before, _SPACE)
        token = np.insert(token, before, spaced)
        bounds = np.concatenate([[0], np.cumsum(np.bincount(rows.owner[token], minlength=len(rows)))])
        return Ragged(letters, bounds), token

    def _opens(self, rows: Ragged) -> ndarray:
        """Before which tokens there is a space: those that begin a word, and not another stretch of a long one."""
        begins = ~self.inner[rows.values]
        first = np.flatnonzero(begins | np.isin(np.arange(len(begins)), rows.bounds[:-1]))
        lengths = np.add.reduceat(self.spelt.lengths[rows.values], first)
        goes_on = np.zeros(len(begins), dtype=bool)
        goes_on[first[1:]] = lengths[:-1] == STRETCH
        opens: ndarray = begins & ~goes_on
        opens[rows.bounds[:-1][rows.lengths > 0]] = False
        return opens


def ngrams_of(letters: Ragged) -> tuple[Numbers, Numbers, Numbers]:
    """The character n-grams of all rows.

    Returns:
        A number for each that tells it from the others, the place of its first letter, and how many letters it has.
    """
    values, owner = letters.values.astype(np.int64), letters.owner
    keys, places, sizes = ([np.empty(0, dtype=np.int64)] for _ in range(3))
    code, valid = values, values > 0
    for size in range(2, min(LONGEST, len(values)) + 1):
        code = (code[:-1] << _BITS) | values[size - 1 :]
        valid = valid[:-1] & (values[size - 1 :] > 0) & (owner[size - 1 :] == owner[: len(valid) - 1])
        if size >= SHORTEST:
            found = np.flatnonzero(valid)
            keys.append(code[found])
            places.append(found)
            sizes.append(np.full(len(found), size))
    return np.concatenate(keys), np.concatenate(places), np.concatenate(sizes)


def spelt(ngram: int, alphabet: str) -> str:
    """The letters of an n-gram by its number."""
    found = ""
    while ngram:
        found, ngram = f" {alphabet}"[(ngram & (1 << _BITS) - 1) - 1] + found, ngram >> _BITS
    return found


def number_of(ngram: str, alphabet: str) -> int:
    """What `spelt` takes."""
    number = 0
    for letter in ngram:
        number = number << _BITS | 1 + f" {alphabet}".index(letter)
    return number
