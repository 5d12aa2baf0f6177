"""Numbers, and words with letters that training never saw, as slots: held out of a text, and put back as they were.

A network learns what to do with a number from those that it has read, which may be few, and so need not learn to spell
each. A slot, which is a letter of Unicode's private use, is read, attended to and written as any other sub-word is, and
what it stands for is put in its place at the end. (Luong et al. 2015 so place words that are not in the vocabulary.)
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sluicegate.data.text_column import TextColumn

SLOTS = tuple(chr(0xE000 + number) for number in range(16))
"""The letters that stand for what is held out."""

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d]+")
_PIECE = re.compile(rf"{_NUMBER.pattern}|{_WORD.pattern}|[^\w\s]+")
_RARE = 20  # of training's sources have a word at most that is rare, as names are
_NAMES = 0.5  # of the rare words that are alike on both sides are held out in training: slots are met often, names too


class Held(NamedTuple):
    """A text with slots."""

    text: str
    slots: dict[str, str]
    """What each slot stands for."""


def fill(text: str, slots: dict[str, str]) -> str:
    """Put back what was held out, wherever a text has slots."""
    return "".join(slots.get(letter, letter) for letter in text)


@dataclass(frozen=True)
class Holding:
    """Tells what is held out of texts.

    Args:
        letters: those of training, which can be spelled; a word with any other is held out, as numbers are.
    """

    letters: frozenset[str]

    def hold(self, text: str) -> Held:
        """Hold out of a text what must come through as it is, from its beginning on, while there are slots."""
        text = unicodedata.normalize("NFC", text)
        slots = dict(zip(SLOTS, self._contents(text), strict=False))
        return Held(hold_as(text, slots), slots)

    def hold_pairs(
        self, sources: Sequence[str], targets: Sequence[str], seed: int | None = None
    ) -> tuple[TextColumn, TextColumn]:
        """Hold out of both texts of pairs what either has.

        Args:
            sources: texts that are read.
            targets: those that are written of them.
            seed: of training, in which slots are taken in any order, so that all are met, and some of the rare words
                that are alike on both sides, such as names, are held out too; None takes slots in order, for no names.
        """
        drawn = None if seed is None else _Drawn(sources, np.random.default_rng(seed))
        return TextColumn.pairs(self._pair(*pair, drawn) for pair in zip(sources, targets, strict=True))

    def _pair(self, source: str, target: str, drawn: _Drawn | None) -> tuple[str, str]:
        source, target = unicodedata.normalize("NFC", source), unicodedata.normalize("NFC", target)
        alike = list((Counter(self._contents(source)) & Counter(self._contents(target))).elements())
        names, order = ([], SLOTS) if drawn is None else (drawn.names(source, target), drawn.order())
        slots = dict(zip(order, alike + names, strict=False))
        return hold_as(source, slots), hold_as(target, slots)

    def _contents(self, text: str) -> list[str]:
        """The numbers of a text and the words that cannot be spelled; those without a gap between them are one."""
        spans: list[tuple[int, int]] = []
        for found in _PIECE.finditer(text):
            begin, end = found.span()
            if _NUMBER.fullmatch(found[0]) or not self.letters.issuperset(found[0]):
                if spans and spans[-1][1] == begin:
                    begin = spans.pop()[0]
                spans.append((begin, end))
        return [text[begin:end] for begin, end in spans]


class _Drawn:
    """Draws slots, and rare words that are alike on both sides of a pair."""

    def __init__(self, sources: Iterable[str], generator: np.random.Generator) -> None:
        self._counts = Counter(word for text in sources for word in set(_WORD.findall(text)))
        self._generator = generator

    def names(self, source: str, target: str) -> list[str]:
        """Some of the rare words of a pair, in order."""
        there = set(_WORD.findall(target))
        found = dict.fromkeys(word for word in _WORD.findall(source) if word in there and self._counts[word] <= _RARE)
        return [word for word in found if self._generator.random() < _NAMES]

    def order(self) -> Sequence[str]:
        """The slots in any order."""
        return [SLOTS[number] for number in self._generator.permutation(len(SLOTS)).tolist()]


def hold_as(text: str, slots: dict[str, str]) -> str:
    """A text with slots wherever it has what they stand for, each at most once."""
    waiting: dict[str, list[str]] = {}
    for slot, content in slots.items():
        waiting.setdefault(content, []).append(slot)
    if not waiting:
        return text
    longest_first = sorted(waiting, key=len, reverse=True)
    pattern = "|".join(f"{_before(content[0])}{re.escape(content)}{_behind(content[-1])}" for content in longest_first)
    return re.sub(pattern, lambda found: waiting[found[0]].pop(0) if waiting[found[0]] else found[0], text)


def _before(letter: str) -> str:
    """What must not stand before what begins with a letter: the rest of its number or word."""
    if letter.isdigit():
        return r"(?<!\d)(?<!\d[.,:])"
    return r"(?<![^\W\d])" if letter.isalpha() else ""


def _behind(letter: str) -> str:
    """What must not follow what ends with a letter."""
    if letter.isdigit():
        return r"(?![.,:]?\d)"
    return r"(?![^\W\d])" if letter.isalpha() else ""
