"""The language model of the search: runs of words of the training texts, and how words are spelled.

The probability of a word is that of the run that it ends (`KneserNey`); a word that training did not have is one of the
unknown, and spelled letter by letter (`Spelling`).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from jaxtyping import Int32

from sluicegate.tasks.generation.kneser_ney import BEGINNING, END, KneserNey
from sluicegate.tasks.generation.spelling import Spelling

ORDER = 3

_MOST = 10_000_000  # words that are counted, the first ones: they take 2 GB while they are
_KEPT = 50_000  # answers that are kept for when they are asked for again
_LONG = 64  # letters of a word that are looked at
_LAST = "\U0010ffff"  # behind every letter

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")

Context = tuple[int, ...]
"""All that the probability of the next word hangs on: two that are equal are never told apart again."""


@dataclass(frozen=True)
class WordModel:
    """A model of texts as runs of words.

    Args:
        names: the different words, numbered from 1; 0 is the end of a text.
        words: the training texts in these numbers, each with its end.
        order: words of the longest runs, from 1 up.
        added: words beside them, of which no text is known: each is as probable as a known word that never came.
    """

    names: tuple[str, ...]
    words: Int32[np.ndarray, " words"]
    order: int = ORDER
    added: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str], order: int = ORDER) -> WordModel:
        """Note down the words of texts, the first ten million.

        Args:
            texts: words with white space between them.
            order: words of the longest runs, from 1 up.
        """
        numbers: dict[str, int] = {}
        words: list[int] = []
        for text in texts:
            words += [numbers.setdefault(word, len(numbers) + 1) for word in text.split()]
            words.append(END)
            if len(words) > _MOST:
                break
        return cls(tuple(numbers), np.array(words, dtype=np.int32), order)

    def with_words(self, words: Iterable[str]) -> WordModel:
        """The same model with more words; contexts of either are contexts of the other."""
        known = {*self.names, *self.added}
        more = replace(self, added=(*self.added, *(word for word in dict.fromkeys(words) if word not in known)))
        vars(more).update(_runs=self._runs, _spelling=self._spelling)  # they take long, and are the same
        return more

    @property
    def beginning(self) -> Context:
        """The context where a text begins."""
        return BEGINNING

    def follow(self, context: Context, word: str) -> tuple[float, Context]:
        """Go on by a word: the logarithm of its probability, and the context of the next one."""
        found = self._followed.get((context, word))
        if found is None:
            number = self._numbers.get(word)
            chance, after = self._runs.follow(context, len(self.names) + 1 if number is None else number)
            if number is None:
                spelled, state = self._spelled(word[:_LONG])
                chance += spelled + self._spelling.end(state)
            _keep(self._followed, (context, word), found := (chance, after))
        return found

    def end(self, context: Context) -> float:
        """The logarithm of the probability that the text ends."""
        return self._runs.follow(context, END)[0]

    def ahead(self, begun: str) -> float:
        """The logarithm of the probability that a word begins with these letters, whatever was before it.

        A search counts it as soon as letters are there, and takes it back for what `follow` says of the whole word:
        else words that are whole would look worse than those that are not.
        """
        if not begun:
            return 0.0
        begun = begun[:_LONG]
        found = self._aheads.get(begun)
        if found is None:
            words, chances = self._sorted
            begin = bisect_left(words, begun)
            end = bisect_left(words, begun + _LAST, begin)
            chance = math.fsum(chances[begin:end]) if end - begin < 50 else self._sums[end] - self._sums[begin]
            found = math.log(chance + self._unknown * math.exp(self._spelled(begun)[0]) + 1e-300)
            _keep(self._aheads, begun, found)
        return found

    def leads(self, context: Sequence[int]) -> bool:
        """Tell whether these numbers are a context."""
        return self._runs.leads(tuple(context))

    def _spelled(self, begun: str) -> tuple[float, Context]:
        """The logarithm of the probability of the first letters of a word, and where they lead."""
        if not begun:
            return 0.0, BEGINNING
        found = self._letters.get(begun)
        if found is None:
            before, state = self._spelled(begun[:-1])
            chance, state = self._spelling.follow(state, begun[-1])
            _keep(self._letters, begun, found := (before + chance, state))
        return found

    @cached_property
    def _numbers(self) -> dict[str, int]:
        unknown = len(self.names) + 1
        return dict.fromkeys(self.added, unknown) | {word: number for number, word in enumerate(self.names, 1)}

    @cached_property
    def _runs(self) -> KneserNey:
        return KneserNey.of(self.words.astype(np.int64), len(self.names) + 2, self.order)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self.names)

    @cached_property
    def _unknown(self) -> float:
        """The probability of any unknown word."""
        return math.exp(self._runs.follow((), len(self.names) + 1)[0])

    @cached_property
    def _sorted(self) -> tuple[list[str], list[float]]:
        """All words in the order of their letters, and the probability of each."""
        words = sorted(self._numbers)
        return words, [math.exp(self._runs.follow((), self._numbers[word])[0]) for word in words]

    @cached_property
    def _sums(self) -> list[float]:
        """Of the probabilities of the words before each."""
        sums: list[float] = np.concatenate([[0.0], np.cumsum(self._sorted[1])]).tolist()
        return sums

    @cached_property
    def _followed(self) -> dict[tuple[Context, str], tuple[float, Context]]:
        return {}

    @cached_property
    def _aheads(self) -> dict[str, float]:
        return {}

    @cached_property
    def _letters(self) -> dict[str, tuple[float, Context]]:
        return {}


def _keep(answers: dict[_Key, _Answer], key: _Key, answer: _Answer) -> None:
    """Keep an answer for when it is asked for again; all are the same when they are found anew."""
    if len(answers) >= _KEPT:
        answers.clear()
    answers[key] = answer
