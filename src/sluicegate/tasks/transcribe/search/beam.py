"""The settings of the search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sluicegate.errors import ConfigError


@dataclass(frozen=True)
class Beam:
    """How to search.

    Args:
        width: hypotheses that go on side by side.
        language_weight: the power of the language model's probabilities.
        word_bonus: what each word adds to the logarithm of a text's probability.
        threshold: how much less probable than the best of its frame a token may be to be followed, as a logarithm.
        tokens: that are followed in a frame at most, the most probable ones.
        cut: how much less probable than the best a hypothesis may be to go on, as a logarithm.
        margin: with a lexicon, how much more probable what the network hears may be than what is allowed, as a
            logarithm, for each token: words and phrases beyond it are rejected.
        least: the confidence below which a word is not told, from 0 to 1; with a lexicon, which has its margin, and
            with hot words, which are to be heard where the network doubts them, all are.

    Raises:
        ConfigError: one of them is out of its range.
    """

    width: int = 16
    language_weight: float = 0.5
    word_bonus: float = 0.0
    threshold: float = 6.0
    tokens: int = 40
    cut: float = 10.0
    margin: float = 1.5
    least: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        for name, least in (("width", 1), ("tokens", 1), ("language_weight", 0), ("threshold", 0), ("cut", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"`{name}` (={getattr(self, name)}) must be at least {least}")
        for name in ("word_bonus", "language_weight"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(f"`{name}` (={getattr(self, name)}) must be a finite number")
        if not self.margin > 0:
            raise ConfigError(f"`margin` (={self.margin}) must be above 0")
        if not 0 <= self.least < 1:
            raise ConfigError(f"`least` (={self.least}) must be a confidence from 0 to 1, and below 1")
