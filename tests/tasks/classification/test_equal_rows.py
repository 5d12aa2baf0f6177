"""Equal rows stay together, folds without any stay as they were, and the report says what there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.tasks.classification.equal_rows import Ties, leaking, numbered
from sluicegate.tasks.classification.splitting import folds_of, together, validation_folds

ROWS = np.arange(60)
TRUTH = ROWS % 2


def torn(values, numbers):
    """How many values are in several folds."""
    return sum(len(set(numbers[values == value])) > 1 for value in np.unique(values))


def test_rows_are_numbered_by_their_content():
    assert numbered(["a", None, "b", "a", None]).tolist() == [0, 1, 2, 0, 4]


@pytest.mark.parametrize("groups", [None, [f"g{i % 9}" for i in ROWS]])
@pytest.mark.parametrize("folds", [1, 3])
def test_without_equal_rows_the_folds_are_the_same(groups, folds):
    ties = Ties.of(TRUTH, groups, ROWS, folds)
    assert ties.notes(60, "texts") == []
    found = validation_folds(TRUTH, ties, folds, 7)
    parts = folds if folds > 1 else (10 if groups is None else 9)
    expected = folds_of(TRUTH, groups, parts, 7)
    assert found.tolist() == (expected if folds > 1 else np.where(expected == 0, 0, -1)).tolist()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=20, max_size=80), st.integers(1, 5))
def test_equal_rows_stay_in_one_fold(rows, folds):
    content, truth = (np.array(column) for column in zip(*rows, strict=True))
    truth = np.unique(truth, return_inverse=True)[1]
    ties = Ties.of(truth, None, content, folds)
    number = validation_folds(truth, ties, folds, 0)
    if ties.content is not None:
        assert torn(ties.content, number) == 0
        assert (ties.content != content).sum() <= ties.released
    assert set(number.tolist()) == set(range(folds) if folds > 1 else (-1, 0))


def test_the_classes_are_spread_evenly_all_the_same():
    content, truth = np.repeat(np.arange(40), 5), np.repeat(np.arange(40) % 2, 5)
    number = validation_folds(truth, Ties.of(truth, None, content, 4), 4, 0)
    assert torn(content, number) == 0
    assert [np.bincount(number[truth == k]).tolist() for k in (0, 1)] == [[25] * 4] * 2


def test_few_copies_change_little():
    content = ROWS.copy()
    content[1] = 3
    before = folds_of(TRUTH, None, 5, 0)
    after = together(before, TRUTH, content, 5)
    assert after[1] == after[3]
    assert np.delete(after, [1, 3]).tolist() == np.delete(before, [1, 3]).tolist()


def test_what_all_of_a_class_is_may_be_torn():
    content = ROWS % 2  # two texts, each a class
    ties = Ties.of(TRUTH, None, content, 3)
    assert (ties.repeated, ties.released, ties.content) == (60, 60, None)
    assert "too few are different" in ties.notes(60, "texts")[0]
    assert validation_folds(TRUTH, ties, 3, 0).tolist() == folds_of(TRUTH, None, 3, 0).tolist()
    content = np.where(ROWS % 2, 1, 100 + ROWS // 4)
    ties = Ties.of(TRUTH, None, content, 3)
    number = validation_folds(TRUTH, ties, 3, 0)
    assert (ties.repeated, ties.released) == (60, 30)
    assert torn(content[content > 1], number[content > 1]) == 0
    assert len(set(number[content == 1])) == 3


def test_too_few_different_ones_for_the_folds_that_are_asked_for():
    content = ROWS % 4
    assert Ties.of(TRUTH, None, content, 5).content is None
    ties = Ties.of(TRUTH, None, content, 1)
    assert (ties.parts, ties.released) == (4, 0)
    assert set(validation_folds(TRUTH, ties, 1, 0).tolist()) == {-1, 0}


def test_groups_that_share_a_row_are_joined():
    groups, content = [f"g{i // 6}" for i in ROWS], ROWS.copy()
    content[0] = content[6]  # of the first group and the second
    ties = Ties.of(TRUTH, groups, content, 3)
    assert (ties.parts, ties.repeated, ties.released) == (9, 2, 0)
    number = validation_folds(TRUTH, ties, 3, 0)
    assert len(set(number[:12])) == 1
    assert torn(np.array(groups), number) == 0
    content[::6] = 0  # of all groups: these are what the user asked for
    ties = Ties.of(TRUTH, groups, content, 3)
    assert (ties.groups, ties.repeated, ties.released) == (groups, 10, 10)
    content = ROWS.copy()
    content[1] = content[2]  # within a group
    assert Ties.of(TRUTH, groups, content, 3).groups == groups


def test_a_content_of_most_rows_is_not_what_a_single_network_is_validated_on():
    content = np.where(ROWS < 36, 0, ROWS)
    number = validation_folds(TRUTH, Ties.of(TRUTH, None, content, 1), 1, 0)
    assert 1 <= (number == 0).sum() <= 9


def test_pairs_leak_where_the_other_one_was_trained_on():
    pairs = np.array([[0, 1], [2, 3], [3, 4]])
    assert leaking(pairs, np.array([0, 1, 0, 0, -1])) == 3
    assert leaking(pairs[:0], np.array([0, 1])) == 0
