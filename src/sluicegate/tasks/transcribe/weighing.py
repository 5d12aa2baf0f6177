"""How much the language model counts in search: what tells the validation part best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from sluicegate.metrics.transcription import counted

from .reading import Recordings
from .trained import Trained

WEIGHTS = (0.0, 0.25, 0.5, 0.8, 1.2)
_LOOKED_AT = 150  # recordings at most


def language_weight(trained: Trained, recordings: Recordings, width: int) -> Trained:
    """The model with the weight of the language model that makes the fewest errors of words and characters.

    Args:
        trained: the model.
        recordings: those that validate.
        width: of the beam.
    """
    some = recordings.take(range(min(len(recordings), _LOOKED_AT)))
    lattices = [
        np.concatenate([*trained.listener.lattices(some.blocks(row, trained.rate))]) for row in range(len(some))
    ]
    errors = {weight: _errors(trained, lattices, some.texts or (), width, weight) for weight in WEIGHTS}
    return replace(trained, language_weight=min(WEIGHTS, key=lambda weight: (errors[weight], weight)))


def _errors(
    trained: Trained,
    lattices: Sequence[Float32[np.ndarray, "frames tokens"]],
    texts: Sequence[str],
    width: int,
    weight: float,
) -> float:
    found = []
    for lattice in lattices:
        search = trained.search(width, weight=weight)
        search.push(lattice)
        words = search.take()
        found.append(" ".join([*(word.text for word in words), *search.best(final=True).text.split()]))
    counts = counted(found, texts).sum(0)
    return float(counts[0] / max(1, counts[1]) + counts[2] / max(1, counts[3]))
