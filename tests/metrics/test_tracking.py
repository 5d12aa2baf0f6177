"""The figures of tracks are those that their papers define, counted by hand."""

import numpy as np
import pytest

from sluicegate.metrics.tracking import Evaluation, Followed, overlaps, switch_rows

pytest.importorskip("trackeval")


def followed(rows):
    frames, ids, x = (np.array(column) for column in zip(*rows, strict=True))
    boxes = np.stack([x, np.zeros(len(x)), np.full(len(x), 10.0), np.full(len(x), 20.0)], 1)
    return Followed(frames, ids, boxes.astype(float))


def test_overlaps():
    first = np.array([[0.0, 0, 10, 10]])
    second = np.array([[5.0, 0, 10, 10], [20, 0, 5, 5], [0, 0, 10, 10]])
    np.testing.assert_allclose(overlaps(first, second), [[1 / 3, 0, 1]])


def test_counts_by_hand():
    truth = followed([(frame, 1, 0) for frame in range(1, 11)])
    # Missed in frame 1, another id from frame 6 on, and a false box in frame 3.
    found = followed([*((frame, 4 if frame < 6 else 5, 0) for frame in range(2, 11)), (3, 9, 500)])
    evaluation = Evaluation()
    one = evaluation.add("a", truth, found, range(1, 11))
    assert (one.switches, one.false_boxes, one.misses) == (1, 1, 1)
    assert one.mota == pytest.approx(70)
    assert one.idf1 == pytest.approx(100 * 2 * 5 / (10 + 10))
    evaluation.add("b", truth, truth, range(1, 11))
    both = evaluation.total()
    assert both.mota == pytest.approx(85)
    assert both.switches == 1


def test_where_ids_change():
    truth = followed([(frame, 1, 0) for frame in range(1, 6)])
    found = followed([(1, 7, 0), (2, 7, 1), (4, 8, 0), (5, 8, 0)])
    assert switch_rows(truth, found) == [(4, 2)]


def test_nothing_is_found():
    truth = followed([(1, 1, 0)])
    nothing = Followed(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)))
    assert Evaluation().add("a", truth, nothing, range(1, 3)).misses == 1
