"""Folds hold every row once, each class in proportion, and no group twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.errors import DataError
from sluicegate.tasks.classification.splitting import folds_of


@given(st.lists(st.integers(0, 3), min_size=8, max_size=60), st.integers(2, 5), st.integers(0, 9))
def test_classes_are_spread_evenly(truth, folds, seed):
    truth = np.array(truth)
    numbers = folds_of(truth, None, folds, seed)
    for k in np.unique(truth):
        counts = np.bincount(numbers[truth == k], minlength=folds)
        assert counts.max() - counts.min() <= 1


def test_groups_are_not_torn_apart():
    truth = np.arange(60) % 2
    groups = [f"g{i % 9}" for i in range(60)]
    numbers = folds_of(truth, groups, 3, 0)
    assert set(numbers) == {0, 1, 2}
    for group in set(groups):
        assert len({n for n, g in zip(numbers, groups, strict=True) if g == group}) == 1
    with pytest.raises(DataError, match="there are 9 groups for 10 folds"):
        folds_of(truth, groups, 10, 0)
