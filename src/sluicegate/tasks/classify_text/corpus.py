"""Texts ready for the network: numbers of words, and of the words and pairs of words that occur in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from sluicegate.data.words import WordTokenizer, lengths_of

LONGEST = 512
"""Tokens read at a time: a longer text is read in even parts, whose logits are averaged."""

_AT_ONCE = 4096  # texts that are cut into tokens together
_SHIFT = 32


class Batch(NamedTuple):
    """Parts of texts.

    Args:
        tokens: [rows, tokens], filled up behind.
        lengths: [rows].
        grams: the words and pairs of all rows, one row after the other.
        bounds: [rows], where in `grams` each row begins.
    """

    tokens: Tensor
    lengths: Tensor
    grams: Tensor
    bounds: Tensor


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

    def __len__(self) -> int:
        """How many rows."""
        return len(self.bounds) - 1

    @property
    def lengths(self) -> Int64[np.ndarray, " rows"]:
        """How long each row is."""
        return np.diff(self.bounds)

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
        keys, counts = np.unique(_keys(corpus)[0], return_counts=True)
        kept = counts >= least
        keys, counts = keys[kept], counts[kept]
        if len(keys) > most:
            keys = keys[np.sort(np.argsort(-counts, kind="stable")[:most])]
        return cls(keys)

    def within(self, corpus: Ragged) -> Ragged:
        """The numbers of those that occur in each row, once each."""
        keys, rows = _keys(corpus)
        numbers = self.numbers(keys)
        known = numbers > 0
        bounds = np.concatenate([[0], np.cumsum(np.bincount(rows[known], minlength=len(corpus)))])
        return Ragged(numbers[known].astype(np.int32), bounds.astype(np.int64))

    def numbers(self, keys: Int64[np.ndarray, " keys"]) -> Int64[np.ndarray, " keys"]:
        """The number of each key, 0 for one that has none."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.int64)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found: Int64[np.ndarray, " keys"] = np.where(self.keys[place] == keys, place + 1, 0)
        return found


def pairs_of(tokens: Int64[np.ndarray, " tokens"]) -> Int64[np.ndarray, " pairs"]:
    """The keys of the pairs of words that follow one another."""
    keys: Int64[np.ndarray, " pairs"] = (tokens[:-1] << _SHIFT) | tokens[1:]
    return keys


def _keys(corpus: Ragged) -> tuple[Int64[np.ndarray, " keys"], Int64[np.ndarray, " keys"]]:
    """The keys of every row, without repetition within a row, and the row of each."""
    rows = np.repeat(np.arange(len(corpus)), corpus.lengths)
    tokens = corpus.values.astype(np.int64)
    together = rows[1:] == rows[:-1]
    keys = np.concatenate([tokens, pairs_of(tokens)[together]])
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
    """

    tokens: Ragged
    grams: Ragged
    text: Int64[np.ndarray, " parts"]
    texts: int

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: WordTokenizer, grams: Grams | None = None) -> Corpus:
        """Cut texts into tokens and parts; without `grams`, these are left out."""
        parts: list[Int32[np.ndarray, " _"]] = []
        owner: list[int] = []
        for begin in range(0, len(texts), _AT_ONCE):
            for number, tokens in enumerate(tokenizer.encode(texts[begin : begin + _AT_ONCE]), begin):
                pieces = np.array_split(tokens, -(-len(tokens) // LONGEST)) if len(tokens) > LONGEST else [tokens]
                parts += pieces
                owner += [number] * len(pieces)
        ragged = Ragged.of(parts)
        found = (grams or Grams(np.empty(0, dtype=np.int64))).within(ragged)
        return cls(ragged, found, np.array(owner, dtype=np.int64), len(texts))

    def batch(self, parts: Int64[np.ndarray, " rows"]) -> Batch:
        """Some of the parts, ready for the network."""
        lengths = self.tokens.bounds[parts + 1] - self.tokens.bounds[parts]
        tokens = np.zeros((len(parts), int(lengths.max())), dtype=np.int64)
        places, _ = self.tokens.places(parts)
        tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = self.tokens.values[places]
        places, bounds = self.grams.places(parts)
        return Batch(
            torch.from_numpy(tokens),
            torch.from_numpy(lengths),
            torch.from_numpy(self.grams.values[places].astype(np.int64)),
            torch.from_numpy(bounds),
        )

    def by_text(self, values: Float32[np.ndarray, "parts classes"]) -> Float32[np.ndarray, "texts classes"]:
        """The mean over the parts of each text."""
        if len(values) == self.texts:
            return values
        total = np.zeros((self.texts, values.shape[1]), dtype=np.float64)
        np.add.at(total, self.text, values)
        return (total / np.bincount(self.text, minlength=self.texts)[:, None]).astype(np.float32)
