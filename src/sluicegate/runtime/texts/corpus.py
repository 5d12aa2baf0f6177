"""Texts ready for the network: numbers of words, and of the words and pairs of words that occur in each.

A fit cuts them once, and comes back in every step for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy import ndarray

from .grams import Grams
from .ragged import Ragged
from .words import WordTokenizer, lengths_of

LONGEST = 512
"""Tokens read at a time: a longer text is read in even parts, whose logits are averaged."""

_AT_ONCE = 4096  # texts that are cut into tokens together


class Batch(NamedTuple):
    """Parts of texts, whole numbers all.

    Args:
        tokens: [rows, tokens], filled up behind.
        lengths: [rows].
        grams: the words and pairs of all rows, one row after the other.
        bounds: [rows], where in `grams` each row begins.
        capitals: [rows, tokens], which letters of each word are capitals, where that counts.
    """

    tokens: ndarray
    lengths: ndarray
    grams: ndarray
    bounds: ndarray
    capitals: ndarray | None


Kind = TypeVar("Kind", bound="Corpus")


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
    text: ndarray
    texts: int
    capitals: ndarray | None

    @classmethod
    def of(
        cls: type[Kind],
        texts: Sequence[str],
        tokenizer: WordTokenizer,
        grams: Grams | None = None,
        *,
        capitals: bool = False,
    ) -> Kind:
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

    def rows(self, parts: ndarray) -> Batch:
        """Some of the parts, ready for the network."""
        lengths = self.tokens.bounds[parts + 1] - self.tokens.bounds[parts]
        within = np.arange(int(lengths.max())) < lengths[:, None]
        places, _ = self.tokens.places(parts)
        tokens = _filled(self.tokens.values[places], within)
        capitals = None if self.capitals is None else _filled(self.capitals[places], within)
        places, bounds = self.grams.places(parts)
        return Batch(tokens, lengths, self.grams.values[places].astype(np.int64), bounds, capitals)

    def by_text(self, values: ndarray) -> ndarray:
        """The mean over the parts of each text."""
        if len(values) == self.texts:
            return values
        total = np.zeros((self.texts, values.shape[1]), dtype=np.float64)
        np.add.at(total, self.text, values)
        return (total / np.bincount(self.text, minlength=self.texts)[:, None]).astype(np.float32)


def _filled(values: ndarray, within: ndarray) -> ndarray:
    """Numbers in rows, with zeros behind."""
    rows = np.zeros(within.shape, dtype=np.int64)
    rows[within] = values
    return rows
