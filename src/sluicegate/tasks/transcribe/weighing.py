"""What is settled on the validation part: how much the language model counts in search, and what confidence means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from sluicegate.metrics.transcription import counted

from .calibration import Calibration, rightness
from .reading import Recordings
from .trained import Trained
from .transcript import Word

WEIGHTS = (0.0, 0.25, 0.5, 0.8, 1.2)
_LOOKED_AT = 150  # recordings at most

Lattices = Sequence[Float32[np.ndarray, "_ tokens"]]


def settled(trained: Trained, recordings: Recordings, width: int, weight: float | None) -> Trained:
    """The model with the weight of the language model that makes the fewest errors, and with a calibrated confidence.

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
    found = {one: _searched(trained, lattices, width, one) for one in weights}
    best = min(weights, key=lambda one: (_errors(found[one], texts), one))
    words = [word for several in found[best] for word in several]
    right = rightness([[word.text for word in several] for several in found[best]], texts)
    calibration = Calibration.fit([word.text for word in words], [word.confidence for word in words], right)
    return replace(trained, language_weight=best, calibration=calibration)


def _searched(trained: Trained, lattices: Lattices, width: int, weight: float) -> list[list[Word]]:
    found = []
    for lattice in lattices:
        search = trained.search(width, weight=weight)
        search.push(lattice)
        words = search.take()
        found.append([*words, *search.best(final=True).words])
    return found


def _errors(found: Sequence[Sequence[Word]], texts: Sequence[str]) -> float:
    """Of words and of characters together, by how many there are."""
    counts = counted([" ".join(word.text for word in words) for words in found], texts).sum(0)
    return float(counts[0] / max(1, counts[1]) + counts[2] / max(1, counts[3]))
