"""Words and phrases that are expected: the search prefers them by a weight each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from sluicegate.errors import ConfigError

from .lexicon import ROOT, Letters


class Hot(NamedTuple):
    """Where a hypothesis is among the hot words."""

    place: int | None = ROOT
    """In their tree; None where the letters of this word lead nowhere."""
    advanced: float = 0.0
    """The bonus that is given until now, of which what is not earned is taken back."""
    earned: float = 0.0
    """The bonus of a whole word that a longer phrase began with."""


class HotWords:
    """The tree of hot words: each letter advances a share of its word's bonus, taken back where it ends otherwise.

    Args:
        weights: what each word or phrase adds to the logarithm of a text's probability each time it is said.

    Raises:
        ConfigError: a word is blank, or a weight is not a finite number.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights: dict[str, float] = {}
        self._letters = Letters()
        self._whole: dict[int, float] = {}
        self._shares = [0.0]
        self.most = 0.0
        """The greatest weight."""
        self.add(weights)

    def add(self, weights: Mapping[str, float]) -> None:
        """Add hot words, or give others weights."""
        for text, weight in weights.items():
            if not text.split() or not math.isfinite(weight):
                raise ConfigError(
                    f"`hot_words` gives {text!r} the weight {weight}: expected a word or phrase and a finite number, "
                    "such as {'Sluicegate': 5.0}"
                )
            text = " ".join(text.split())
            self.weights[text] = weight
            self.most = max(self.most, weight)
            places = self._letters.put(text)
            self._whole[places[-1]] = weight
            self._shares += [0.0] * (len(self._letters.after) - len(self._shares))
            for length, place in enumerate(places, 1):
                share = weight * length / len(places)
                best = max if weight > 0 else min
                self._shares[place] = best(self._shares[place], share)

    def follow(self, hot: Hot, letters: str, word: str) -> tuple[float, Hot]:
        """Go on by letters of a word.

        Args:
            hot: where the hypothesis is.
            letters: that are added.
            word: all letters of the word, with these.

        Returns:
            The bonus, which may be below 0, and where the hypothesis is then.
        """
        if hot.place is None:
            return 0.0, hot
        place = self._letters.follow(hot.place, letters)
        if place is None:  # if a phrase began before this word, another may begin with it
            settled, place = hot.earned, self._letters.follow(ROOT, word)
            share = 0.0 if place is None else self._shares[place]
            return settled + share - hot.advanced, Hot(place, share)
        advanced = self._shares[place] if hot.earned == 0 else max(hot.earned, self._shares[place])
        return advanced - hot.advanced, Hot(place, advanced, hot.earned)

    def end_word(self, hot: Hot) -> tuple[float, Hot]:
        """End a word: the bonus, and where the hypothesis is then."""
        if hot.place is None:
            return hot.earned - hot.advanced, Hot()
        earned = self._whole.get(hot.place, hot.earned)
        longer = self._letters.follow(hot.place, " ")
        if longer is None:
            return earned - hot.advanced, Hot()
        advanced = max(earned, self._shares[longer])
        return advanced - hot.advanced, Hot(longer, advanced, earned)

    def leads(self, hot: Hot) -> bool:
        """Tell whether a hypothesis may be there."""
        known = hot.place is None or 0 <= hot.place < len(self._shares)
        return known and math.isfinite(hot.advanced) and math.isfinite(hot.earned)

    def end(self, hot: Hot) -> float:
        """The bonus where the text ends, behind letters of a word."""
        earned = hot.earned if hot.place is None else self._whole.get(hot.place, hot.earned)
        return earned - hot.advanced
