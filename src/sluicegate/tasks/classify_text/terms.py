"""Words and pairs of words of texts, counted: what the simple methods see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64
from scipy.sparse import csr_matrix, vstack

from sluicegate.data.words import clean

from .corpus import Ragged, frequent, pairs_of

_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Words:
    """Texts as numbers of their words, from 1; 0 is a word that has none.

    Args:
        names: the words in their order, which gives each its number.
        rows: the numbers, text by text.
    """

    names: tuple[str, ...]
    rows: Ragged

    @classmethod
    def of(cls, texts: Iterable[str]) -> Words:
        """Cut texts into words."""
        numbers: dict[str, int] = {}
        rows = _cut(texts, numbers, more=True)
        names = sorted(numbers)
        place = np.zeros(len(names) + 1, dtype=np.int32)
        place[[numbers[name] for name in names]] = np.arange(1, len(names) + 1)
        return cls(tuple(names), Ragged(place[rows.values], rows.bounds))

    def take(self, rows: Int64[np.ndarray, " chosen"]) -> Words:
        """Some of the texts."""
        return Words(self.names, self.rows.take(rows))


@dataclass(frozen=True)
class Terms:
    """The words and pairs that count.

    Args:
        names: words in their order, which gives each its number.
        keys: of two numbers each, ascending; the first is 0 for a single word.
    """

    names: tuple[str, ...]
    keys: Int64[np.ndarray, " terms"]

    @classmethod
    def of(cls, words: Words, most: int) -> Terms:
        """The most frequent ones."""
        return cls(words.names, frequent(words.rows, _keys, 1, most))

    @classmethod
    def named(cls, terms: Sequence[str]) -> Terms:
        """Terms by their words, which a space divides.

        Raises:
            ValueError: they are not in their order.
        """
        parts = [term.split(" ") for term in terms]
        names = tuple(sorted({word for pair in parts for word in pair}))
        numbers = {name: number for number, name in enumerate(names, 1)}
        first = np.array([numbers[pair[0]] if len(pair) > 1 else 0 for pair in parts], dtype=np.int64)
        keys = pairs_of(first, np.array([numbers[pair[-1]] for pair in parts], dtype=np.int64))
        if (keys[1:] <= keys[:-1]).any():
            raise ValueError("the words and pairs of a simple method are not in their order")
        return cls(names, keys)

    def texts(self) -> tuple[str, ...]:
        """What `named` takes."""
        first, second = (self.keys >> 32).tolist(), (self.keys & (2**32 - 1)).tolist()
        return tuple(
            f"{self.names[a - 1]} {self.names[b - 1]}" if a else self.names[b - 1]
            for a, b in zip(first, second, strict=True)
        )

    def within(self, texts: Iterable[str]) -> csr_matrix:
        """How often each occurs in each text."""
        return self.counts(_cut(texts, {name: number for number, name in enumerate(self.names, 1)}, more=False))

    def counts(self, rows: Ragged) -> csr_matrix:
        """The same, of texts as numbers of words."""
        blocks = [csr_matrix((0, len(self.keys)))]
        for part in rows.parts():
            keys, owner = _keys(part)
            place = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
            known = self.keys[place] == keys if len(self.keys) else np.zeros(len(keys), dtype=bool)
            owner, place = owner[known], place[known].astype(np.int32)
            block = csr_matrix((np.ones(len(place)), (owner, place)), (len(part), len(self.keys)))
            block.sum_duplicates()
            blocks.append(block)
        return vstack(blocks, format="csr")


def _cut(texts: Iterable[str], numbers: dict[str, int], *, more: bool) -> Ragged:
    """The numbers of the words of texts; `more` numbers new ones too."""
    rows: list[Int32[np.ndarray, " _"]] = []
    for text in texts:
        found = _TOKEN.findall(clean(text).lower())
        if more:
            for word in found:
                numbers.setdefault(word, len(numbers) + 1)
        rows.append(np.array([numbers.get(word, 0) for word in found], dtype=np.int32))
    return Ragged.of(rows)


def _keys(rows: Ragged) -> tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]:
    """The keys of all words and pairs, and the row of each; a word without a number is in none."""
    owner = np.repeat(np.arange(len(rows)), rows.lengths)
    words = rows.values.astype(np.int64)
    pairs = (owner[1:] == owner[:-1]) & (words[1:] > 0) & (words[:-1] > 0)
    keys = np.concatenate([words[words > 0], pairs_of(words[:-1], words[1:])[pairs]])
    return keys, np.concatenate([owner[words > 0], owner[1:][pairs]])
