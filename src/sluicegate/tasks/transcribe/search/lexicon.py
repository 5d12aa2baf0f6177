"""What may be said: words of a list, in any order, or whole phrases alone; and the tree of letters that both are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from sluicegate.errors import ConfigError

ROOT = 0
"""The place of a tree before the first letter."""

OVER = -1
"""The place behind a whole phrase and a space, where no letter follows."""


@dataclass
class Letters:
    """Texts as a tree of letters, in which texts can be put later: places that are there keep their numbers.

    Attributes:
        after: the place that each letter of each place leads to.
        ends: the places where a text ends.
    """

    after: list[dict[str, int]] = field(default_factory=lambda: [{}])
    ends: set[int] = field(default_factory=set)

    def put(self, text: str) -> list[int]:
        """Put a text in, and return the places that its letters lead to."""
        places, place = [], ROOT
        for letter in text:
            if letter not in self.after[place]:
                self.after[place][letter] = len(self.after)
                self.after.append({})
            place = self.after[place][letter]
            places.append(place)
        self.ends.add(place)
        return places

    def follow(self, place: int, letters: str) -> int | None:
        """The place that letters lead to; None for nowhere."""
        for letter in letters:
            found = self.after[place].get(letter)
            if found is None:
                return None
            place = found
        return place


@dataclass(frozen=True)
class Lexicon:
    """What may be said.

    Args:
        texts: words or phrases, with single spaces.
        whole: whether a text must be one of them as a whole; else they are words, which come in any order.

    Raises:
        ConfigError: there is none, one is blank, or one of several words is to be a word.

    Example:
        >>> lexicon = Lexicon.phrases(["turn left", "turn right"])
        >>> [lexicon.allows(text) for text in ("turn right", "turn", "right turn")]
        [True, False, False]
    """

    texts: tuple[str, ...]
    whole: bool = False

    def __post_init__(self) -> None:
        """Check the texts."""
        kind = "phrases" if self.whole else "words"
        if not self.texts:
            raise ConfigError(f"`{kind}` has no {kind}: give one at least, or no lexicon for any words")
        for place, text in enumerate(self.texts):
            if text != " ".join(text.split()) or not text:
                raise ConfigError(
                    f"`{kind}` holds {text!r} at {place}: expected words with single spaces; strip it or leave it out"
                )
            if " " in text and not self.whole:
                raise ConfigError(
                    f"`words` holds {text!r} at {place}: expected single words; use `Lexicon.phrases` for whole phrases"
                )

    @classmethod
    def words(cls, words: Iterable[str]) -> Lexicon:
        """Allow texts of these words alone, in any order and number."""
        return cls(tuple(dict.fromkeys(words)))

    @classmethod
    def phrases(cls, phrases: Iterable[str]) -> Lexicon:
        """Allow these texts alone, each as a whole."""
        return cls(tuple(dict.fromkeys(phrases)), whole=True)

    def with_words(self, words: Iterable[str]) -> Lexicon:
        """The same with more words, or phrases; places in the tree of either are places of the other."""
        return replace(self, texts=tuple(dict.fromkeys((*self.texts, *words))))

    def allows(self, text: str) -> bool:
        """Tell whether a text may be said; the empty one always may."""
        place = ROOT
        for number, word in enumerate(text.split()):
            begin = self.next_word(place) if number else place
            found = None if begin is None else self.follow(begin, word)
            if found is None:
                return False
            place = found
        return not text.split() or self.ends(place)

    def follow(self, place: int, letters: str) -> int | None:
        """The place that letters of a word lead to; None where they are not allowed."""
        return None if place == OVER else self._letters.follow(place, letters)

    def next_word(self, place: int) -> int | None:
        """The place where the next word begins; None where none may."""
        if not self.whole:
            return ROOT if self.ends(place) else None
        longer = self._letters.follow(place, " ")
        return OVER if longer is None and self.ends(place) else longer

    def ends(self, place: int) -> bool:
        """Tell whether a text may end here, behind letters of a word."""
        return place in self._letters.ends

    @property
    def places(self) -> int:
        """How many places the tree has."""
        return len(self._letters.after)

    @cached_property
    def _letters(self) -> Letters:
        letters = Letters()
        for text in self.texts:
            letters.put(text)
        return letters
