"""Words and pairs of words of texts, or character n-grams, counted: what the simple methods see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy import ndarray

from .grams import Counts, KeysOf, character_ngrams, counted, frequent, pairs_of, words_and_pairs, words_in
from .letters import LONGEST, MOST, SHORTEST, Letters, number_of, spelt
from .ragged import Ragged
from .words import LONG, clean, whole_words, words_of

Reading = Literal["earlier", "words", "letters"]
"""What is counted: words and pairs of words, as earlier versions cut them or as the networks do, or n-grams."""

_EARLIER = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")  # tears words at the marks of letters, and not ideographs
_SHARE = 0.1  # of all letters, in long words: of English it is less than .001, of German .03
_LEAST = 2  # times that a character n-gram occurs: most occur once, and say nothing of other texts


@dataclass(frozen=True)
class Words:
    """Texts as numbers of their words, or of their letters and spaces, from 1; 0 is one that has none.

    Args:
        names: words in their order, which gives each its number; or letters, behind the space.
        rows: the numbers, text by text.
        reading: whether words or letters are meant.
    """

    names: tuple[str, ...]
    rows: Ragged
    reading: Reading = "words"

    @classmethod
    def of(cls, texts: Sequence[str], words: Iterable[str] | None = None) -> Words:
        """Cut texts into words; these are counted where they are not given."""
        names = sorted(words_of(texts).words if words is None else words)
        return cls(tuple(names), _cut(texts, names))

    def followed_by(self, texts: Sequence[str]) -> Words:
        """The same texts and then others, as numbers of the words of both."""
        names = sorted({*self.names, *words_of(texts).words})
        numbers = {name: number for number, name in enumerate(names, 1)}
        known = np.array([0, *(numbers[name] for name in self.names)], dtype=np.int32)
        rows = Ragged(known[self.rows.values], self.rows.bounds)
        return Words(tuple(names), Ragged.joined([rows, _cut(texts, names)]))

    def spelt(self, alphabet: str | None = None) -> Words:
        """The same texts as letters, those of an alphabet or the most frequent ones."""
        letters = Letters.of(("", *self.names), alphabet)
        return Words((" ", *letters.alphabet), letters.within(self.rows)[0], "letters")

    def long(self) -> bool:
        """Whether words of more than `LONG` letters hold so many of the letters that character n-grams are to count."""
        lengths = np.array([0, *map(len, self.names)], dtype=np.int64)
        letters = lengths * np.bincount(self.rows.values, minlength=len(lengths))
        return bool(letters[lengths > LONG].sum() > _SHARE * letters.sum())

    def take(self, rows: ndarray) -> Words:
        """Some of the texts."""
        return Words(self.names, self.rows.take(rows), self.reading)


@dataclass(frozen=True)
class Terms:
    """The words and pairs, or the character n-grams, that count.

    Args:
        names: as those of `Words`.
        keys: ascending: of two numbers each, the first 0 for a single word; or of a character n-gram.
        reading: what is counted.
    """

    names: tuple[str, ...]
    keys: ndarray
    reading: Reading = "words"

    @classmethod
    def of(cls, words: Words, most: int) -> Terms:
        """The most frequent ones."""
        least = _LEAST if words.reading == "letters" else 1
        return cls(words.names, frequent(words.rows, _keys_of(words.reading), least, most), words.reading)

    @classmethod
    def named(cls, terms: Sequence[str], reading: Reading = "words") -> Terms:
        """Terms by their letters, or their words, which a space divides.

        Raises:
            ValueError: they are not in their order, or are no character n-grams.
        """
        if reading == "letters":
            alphabet = "".join(sorted(set().union(*terms) - {" "}))
            if len(alphabet) > MOST or not all(SHORTEST <= len(term) <= LONGEST for term in terms):
                raise ValueError(f"the terms of a simple method are no n-grams of {SHORTEST} to {LONGEST} letters")
            names = (" ", *alphabet)
            keys = np.array([number_of(term, alphabet) for term in terms], dtype=np.int64)
        else:
            parts = [term.split(" ") for term in terms]
            names = tuple(sorted({word for pair in parts for word in pair}))
            numbers = {name: number for number, name in enumerate(names, 1)}
            first = np.array([numbers[pair[0]] if len(pair) > 1 else 0 for pair in parts], dtype=np.int64)
            keys = pairs_of(first, np.array([numbers[pair[-1]] for pair in parts], dtype=np.int64))
        if (keys[1:] <= keys[:-1]).any():
            raise ValueError("the words and pairs of a simple method are not in their order")
        return cls(names, keys, reading)

    def texts(self) -> tuple[str, ...]:
        """What `named` takes."""
        if self.reading == "letters":
            alphabet = "".join(self.names[1:])
            return tuple(spelt(key, alphabet) for key in self.keys.tolist())
        pairs = zip(*(numbers.tolist() for numbers in words_in(self.keys)), strict=True)
        return tuple(f"{self.names[a - 1]} {self.names[b - 1]}" if a else self.names[b - 1] for a, b in pairs)

    def within(self, texts: Sequence[str]) -> Counts:
        """How often each occurs in each text."""
        if self.reading == "letters":
            return self.counts(Words.of(texts).spelt("".join(self.names[1:])).rows)
        return self.counts(_cut(texts, self.names) if self.reading == "words" else _cut_earlier(texts, self.names))

    def counts(self, rows: Ragged) -> Counts:
        """The same, of texts as numbers of words or letters."""
        return Counts.joined([*counted(rows, _keys_of(self.reading), self.keys)])


def _keys_of(reading: Reading) -> KeysOf:
    return character_ngrams if reading == "letters" else words_and_pairs


def _cut(texts: Sequence[str], names: Sequence[str]) -> Ragged:
    """The numbers of the words of texts."""
    parts = [Ragged.of(rows) for rows in whole_words(texts, names)]
    return Ragged.joined(parts) if parts else Ragged.of([])


def _cut_earlier(texts: Sequence[str], names: Sequence[str]) -> Ragged:
    """The same, of words as earlier versions cut them."""
    numbers = {name: number for number, name in enumerate(names, 1)}
    found = (_EARLIER.findall(clean(text).lower()) for text in texts)
    return Ragged.of([np.array([numbers.get(word, 0) for word in words], dtype=np.int32) for words in found])
