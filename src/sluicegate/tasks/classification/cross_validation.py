"""Probabilities of the rows that a network or a method was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from jaxtyping import Int64

from .decision import Probabilities

Rows = Int64[np.ndarray, " _"]


def probabilities_by_fold(
    number: Rows,
    folds: int,
    learn_and_predict: Callable[[Rows, Rows], Mapping[str, Probabilities]],
    each: Callable[..., Iterable[Mapping[str, Probabilities]]] = map,
) -> dict[str, Probabilities]:
    """Methods' probabilities of each fold when they are trained on the others.

    Args:
        number: the fold of each row, -1 for one that is in none.
        folds: how many there are.
        learn_and_predict: given the rows to train on and those of the fold, each method's probabilities of the latter.
        each: how the folds are gone through: Python's `map`, or that of a pool of threads.

    Returns:
        The probabilities by method, of the rows that are in a fold, in their order.
    """
    outside, inside = ([np.flatnonzero((number == k) == own) for k in range(folds)] for own in (False, True))
    parts = list(each(learn_and_predict, outside, inside))
    order = np.argsort(np.concatenate(inside), kind="stable")
    return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
