"""Probabilities of the rows that a network or a method was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Int64

from .decision import Said

Rows = Int64[np.ndarray, " _"]


def said_by_fold(
    number: Rows, folds: int, learn_and_say: Callable[[Rows, Rows], Mapping[str, Said]]
) -> dict[str, Said]:
    """Methods' probabilities of each fold when they are trained on the others.

    Args:
        number: the fold of each row, -1 for one that is in none.
        folds: how many there are.
        learn_and_say: given the rows to train on and those of the fold, each method's probabilities of the latter.

    Returns:
        The probabilities by method, of the rows that are in a fold, in their order.
    """
    inside = [np.flatnonzero(number == k) for k in range(folds)]
    parts = [learn_and_say(np.flatnonzero(number != k), rows) for k, rows in enumerate(inside)]
    order = np.argsort(np.concatenate(inside), kind="stable")
    return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
