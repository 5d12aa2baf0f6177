"""The n-grams of texts, counted: words, pairs of words and, where words are long, character n-grams.

The linear path has weights of some, and the simple methods of others. Which these are is known only when all texts have
been gone through, and how often each row has them is counted then: the keys of all texts at once would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy import ndarray

from .letters import Letters, ngrams_of
from .ragged import Ragged

_SHIFT = 32

Keys: TypeAlias = ndarray
KeysOf: TypeAlias = Callable[[Ragged], tuple[Keys, Keys]]  # gives keys, and the row of each


class Counts(NamedTuple):
    """How often terms occur in rows: of each row those that do, ascending."""

    times: ndarray
    """How often each does, doubles."""
    terms: ndarray
    """The number of each, from 0."""
    bounds: ndarray
    """`[rows + 1]`: where each row begins, and the end."""

    @classmethod
    def joined(cls, several: Sequence[Counts]) -> Counts:
        """The rows of the first, then those of the next."""
        ends = np.cumsum([0, *(len(counts.terms) for counts in several)])
        bounds = [counts.bounds[:-1] + end for counts, end in zip(several, ends, strict=False)]
        times = np.concatenate([np.empty(0), *(counts.times for counts in several)])
        terms = np.concatenate([np.empty(0, np.int32), *(counts.terms for counts in several)])
        return cls(times, terms, np.concatenate([*bounds, ends[-1:]]))


@dataclass(frozen=True)
class Grams:
    """The words and pairs of words that have a weight of their own, as sorted keys; number 0 stands for none.

    Args:
        keys: of two token numbers each, the first 0 for a single word; of a character n-gram minus its number.
        letters: of the tokens, where character n-grams count.
    """

    keys: Keys
    letters: Letters | None = None

    @classmethod
    def of(cls, corpus: Ragged, least: int, most: int, letters: Letters | None = None) -> Grams:
        """Those that occur in `least` rows, the `most` most frequent ones."""
        unnumbered = cls(np.empty(0, dtype=np.int64), letters)
        return cls(frequent(corpus, lambda part: once(*unnumbered._keys(part)), least, most), letters)

    def within(self, corpus: Ragged) -> Ragged:
        """The numbers of those that occur in each row, once each, ascending."""
        found, lengths = [np.empty(0, dtype=np.int32)], [np.zeros(1, dtype=np.int64)]
        for counts in counted(corpus, self._keys, self.keys):
            found.append(counts.terms + np.int32(1))
            lengths.append(np.diff(counts.bounds))
        return Ragged(np.concatenate(found), np.cumsum(np.concatenate(lengths)).astype(np.int64))

    def _keys(self, corpus: Ragged) -> tuple[Keys, Keys]:
        """The keys of all tokens, pairs of tokens and character n-grams, and the row of each."""
        keys, rows = words_and_pairs(corpus)
        if self.letters is None:
            return keys, rows
        ngrams, owner = character_ngrams(self.letters.within(corpus)[0])
        return np.concatenate([keys, -ngrams]), np.concatenate([rows, owner])


def pairs_of(first: Keys, second: Keys) -> Keys:
    """The keys of pairs of words, which `words_in` takes apart."""
    keys: Keys = (first << _SHIFT) | second
    return keys


def words_in(keys: Keys) -> tuple[Keys, Keys]:
    """The numbers of the two words of each key; of a single word the first is 0."""
    return keys >> _SHIFT, keys & ((1 << _SHIFT) - 1)


def words_and_pairs(rows: Ragged) -> tuple[Keys, Keys]:
    """The keys of all words and pairs of neighbours, and the row of each; a word of number 0 is in none."""
    owner, words = rows.owner, rows.values.astype(np.int64)
    known = words > 0
    pairs = (owner[1:] == owner[:-1]) & known[1:] & known[:-1]
    keys = np.concatenate([words[known], pairs_of(words[:-1], words[1:])[pairs]])
    return keys, np.concatenate([owner[known], owner[1:][pairs]])


def character_ngrams(letters: Ragged) -> tuple[Keys, Keys]:
    """The numbers of all character n-grams, and the row of each."""
    keys, places, _ = ngrams_of(letters)
    return keys, letters.owner[places]


def frequent(rows: Ragged, keys_of: KeysOf, least: int, most: int) -> Keys:
    """The keys that `keys_of` finds `least` times, the `most` most frequent ones, ascending."""
    keys, counts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for part in rows.parts():
        found, times = np.unique(keys_of(part)[0], return_counts=True)
        if len(keys):
            found, place = np.unique(np.concatenate([keys, found]), return_inverse=True)
            times = np.bincount(place, np.concatenate([counts, times])).astype(np.int64)
        keys, counts = found, times
    keys, counts = keys[counts >= least], counts[counts >= least]
    if len(keys) > most:
        keys = keys[np.sort(np.argsort(-counts, kind="stable")[:most])]
    return keys


def counted(rows: Ragged, keys_of: KeysOf, known: Keys) -> Iterator[Counts]:
    """How often each of the keys `known` occurs in each row, some rows at a time."""
    for part in rows.parts():
        keys, owner = keys_of(part)
        numbers = numbers_of(keys, known)
        found = numbers > 0
        places, times = np.unique(owner[found] * len(known) + numbers[found] - 1, return_counts=True)
        row, term = np.divmod(places, max(1, len(known)))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(part)))])
        yield Counts(times.astype(np.float64), term.astype(np.int32), bounds)


def numbers_of(keys: Keys, known: Keys) -> Keys:
    """The place of each key among those that are known, which ascend, from 1; 0 for one that is not."""
    if not len(known):
        return np.zeros(len(keys), dtype=np.int64)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    numbers: Keys = np.where(known[place] == keys, place + 1, 0)
    return numbers


def once(keys: Keys, rows: Keys) -> tuple[Keys, Keys]:
    """The keys of rows and the row of each, without repetition within a row."""
    order = np.lexsort((keys, rows))
    keys, rows = keys[order], rows[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    return keys[first], rows[first]
