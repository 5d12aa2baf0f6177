"""The simple method that every translator stands beside: a dictionary, and one word after the other.

The dictionary is found in the pairs themselves by IBM Model 1 (Brown et al. 1993): which word of a source a word of its
target comes from is unknown, and expectation and maximisation settle it for all pairs together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from tokenizers import Regex, decoders, pre_tokenizers

_ROUNDS = 8
_LINKS = 20_000_000  # of words of a source with words of its target, that are counted together at most
_SPLIT = pre_tokenizers.Sequence(
    [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex(r"[^\w\s\u2581]"), "isolated")]
)
_JOIN = decoders.Metaspace()
_MARK = "\u2581"


def words_of(text: str) -> list[str]:
    """The words and marks of a text; one after a space says so by its first character."""
    return [word for word, _ in _SPLIT.pre_tokenize_str(" ".join(text.split()))]


@dataclass(frozen=True)
class Dictionary:
    """For each word of a source, the word of a target that it most probably is, or nothing.

    Args:
        words: by source word; "" where it is most often nobody's origin.
    """

    words: dict[str, str]

    @classmethod
    def of(cls, sources: Sequence[str], targets: Sequence[str]) -> Dictionary:
        """Find the dictionary of pairs of texts.

        Args:
            sources: of the pairs.
            targets: of the pairs; where there are very many, the first ones are enough.
        """
        from_, into = _numbered(sources, targets)
        some = max(1, int(np.searchsorted(np.cumsum(from_.lengths * into.lengths), _LINKS)))
        return cls(_best(from_.first(some), into.first(some)))

    def translate(self, text: str) -> str:
        """A text, word by word; a word that is not in the dictionary stays as it is."""
        found = [self.words.get(word, word) for word in words_of(text)]
        return str(_JOIN.decode([word for word in found if word]))


@dataclass(frozen=True)
class _Numbered:
    """Texts as numbers of their words."""

    names: list[str]
    numbers: Int64[np.ndarray, " words"]
    lengths: Int64[np.ndarray, " texts"]

    def first(self, count: int) -> _Numbered:
        lengths = self.lengths[:count]
        return _Numbered(self.names, self.numbers[: lengths.sum()], lengths)


def _numbered(sources: Iterable[str], targets: Iterable[str]) -> tuple[_Numbered, _Numbered]:
    """Pairs of texts as numbers of their words, as far as they have links enough."""
    sides = (_Numbering({}, [], []), _Numbering({}, [], []))
    links = 0
    for pair in zip(sources, targets, strict=True):
        links += math.prod(side.add(text) for side, text in zip(sides, pair, strict=True))
        if links >= _LINKS:
            break
    return sides[0].done(), sides[1].done()


class _Numbering(NamedTuple):
    """The numbers of words, as they come."""

    names: dict[str, int]
    numbers: list[int]
    lengths: list[int]

    def add(self, text: str) -> int:
        """Number the words of a text, and count them."""
        words = words_of(text)
        self.numbers.extend(self.names.setdefault(word, len(self.names)) for word in words)
        self.lengths.append(len(words))
        return len(words)

    def done(self) -> _Numbered:
        return _Numbered(list(self.names), np.array(self.numbers, dtype=np.int64), np.array(self.lengths, np.int64))


def _best(from_: _Numbered, into: _Numbered) -> dict[str, str]:
    links = from_.lengths * into.lengths
    ends = np.cumsum(links)
    pair = np.repeat(np.arange(len(links)), links)
    within = np.arange(len(pair)) - (ends - links)[pair]
    of_source = (np.cumsum(from_.lengths) - from_.lengths)[pair] + within % from_.lengths[pair]
    of_target = (np.cumsum(into.lengths) - into.lengths)[pair] + within // from_.lengths[pair]
    key = from_.numbers[of_source] * len(into.names) + into.numbers[of_target]
    entries, entry = np.unique(key, return_inverse=True)
    source, target = np.divmod(entries, len(into.names))
    chance = _maximised(entry, of_target, source, len(into.numbers))
    order = np.lexsort((-chance, source))
    first = order[np.r_[True, np.diff(source[order]) > 0]] if len(order) else order
    return {from_.names[source[i]]: into.names[target[i]] for i in first.tolist()}


def _maximised(
    entry: Int64[np.ndarray, " links"],
    word: Int64[np.ndarray, " links"],
    source: Int64[np.ndarray, " entries"],
    words: int,
) -> Float64[np.ndarray, " entries"]:
    """The probability of the target's word of each entry, given the source's.

    Args:
        entry: of each link of a word of a source with one of its target.
        word: of the target, by its place in all.
        source: the source's word of each entry.
        words: of all targets.
    """
    chance = np.ones(len(source))
    for _ in range(_ROUNDS):
        share = chance[entry]
        share /= np.bincount(word, share, minlength=words)[word]
        count = np.bincount(entry, share, minlength=len(source))
        chance = count / np.bincount(source, count)[source]
    return chance
