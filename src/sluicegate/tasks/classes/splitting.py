"""Rows to train on and rows to validate on: every class in both, and no group in two of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64
from sklearn.model_selection import StratifiedGroupKFold

from sluicegate.errors import DataError

_SHOWN = 20_000  # rows looked at of very many, so that looks are no large part of training


def folds_of(
    truth: Int64[np.ndarray, " rows"], groups: Sequence[str] | None, folds: int, seed: int
) -> Int64[np.ndarray, " rows"]:
    """The number of each row's fold, from 0: about the same share of every class in each.

    Args:
        truth: the number of each row's class.
        groups: the name of each row's group, whose rows stay together.
        folds: how many folds, at least 2.
        seed: the source of chance.

    Raises:
        DataError: there are fewer groups than folds.
    """
    generator = np.random.default_rng(seed)
    if groups is None:
        # Class by class, one row after the other: a class with fewer rows than folds is missing in some of them.
        order = generator.permutation(len(truth))
        order = order[np.argsort(truth[order], kind="stable")]
        numbers = np.empty(len(truth), dtype=np.int64)
        numbers[order] = np.arange(len(truth)) % folds
        return numbers
    if (found := len(set(groups))) < folds:
        raise DataError(
            f"there are {found} groups for {folds} folds: expected a group for each at least; lower `folds` or leave "
            "the groups out"
        )
    numbers = np.empty(len(truth), dtype=np.int64)
    cutter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, rows) in enumerate(cutter.split(truth, truth, np.array(groups))):
            numbers[rows] = number
    return numbers


def validation_folds(
    truth: Int64[np.ndarray, " rows"], groups: Sequence[str] | None, folds: int, seed: int
) -> Int64[np.ndarray, " rows"]:
    """The number of the network that each row validates, -1 where all networks train on it.

    A single network holds a tenth of the rows back, about 20,000 of very many; with groups those of one in ten, or
    one of them where there are fewer.
    """
    if folds > 1:
        return folds_of(truth, groups, folds, seed)
    parts = max(10, len(truth) // _SHOWN) if groups is None else max(2, min(10, len(set(groups))))
    return np.where(folds_of(truth, groups, parts, seed) == 0, 0, -1)
