"""Which word comes after which, for a search that knows few words.

Interpolated Kneser-Ney smoothing (Kneser & Ney 1995) with one discount, D = N_1 / (N_1 + 2 N_2) by Ney et al. 1994:

    p(w | v) = max(c(v w) - D, 0) / c(v .) + D N_1+(v .) / c(v .) * p(w),

where p(w) goes by how many different words came before w, and gives a word as much more as none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Int64

Pairs = Int64[np.ndarray, "pairs 3"]
"""The numbers of two words that come one after the other, and how often they do."""

_FLOOR = 0.5  # beside the counts of words before a word, so that each word may come


def pairs_of(lines: Sequence[Sequence[int]], kinds: int) -> Pairs:
    """The pairs of words of texts, in ascending order.

    Args:
        lines: the numbers of the words of each text.
        kinds: how many words there are, numbered from 0; that number itself stands for the begin and for the end.
    """
    times = Counter(pair for line in lines for pair in pairwise([kinds, *line, kinds]))
    return np.array([(*pair, times[pair]) for pair in sorted(times)], dtype=np.int64).reshape(-1, 3)


def bigram(pairs: Pairs, kinds: int) -> Float32[np.ndarray, "contexts words"]:
    """The logarithm of the probability of each word after each word.

    Args:
        pairs: of words that were counted.
        kinds: how many words there are.

    Returns:
        In the last row of what comes first, and in the last column of what comes last.
    """
    count = np.zeros((kinds + 1, kinds + 1))
    count[pairs[:, 0], pairs[:, 1]] = pairs[:, 2]
    once, twice = (count == 1).sum(), (count == 2).sum()
    discount = once / (once + 2 * twice) if twice else 0.5
    different, before = (count > 0).sum(1, keepdims=True), (count > 0).sum(0) + _FLOOR
    total = count.sum(1, keepdims=True)
    left = np.where(total > 0, np.maximum(discount, 1e-3) * different / np.maximum(total, 1), 1.0)
    chance = np.maximum(count - discount, 0) / np.maximum(total, 1) + left * before / before.sum()
    found: Float32[np.ndarray, "contexts words"] = np.log(chance / chance.sum(1, keepdims=True)).astype(np.float32)
    return found
