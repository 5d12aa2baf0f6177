"""What naive Bayes counts, in parts as in the whole."""

import numpy as np
import pytest

from sluicegate.runtime.texts import ragged
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.tasks.classify_text.naive_bayes import class_counts, log_count_ratio


@pytest.mark.parametrize("rows_at_once", [1, 2, 100])
def test_features_are_counted_class_by_class(rows_at_once, monkeypatch):
    monkeypatch.setattr(ragged, "_ROWS", rows_at_once)
    rows = Ragged.of([np.array(row, dtype=np.int32) for row in ([0, 2, 2], [], [2, 3], [0], [])])
    counts = class_counts(rows, np.array([1, 0, 0, 1, 1]), 4, 3)
    np.testing.assert_array_equal(counts, [[0, 2, 0], [0, 0, 0], [1, 2, 0], [1, 0, 0]])


def test_the_ratio_is_that_of_the_shares():
    inside, outside = np.array([6.0, 2.0]), np.array([1.0, 3.0])
    np.testing.assert_allclose(log_count_ratio(inside, outside), [np.log(0.75 / 0.25), np.log(0.25 / 0.75)])
    both = log_count_ratio(np.stack([inside, outside], 1), np.stack([outside, inside], 1))
    np.testing.assert_array_equal(both[:, 0], log_count_ratio(inside, outside))
    np.testing.assert_array_equal(both[:, 0], -both[:, 1])
