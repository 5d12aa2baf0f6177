"""Pairs of texts, a source and its target, as numbers of sub-words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from sluicegate.runtime.texts.ragged import Ragged

from .subwords import BEGIN, END, PAD, Subwords

_AT_ONCE = 10_000  # texts that are cut into sub-words together

Rows = Int64[np.ndarray, " _"]


class Batch(NamedTuple):
    """Some pairs, padded."""

    sources: Int64[Tensor, "rows steps"]
    """Each with its end."""
    lengths: Int64[Tensor, " rows"]
    """Of the sources."""
    before: Int64[Tensor, "rows words"]
    """The beginning, and the target."""
    targets: Int64[Tensor, "rows words"]
    """The target and its end."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts, as numbers of sub-words.

    Args:
        sources: what is read.
        targets: what is written.
    """

    sources: Ragged
    targets: Ragged

    @classmethod
    def of(cls, subwords: Subwords, sources: Iterable[str], targets: Iterable[str], reads: int | None = None) -> Pairs:
        """Texts cut into sub-words.

        Args:
            subwords: cut them.
            sources: of the pairs.
            targets: of the pairs.
            reads: sub-words of a source that are kept, from its beginning; None keeps all.
        """
        return cls(cut(subwords, sources, reads), cut(subwords, targets))

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.sources)

    @property
    def lengths(self) -> tuple[Rows, Rows]:
        """How many sub-words the sources and the targets have, with their ends."""
        return self.sources.lengths + 1, self.targets.lengths + 1

    def take(self, rows: Rows) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.sources.take(rows), self.targets.take(rows))

    def batch(self, rows: Rows) -> Batch:
        """Some of the pairs, to train on."""
        sources, lengths = padded(self.sources.take(rows), last=END)
        targets, _ = padded(self.targets.take(rows), last=END)
        before, _ = padded(self.targets.take(rows), first=BEGIN)
        return Batch(sources, lengths, before, targets)

    def digest(self, digest: Any) -> None:
        """Add the pairs to a digest of `hashlib`."""
        for texts in (self.sources, self.targets):
            digest.update(texts.values.tobytes() + texts.bounds.tobytes())


def padded(
    texts: Ragged, *, first: int | None = None, last: int | None = None
) -> tuple[Int64[Tensor, "rows steps"], Int64[Tensor, " rows"]]:
    """Texts as rows of equal length, and how long each is.

    Args:
        texts: of any lengths.
        first: what is put before each.
        last: what is put behind each.
    """
    before = int(first is not None)
    lengths = texts.lengths + before + int(last is not None)
    found = np.full((len(texts), int(lengths.max(initial=1))), PAD)
    within = np.arange(len(texts.values)) - np.repeat(texts.bounds[:-1], texts.lengths)
    found[texts.owner, within + before] = texts.values
    if first is not None:
        found[:, 0] = first
    if last is not None:
        found[np.arange(len(texts)), lengths - 1] = last
    return torch.from_numpy(found), torch.from_numpy(lengths)


def cut(subwords: Subwords, texts: Iterable[str], most: int | None = None) -> Ragged:
    """Texts as their sub-words, `most` of each from its beginning on."""
    parts = [
        Ragged.of([np.array(text[:most], dtype=np.int32) for text in subwords.encode(some)]) for some in _several(texts)
    ]
    return Ragged.joined(parts) if parts else Ragged.of([])


def _several(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    remaining = iter(texts)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
