"""What is settled on the validation part: what the language model counts in search, and what confidence means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Float64

from sluicegate.metrics.transcription import counted

from .calibration import Calibration, rightness
from .reading import Recordings
from .trained import Trained
from .transcript import Word

WEIGHTS = (0.0, 0.25, 0.5, 0.8, 1.2)
BONUSES = (0.7, 1.5, 2.5)
"""Of words: a language model prefers few."""

LEAST = (0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""Confidence below which words are not told."""

_COST = 1e-3  # of each error rate, that this may have at most
_LOOKED_AT = 150  # recordings at most

Lattices = Sequence[Float32[np.ndarray, "_ tokens"]]


def settled(trained: Trained, recordings: Recordings, width: int, weight: float | None) -> Trained:
    """The model with the weights of the language model that make the fewest errors, and with what confidence means.

    Args:
        trained: the model.
        recordings: those that validate.
        width: of the beam.
        weight: of the language model, if it is given.
    """
    some = recordings.take(range(min(len(recordings), _LOOKED_AT)))
    texts = list(some.texts or ())
    lattices = [
        np.concatenate([*trained.listener.lattices(some.blocks(row, trained.rate))]) for row in range(len(some))
    ]
    weights = WEIGHTS if weight is None else (weight,)
    tried = [replace(trained, language_weight=one) for one in weights]
    found = [_searched(one, lattices, width) for one in tried]
    best = min(range(len(tried)), key=lambda at: _errors(found[at], texts))
    if tried[best].language_weight:
        bonuses = [replace(tried[best], word_bonus=bonus) for bonus in BONUSES]
        tried, found = [tried[best], *bonuses], [found[best], *(_searched(one, lattices, width) for one in bonuses)]
        best = min(range(len(tried)), key=lambda at: _errors(found[at], texts))
    words = [word for several in found[best] for word in several]
    right = rightness([[word.text for word in several] for several in found[best]], texts)
    calibration = Calibration.fit([word.text for word in words], [word.confidence for word in words], right)
    return replace(tried[best], calibration=calibration, least=least_confidence(found[best], texts))


def least_confidence(found: Sequence[Sequence[Word]], texts: Sequence[str]) -> float:
    """The greatest confidence that may be asked of words at next to no cost: what noise is taken for has less.

    Args:
        found: the words of each recording, with the confidence that the search says.
        texts: what was said in each.

    Returns:
        One of `LEAST`.
    """
    asked = ([[word for word in words if word.confidence >= least] for words in found] for least in LEAST)
    most = _rates(found, texts) + _COST
    return next(least for least, left in zip(LEAST, asked, strict=True) if (_rates(left, texts) <= most).all())


def _searched(trained: Trained, lattices: Lattices, width: int) -> list[list[Word]]:
    found = []
    for lattice in lattices:
        search = trained.search(width)
        search.push(lattice)
        words = search.take()
        found.append([*words, *search.best(final=True).words])
    return found


def _errors(found: Sequence[Sequence[Word]], texts: Sequence[str]) -> float:
    """Of words and of characters together, by how many there are."""
    return float(_rates(found, texts).sum())


def _rates(found: Sequence[Sequence[Word]], texts: Sequence[str]) -> Float64[np.ndarray, " 2"]:
    """The errors of words and those of characters, by how many there are."""
    counts = counted([" ".join(word.text for word in words) for words in found], texts).sum(0)
    rates: Float64[np.ndarray, " 2"] = counts[[0, 2]] / np.maximum(1, counts[[1, 3]])
    return rates
