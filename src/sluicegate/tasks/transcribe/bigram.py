"""Which word comes after which, for a search that knows few words.

Interpolated Kneser-Ney smoothing (Kneser & Ney 1995) with one discount, D = N_1 / (N_1 + 2 N_2) by Ney et al. 1994:

    p(w | v) = max(c(v w) - D, 0) / c(v .) + D N_1+(v .) / c(v .) * p(w),

where p(w) goes by how many different words came before w, and gives a word as much more as none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

_FLOOR = 0.5  # beside the counts of words before a word, so that each word may come


def bigram(lines: Sequence[Sequence[int]], kinds: int) -> Float32[np.ndarray, "contexts words"]:
    """The logarithm of the probability of each word after each word.

    Args:
        lines: the numbers of the words of each text.
        kinds: how many words there are, numbered from 0.

    Returns:
        In the last row of what comes first, and in the last column of what comes last.
    """
    count = np.zeros((kinds + 1, kinds + 1))
    for line in lines:
        np.add.at(count, ([kinds, *line], [*line, kinds]), 1)
    once, twice = (count == 1).sum(), (count == 2).sum()
    discount = once / (once + 2 * twice) if twice else 0.5
    before = (count > 0).sum(0) + _FLOOR
    total = np.maximum(count.sum(1, keepdims=True), 1)
    left = np.where(count.sum(1, keepdims=True) > 0, discount * (count > 0).sum(1, keepdims=True) / total, 1.0)
    chance = np.maximum(count - discount, 0) / total + np.maximum(left, 1e-6) * before / before.sum()
    found: Float32[np.ndarray, "contexts words"] = np.log(chance / chance.sum(1, keepdims=True)).astype(np.float32)
    return found
