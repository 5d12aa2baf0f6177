"""Texts line by line: as words, and as tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64

from sluicegate.data.words import clean
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.generation.pairs import cut
from sluicegate.tasks.generation.subwords import BEGIN, END, Subwords


@dataclass(frozen=True)
class Corpus:
    """Texts, each with lines that follow one another; nothing is known of one text from another.

    Args:
        lines: of all texts.
        begins: which lines begin a text.
    """

    lines: Sequence[str]
    begins: Bool[np.ndarray, " lines"]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Corpus:
        """Texts cut into their lines; what a text ends with is no line of its own."""
        lines: list[str] = []
        begins: list[int] = []
        for text in texts:
            begins.append(len(lines))
            found = clean(text).replace("\r\n", "\n").split("\n")
            lines += found[:-1] if len(found) > 1 and not found[-1] else found
        which = np.zeros(len(lines), dtype=bool)
        which[begins] = True
        return cls(lines, which)

    def __len__(self) -> int:
        """How many texts."""
        return int(self.begins.sum())

    @cached_property
    def words(self) -> Int64[np.ndarray, " lines"]:
        """How many words each line has, those between spaces, and its end, which is a symbol of its own."""
        return np.array([len(line.split()) + 1 for line in self.lines], dtype=np.int64)

    @cached_property
    def bytes(self) -> int:
        """How long the texts are in UTF-8, with the ends of lines."""
        return sum(len(line.encode()) + 1 for line in self.lines)

    def texts(self, numbers: Int64[np.ndarray, " chosen"]) -> Corpus:
        """Some of the texts, in this order."""
        bounds = np.append(np.flatnonzero(self.begins), len(self.lines))
        rows = np.concatenate([np.arange(bounds[number], bounds[number + 1]) for number in numbers.tolist()])
        return Corpus([self.lines[row] for row in rows.tolist()], self.begins[rows])

    def cut(self, line: int) -> tuple[Corpus, Corpus]:
        """The lines before one, and those from it on, which begin a text."""
        after = self.begins[line:].copy()
        after[:1] = True
        return Corpus(self.lines[:line], self.begins[:line]), Corpus(self.lines[line:], after)

    def first(self, words: int) -> Corpus:
        """The lines from the beginning on that have so many words together, and one more."""
        line = int(np.searchsorted(np.cumsum(self.words), words)) + 1
        return Corpus(self.lines[:line], self.begins[:line])

    def tokens(self, subwords: Subwords) -> Tokens:
        """The lines as tokens."""
        found = cut(subwords, self.lines)
        values = np.insert(found.values, found.bounds[1:], END)
        bounds = found.bounds + np.arange(len(found.bounds))
        return Tokens(Ragged(values.astype(np.int32), bounds), self.begins)


@dataclass(frozen=True)
class Tokens:
    """Texts as numbers of tokens.

    Args:
        lines: the tokens of each, with its end.
        begins: which lines begin a text.
    """

    lines: Ragged
    begins: Bool[np.ndarray, " lines"]

    @cached_property
    def texts(self) -> Ragged:
        """The tokens of each text."""
        return Ragged(self.lines.values, np.append(self.lines.bounds[:-1][self.begins], self.lines.bounds[-1]))

    @cached_property
    def streams(self) -> Ragged:
        """The same, each behind its beginning, as they are read."""
        texts = self.texts
        values = np.insert(texts.values, texts.bounds[:-1], BEGIN)
        return Ragged(values.astype(np.int32), texts.bounds + np.arange(len(texts.bounds)))


def by_line(values: np.ndarray, lines: Ragged) -> np.ndarray:
    """The sum over the tokens of each line; none is without one, its end."""
    found: np.ndarray = np.add.reduceat(values, lines.bounds[:-1]) if len(values) else values[:0]
    return found
