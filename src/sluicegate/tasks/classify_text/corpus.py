"""Texts ready for the network: numbers of words, and of the words and pairs of words that occur in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int32, Int64, Shaped, UInt8
from torch import Tensor

from sluicegate.data.words import WordTokenizer, lengths_of

LONGEST = 512
"""Tokens read at a time: a longer text is read in even parts, whose logits are averaged."""

_AT_ONCE = 4096  # texts that are cut into tokens together
_COUNTED = 100_000  # rows whose words and pairs are counted together
_SHIFT = 32


class Batch(NamedTuple):
    """Parts of texts.

    Args:
        tokens: [rows, tokens], filled up behind.
        lengths: [rows].
        grams: the words and pairs of all rows, one row after the other.
        bounds: [rows], where in `grams` each row begins.
        capitals: [rows, tokens], which letters of each word are capitals, where that counts.
    """

    tokens: Tensor
    lengths: Tensor
    grams: Tensor
    bounds: Tensor
    capitals: Tensor | None


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths, one after the other.

    Args:
        values: of all rows.
        bounds: [rows + 1], where each begins, and the end.
    """

    values: Int32[np.ndarray, " values"]
    bounds: Int64[np.ndarray, " bounds"]

    @classmethod
    def of(cls, rows: Sequence[Int32[np.ndarray, " _"]]) -> Ragged:
        """Rows put one behind the other."""
        bounds = np.concatenate([[0], np.cumsum(lengths_of(rows))]).astype(np.int64)
        values = np.concatenate(rows) if rows else np.empty(0, dtype=np.int32)
        return cls(values.astype(np.int32), bounds)

    @classmethod
    def joined(cls, several: Sequence[Ragged]) -> Ragged:
        """The rows of the first, then those of the next."""
        ends = np.cumsum([0, *(len(rows.values) for rows in several)])
        bounds = [rows.bounds[:-1] + end for rows, end in zip(several, ends, strict=False)]
        return cls(np.concatenate([rows.values for rows in several]), np.concatenate([*bounds, ends[-1:]]))

    def __len__(self) -> int:
        """How many rows."""
        return len(self.bounds) - 1

    @property
    def lengths(self) -> Int64[np.ndarray, " rows"]:
        """How long each row is."""
        return np.diff(self.bounds)

    def take(self, rows: Int64[np.ndarray, " chosen"]) -> Ragged:
        """Some of the rows."""
        places, _ = self.places(rows)
        bounds = np.concatenate([[0], np.cumsum(self.lengths[rows])]).astype(np.int64)
        return Ragged(self.values[places], bounds)

    def parts(self) -> Iterator[Ragged]:
        """Some rows at a time, so that what is made of them needs little memory."""
        for begin in range(0, len(self), _COUNTED):
            bounds = self.bounds[begin : begin + _COUNTED + 1]
            yield Ragged(self.values[bounds[0] : bounds[-1]], bounds - bounds[0])

    def places(
        self, rows: Int64[np.ndarray, " chosen"]
    ) -> tuple[Int64[np.ndarray, " places"], Int64[np.ndarray, " c"]]:
        """Where the values of some rows are, and where each of these rows begins among them."""
        lengths = self.bounds[rows + 1] - self.bounds[rows]
        begins = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        return np.repeat(self.bounds[rows] - begins, lengths) + np.arange(int(lengths.sum())), begins


@dataclass(frozen=True)
class Grams:
    """The words and pairs of words that have a weight of their own, as sorted keys; number 0 stands for none.

    Args:
        keys: of two token numbers each, the first 0 for a single word.
    """

    keys: Int64[np.ndarray, " grams"]

    @classmethod
    def of(cls, corpus: Ragged, least: int, most: int) -> Grams:
        """Those that occur in `least` rows, the `most` most frequent ones."""
        return cls(frequent(corpus, _keys, least, most))

    def within(self, corpus: Ragged) -> Ragged:
        """The numbers of those that occur in each row, once each."""
        if not len(self.keys):
            return Ragged(np.empty(0, dtype=np.int32), np.zeros(len(corpus) + 1, dtype=np.int64))
        found, lengths = [np.empty(0, dtype=np.int32)], [np.zeros(1, dtype=np.int64)]
        for part in corpus.parts():
            keys, rows = _keys(part)
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


def _keys(corpus: Ragged) -> tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]:
    """The keys of every row, without repetition within a row, and the row of each."""
    rows = np.repeat(np.arange(len(corpus)), corpus.lengths)
    tokens = corpus.values.astype(np.int64)
    together = rows[1:] == rows[:-1]
    keys = np.concatenate([tokens, pairs_of(tokens[:-1], tokens[1:])[together]])
    rows = np.concatenate([rows, rows[1:][together]])
    order = np.lexsort((keys, rows))
    keys, rows = keys[order], rows[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    return keys[first], rows[first]


@dataclass(frozen=True)
class Corpus:
    """Texts in parts of `LONGEST` tokens at most.

    Args:
        tokens: of each part.
        grams: of each part.
        text: the number of the text that each part is of.
        texts: how many texts there are.
        capitals: which letters of each token's word are capitals, where that counts.
    """

    tokens: Ragged
    grams: Ragged
    text: Int64[np.ndarray, " parts"]
    texts: int
    capitals: UInt8[np.ndarray, " tokens"] | None

    @classmethod
    def of(
        cls, texts: Sequence[str], tokenizer: WordTokenizer, grams: Grams | None = None, *, capitals: bool = False
    ) -> Corpus:
        """Cut texts into tokens and parts; without `grams`, these are left out."""
        values, lengths, owner = ([np.empty(0, dtype=kind)] for kind in (np.int32, np.int64, np.int64))
        cased = [np.empty(0, dtype=np.uint8)]
        for begin in range(0, len(texts), _AT_ONCE):
            some = texts[begin : begin + _AT_ONCE]
            if capitals:
                encoded, marks = tokenizer.encode_with_capitals(some)
                cased.append(marks)
            else:
                encoded = tokenizer.encode(some)
            values.append(np.concatenate(encoded))  # a text's own array takes ten times the memory of its numbers
            counts = lengths_of(encoded)
            pieces = -(-counts // LONGEST)
            # As even as can be, the longer ones first.
            place = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
            lengths.append(np.repeat(counts // pieces, pieces) + (place < np.repeat(counts % pieces, pieces)))
            owner.append(np.repeat(np.arange(begin, begin + len(encoded)), pieces))
        ragged = Ragged(
            np.concatenate(values), np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
        )
        found = (grams or Grams(np.empty(0, dtype=np.int64))).within(ragged)
        return cls(ragged, found, np.concatenate(owner), len(texts), np.concatenate(cased) if capitals else None)

    def batch(self, parts: Int64[np.ndarray, " rows"]) -> Batch:
        """Some of the parts, ready for the network."""
        lengths = self.tokens.bounds[parts + 1] - self.tokens.bounds[parts]
        within = np.arange(int(lengths.max())) < lengths[:, None]
        places, _ = self.tokens.places(parts)
        tokens = _filled(self.tokens.values[places], within)
        capitals = None if self.capitals is None else _filled(self.capitals[places], within)
        places, bounds = self.grams.places(parts)
        grams = torch.from_numpy(self.grams.values[places].astype(np.int64))
        return Batch(tokens, torch.from_numpy(lengths), grams, torch.from_numpy(bounds), capitals)

    def by_text(self, values: Float32[np.ndarray, "parts classes"]) -> Float32[np.ndarray, "texts classes"]:
        """The mean over the parts of each text."""
        if len(values) == self.texts:
            return values
        total = np.zeros((self.texts, values.shape[1]), dtype=np.float64)
        np.add.at(total, self.text, values)
        return (total / np.bincount(self.text, minlength=self.texts)[:, None]).astype(np.float32)


def _filled(values: Shaped[np.ndarray, " values"], within: Bool[np.ndarray, "rows tokens"]) -> Tensor:
    """Numbers in rows, with zeros behind."""
    rows = np.zeros(within.shape, dtype=np.int64)
    rows[within] = values
    return torch.from_numpy(rows)
