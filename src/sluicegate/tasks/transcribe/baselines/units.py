"""What the words of a hidden Markov model are made of: each is a unit where they are few, else letters in context are.

A letter sounds as its neighbours have it. So each letter of a word is the unit of the letter with both neighbours where
training has that often enough, else with the next one, with the one before, or alone: what trees of questions do for
phones (Young et al. 1994), with what can be told from letters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_EDGE = " "  # before the first letter of a word, and behind the last
_OFTEN = 40  # times that training must have a letter in a context


@dataclass(frozen=True)
class Units:
    """The units of some words.

    Args:
        words: the words, in the order of their numbers.
        spelled: the numbers of the units of each word.
        letters: of each unit, the letter, or the word, that it is whatever the context.
    """

    words: tuple[str, ...]
    spelled: tuple[tuple[int, ...], ...]
    letters: tuple[str, ...]

    @classmethod
    def whole(cls, words: Sequence[str]) -> Units:
        """A unit for each word."""
        return cls(tuple(words), tuple((number,) for number in range(len(words))), tuple(words))

    @classmethod
    def of_letters(cls, words: Sequence[str], times: Mapping[str, int], often: int | None = _OFTEN) -> Units:
        """A unit for each letter in each context that is frequent.

        Args:
            words: to spell.
            times: how often training has each word.
            often: how often training must have a letter in a context; None makes each letter a unit.
        """
        least = float("inf") if often is None else often
        contexts: Counter[tuple[str, str, str]] = Counter()
        for word, count in times.items():
            for found in _contexts(word):
                contexts.update(dict.fromkeys(found, count))
        spelled = [
            [next((context for context in found if contexts[context] >= least), found[-1]) for found in _contexts(word)]
            for word in words
        ]
        names = sorted({context for word in spelled for context in word})
        number = {name: at for at, name in enumerate(names)}
        return cls(
            tuple(words),
            tuple(tuple(number[context] for context in word) for word in spelled),
            tuple(context[1] for context in names),
        )

    def only(self, words: Sequence[str]) -> Units:
        """The same units, of some of the words."""
        spelled = dict(zip(self.words, self.spelled, strict=True))
        return Units(tuple(words), tuple(spelled[word] for word in words), self.letters)


def _contexts(word: str) -> Iterator[list[tuple[str, str, str]]]:
    """Each letter of a word between its neighbours, from both of them to none."""
    for before, letter, after in zip(_EDGE + word, word, word[1:] + _EDGE, strict=False):
        yield [(before, letter, after), ("", letter, after), (before, letter, ""), ("", letter, "")]
