"""What the linear path has weights of: words, pairs of words and, where words are long, character n-grams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from .letters import Letters, runs_of
from .ragged import Ragged

_SHIFT = 32


@dataclass(frozen=True)
class Grams:
    """The words and pairs of words that have a weight of their own, as sorted keys; number 0 stands for none.

    Args:
        keys: of two token numbers each, the first 0 for a single word; of a character n-gram minus its number.
        letters: of the tokens, where character n-grams count.
    """

    keys: Int64[np.ndarray, " grams"]
    letters: Letters | None = None

    @classmethod
    def of(cls, corpus: Ragged, least: int, most: int, letters: Letters | None = None) -> Grams:
        """Those that occur in `least` rows, the `most` most frequent ones."""
        return cls(frequent(corpus, cls(np.empty(0, dtype=np.int64), letters)._keys, least, most), letters)

    def within(self, corpus: Ragged) -> Ragged:
        """The numbers of those that occur in each row, once each."""
        if not len(self.keys):
            return Ragged(np.empty(0, dtype=np.int32), np.zeros(len(corpus) + 1, dtype=np.int64))
        found, lengths = [np.empty(0, dtype=np.int32)], [np.zeros(1, dtype=np.int64)]
        for part in corpus.parts():
            keys, rows = self._keys(part)
            numbers = self.numbers(keys)
            known = numbers > 0
            found.append(numbers[known].astype(np.int32))
            lengths.append(np.bincount(rows[known], minlength=len(part)))
        return Ragged(np.concatenate(found), np.cumsum(np.concatenate(lengths)).astype(np.int64))

    def numbers(self, keys: Int64[np.ndarray, " keys"]) -> Int64[np.ndarray, " keys"]:
        """The number of each key, 0 for one that has none."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.int64)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found: Int64[np.ndarray, " keys"] = np.where(self.keys[place] == keys, place + 1, 0)
        return found

    def _keys(self, corpus: Ragged) -> tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]:
        """The keys of every row, without repetition within a row, and the row of each."""
        rows = np.repeat(np.arange(len(corpus)), corpus.lengths)
        tokens = corpus.values.astype(np.int64)
        together = rows[1:] == rows[:-1]
        keys, owner = [tokens, pairs_of(tokens[:-1], tokens[1:])[together]], [rows, rows[1:][together]]
        if self.letters is not None:
            spelt, token = self.letters.within(corpus)
            runs, places, _ = runs_of(spelt)
            keys.append(-runs)
            owner.append(rows[token[places]])
        return once(np.concatenate(keys), np.concatenate(owner))


def once(
    keys: Int64[np.ndarray, " keys"], rows: Int64[np.ndarray, " keys"]
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, " kept"]]:
    """The keys of rows and the row of each, without repetition within a row."""
    order = np.lexsort((keys, rows))
    keys, rows = keys[order], rows[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    return keys[first], rows[first]


def pairs_of(first: Int64[np.ndarray, " pairs"], second: Int64[np.ndarray, " pairs"]) -> Int64[np.ndarray, " pairs"]:
    """The keys of pairs of words."""
    keys: Int64[np.ndarray, " pairs"] = (first << _SHIFT) | second
    return keys


def frequent(
    rows: Ragged,
    keys_of: Callable[[Ragged], tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]],
    least: int,
    most: int,
) -> Int64[np.ndarray, " kept"]:
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
