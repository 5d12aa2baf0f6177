"""Texts ready for the network: numbers of words, and of the words and pairs of words that occur in each.

A fit cuts them once, and comes back in every step for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, Shaped, UInt8
from torch import Tensor

from sluicegate.data.ragged import Ragged
from sluicegate.data.words import WordTokenizer, lengths_of

from .grams import Grams

LONGEST = 512
"""Tokens read at a time: a longer text is read in even parts, whose logits are averaged."""

_AT_ONCE = 4096  # texts that are cut into tokens together


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
        none = Ragged(np.empty(0, dtype=np.int32), np.zeros(len(ragged) + 1, dtype=np.int64))
        found = none if grams is None else grams.within(ragged)
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
