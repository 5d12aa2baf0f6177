"""Rows to train on and rows to validate on: every class in both, and no group and no content in two of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from sluicegate.errors import DataError

from .equal_rows import Rows, Ties

_SHOWN = 20_000  # validation rows of very many, so that validation is no large part of training


def folds_of(truth: Rows, groups: Sequence[str] | None, folds: int, seed: int) -> Rows:
    """The number of each row's fold, from 0: about the same share of every class in each.

    Args:
        truth: the number of each row's class.
        groups: the name of each row's group, whose rows stay together.
        folds: how many folds, at least 2.
        seed: the random seed.

    Raises:
        DataError: there are fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # 2 s to load, which no prediction needs

    generator = np.random.default_rng(seed)
    if groups is None:
        # Class by class, one row after the other: a class with fewer rows than folds is missing in some of them.
        order = generator.permutation(len(truth))
        order = order[np.argsort(truth[order], kind="stable")]
        numbers = np.empty(len(truth), dtype=np.int64)
        numbers[order] = np.arange(len(truth)) % folds
        return numbers
    if (found := len(set(groups))) < folds:
        if found < 2:
            raise DataError(
                "all rows are of one group: expected two groups at least, to train and to validate on; leave `groups` "
                "(`--group`) out"
            )
        raise DataError(
            f"there are {found} groups for {folds} folds: expected a group for each at least; lower `folds` or leave "
            "`groups` (`--group`) out"
        )
    numbers = np.empty(len(truth), dtype=np.int64)
    cutter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, rows) in enumerate(cutter.split(truth, truth, np.array(groups))):
            numbers[rows] = number
    return numbers


def together(
    numbers: Rows,
    truth: Rows,
    content: Rows,
    folds: int,
) -> Rows:
    """The same folds, but rows of equal content in one: where this makes the classes' shares the most even.

    Rows that are equal to no other stay where they are, so that a few copies change little.

    Args:
        numbers: the fold of each row.
        truth: the number of each row's class.
        content: a number for each row, the same for equal ones.
        folds: how many there are.
    """
    _, which, sizes = np.unique(content, return_inverse=True, return_counts=True)
    alone = sizes[which] == 1
    if np.count_nonzero(np.bincount(numbers[alone], minlength=folds)) + np.count_nonzero(sizes > 1) < folds:
        alone[:] = False  # or a fold would be left without rows
    order = np.flatnonzero(~alone)
    order = order[np.argsort(which[order], kind="stable")]
    moved = np.split(order, 1 + np.flatnonzero(np.diff(which[order])))
    numbers, counts = numbers.copy(), np.zeros((folds, int(truth.max()) + 1))
    np.add.at(counts, (numbers[alone], truth[alone]), 1)
    for rows in sorted(moved, key=len, reverse=True):
        added = np.bincount(truth[rows], minlength=counts.shape[1])
        # Where it adds the least to the sum of the counts' squares, and where that is equal, the smallest fold.
        fold = int(np.lexsort((counts.sum(1), counts @ added))[0])
        numbers[rows] = fold
        counts[fold] += added
    return numbers


def validation_folds(truth: Rows, ties: Ties, folds: int, seed: int) -> Rows:
    """The number of the network that each row validates, -1 where all networks train on it.

    A single network holds a tenth of the rows back, about 20,000 of very many; with groups those of one in ten, or
    one of them where there are fewer.
    """
    parts, groups = folds, ties.groups
    if folds == 1:
        parts = max(10, len(truth) // _SHOWN) if groups is None else max(2, min(10, len(set(groups))))
    if ties.content is not None:
        parts = min(parts, len(np.unique(ties.content)))
    numbers, held = folds_of(truth, groups, parts, seed), 0
    if ties.content is not None:
        numbers = together(numbers, truth, ties.content, parts)
        # A content that very many rows have makes one part large: another one is held back then.
        held = int(np.abs(np.bincount(numbers, minlength=parts) - len(truth) / parts).argmin())
    return numbers if folds > 1 else np.where(numbers == held, 0, -1)
