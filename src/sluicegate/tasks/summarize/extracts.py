"""The simple methods that every summarizer stands beside: what is taken out of the text as it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n+")
_WORD = re.compile(r"\w+")
_KEYWORDS = 4
_KEPT = 50_000  # words whose weights are kept, the most frequent ones; others weigh as much as the rarest


def sentences(text: str) -> list[str]:
    """The sentences of a text, roughly: at line breaks, and at spaces after a mark that ends one."""
    return [found.strip() for found in _SENTENCE.split(text) if found.strip()]


def first_sentence(text: str) -> str:
    """The first sentence of a text."""
    return next(iter(sentences(text)), "")


@dataclass(frozen=True)
class Weights:
    """How much words tell, by TF-IDF (Salton & Buckley 1988): the rarer in the training texts, the more.

    Args:
        by_word: the inverse document frequency of words.
        others: that of all others.
    """

    by_word: Mapping[str, float]
    others: float

    @classmethod
    def of(cls, texts: Sequence[str]) -> Weights:
        """Count them in the training texts."""
        counts = Counter(word for text in texts for word in set(_words(text)))
        kept = counts.most_common(_KEPT)
        idf = {word: float(np.log((1 + len(texts)) / (1 + count)) + 1) for word, count in kept}
        return cls(idf, float(np.log(1 + len(texts)) + 1))

    def sentence(self, text: str) -> str:
        """The sentence that is most like the whole text, by the cosine of their weighted counts."""
        whole = self._weighed(text)
        found = sentences(text)
        return max(found, key=lambda one: _cosine(self._weighed(one), whole), default="")

    def keywords(self, text: str) -> str:
        """The four words that weigh most, in the order in which they come."""
        weighed = self._weighed(text)
        best = sorted(weighed, key=lambda word: -weighed[word])[:_KEYWORDS]
        places = {word: number for number, word in reversed(list(enumerate(_words(text))))}
        return " ".join(sorted(best, key=lambda word: places[word]))

    def _weighed(self, text: str) -> dict[str, float]:
        return {word: n * self.by_word.get(word, self.others) for word, n in Counter(_words(text)).items()}


def _words(text: str) -> Iterator[str]:
    return (word.lower() for word in _WORD.findall(text))


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    size = np.sqrt(sum(weight**2 for weight in one.values()) * sum(weight**2 for weight in other.values()))
    return float(sum(weight * other.get(word, 0.0) for word, weight in one.items()) / size) if size else 0.0
