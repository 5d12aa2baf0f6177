"""What is counted."""

import numpy as np
import pytest

from sluicegate.serve.measures import Drift, Histogram


def test_a_histogram_counts_up_to_each_bound():
    histogram = Histogram((1.0, 2.0, 4.0))
    histogram.note([0.5, 1.0, 3.0], [1, 2, 3])
    histogram.note([9.0])
    buckets, total = histogram.buckets()
    assert buckets == [("1", 3.0), ("2", 3.0), ("4", 6.0), ("+Inf", 7.0)]
    assert total == 0.5 + 2 + 9 + 9


def test_drift_is_in_deviations_of_training():
    drift = Drift(("a", "b", "still"), np.array([1.0, 0.0, 0.0]), np.array([2.0, 1.0, 0.0]))
    assert drift.shown() == {}
    drift.note(np.array([[5.0, 0.0, 3.0], [5.0, 0.0, 3.0]]))
    assert drift.shown() == pytest.approx({"a": 2.0, "b": 0.0})
    drift.note_rows([{"a": 5, "b": 0.0, "still": 1}, {"a": 1}, "text", {"a": True, "b": "x", "still": None}])
    assert drift.shown() == pytest.approx({"a": 2.0, "b": 0.0})


def test_late_rows_count_most():
    drift = Drift(("a",), np.zeros(1), np.ones(1))
    for value, expected in ((0.0, 0.0), (1.0, 1 - np.exp(-1.0))):
        for _ in range(500 if value == 0 else 100):
            drift.note(np.full((100, 1), value))
        assert drift.shown()["a"] == pytest.approx(expected, abs=0.01)
