"""What the words of a hidden Markov model are made of: a unit a word where there are few words, else letters in context.

A letter sounds as its neighbours have it. So each letter of a word is the unit of the letter with both neighbours where
training has that often enough, else with the next one, with the one before, or alone: what trees of questions do for
phones (Young et al. 1994), with what can be told from letters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_EDGE = "#"  # before the first letter of a word, and behind the last
_OFTEN = 40  # times that training must have a letter in a context


@dataclass(frozen=True)
class Units:
    """The units of some words.

    Args:
        words: the words, in the order of their numbers.
        spelled: the units of each word.
        names: of the units, in the order of their numbers.
    """

    words: tuple[str, ...]
    spelled: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    @classmethod
    def whole(cls, words: Sequence[str]) -> Units:
        """A unit for each word."""
        return cls(tuple(words), tuple((number,) for number in range(len(words))), tuple(words))

    @classmethod
    def letters(cls, words: Sequence[str], times: Counter[str], often: int = _OFTEN) -> Units:
        """A unit for each letter in each context that is frequent.

        Args:
            words: to spell.
            times: how often training has each.
            often: how often training must have a letter in a context.
        """
        contexts: Counter[str] = Counter()
        for word, count in times.items():
            for found in _contexts(word):
                contexts.update(dict.fromkeys(found, count))
        spelled = [
            [next((name for name in found if contexts[name] >= often), found[-1]) for found in _contexts(word)]
            for word in words
        ]
        names = sorted({name for word in spelled for name in word})
        number = {name: at for at, name in enumerate(names)}
        return cls(tuple(words), tuple(tuple(number[name] for name in word) for word in spelled), tuple(names))


def _contexts(word: str) -> Iterator[list[str]]:
    """The names of each letter of a word, from the one with most context to the letter alone."""
    for before, letter, after in zip(_EDGE + word, word, word[1:] + _EDGE, strict=False):
        yield [f"{before}-{letter}+{after}", f"{letter}+{after}", f"{before}-{letter}", letter]
