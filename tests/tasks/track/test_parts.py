"""The parts of the tracker: Kalman's filter, the assignment, errors of detectors, and what is expected."""

import numpy as np
import pytest

from sluicegate.data import Source
from sluicegate.data.boxes import sequences_of_table
from sluicegate.tasks.track.assignment import assigned
from sluicegate.tasks.track.errors import Errors, fitted, put_into
from sluicegate.tasks.track.geometry import centred, changed, changes, cornered, near_pairs
from sluicegate.tasks.track.kalman import KalmanTracks
from sluicegate.tasks.track.simple import constant_velocity, sort
from tests.tasks.track.walkers import walkers


def test_boxes_there_and_back():
    boxes = np.random.default_rng(0).uniform(1, 9, (7, 4))
    np.testing.assert_allclose(cornered(centred(boxes)), boxes)
    before, after = centred(boxes), centred(boxes[::-1])
    np.testing.assert_allclose(changed(before, changes(before, after)), after)


def test_pairs_are_the_same_in_small_and_large_pictures():
    rng = np.random.default_rng(0)
    tracks, boxes = (
        np.concatenate([rng.uniform(0, 500, (count, 2)), np.full((count, 2), 9.0)], 1) for count in (90, 80)
    )
    reach = rng.uniform(5, 40, 90)
    own, others = near_pairs(tracks, boxes, reach)
    off = np.abs(tracks[:, None, :2] - boxes[None, :, :2]).max(2) <= reach[:, None]
    assert sorted(zip(own.tolist(), others.tolist(), strict=True)) == list(map(tuple, np.argwhere(off).tolist()))
    gains = rng.normal(0.5, 1, len(own))
    apart = assigned(own, others, gains, 90, 80)
    whole = assigned(own, others, gains, 64, 64) if max(own.max(), others.max()) < 64 else None
    assert len(set(own[apart])) == len(set(others[apart])) == len(apart)
    assert (gains[apart] > 0).all()
    assert whole is None or gains[whole].sum() == pytest.approx(gains[apart].sum())


def test_the_filter_learns_the_speed():
    filters = KalmanTracks()
    filters.begin(np.array([[0.0, 0, 10, 20]]))
    for frame in range(1, 30):
        filters.predict()
        filters.correct(np.array([0]), np.array([[3.0 * frame, 0, 10, 20]]))
    np.testing.assert_allclose(filters.predict(), [[90.0, 0, 10, 20]], atol=0.1)


def test_sort_tells_what_was_seen_three_times():
    (sequence,) = sequences_of_table(walkers(2, 12, jitter=0.0), Source(), identified=True)
    found = sort(sequence)
    assert len(np.unique(found.ids)) == 2
    assert len(found.frames) == 24


def test_errors_are_found_again():
    (truth,) = sequences_of_table(walkers(20, 100, jitter=0.0), Source(), identified=True)
    errors = Errors(bias=(0.02, 0.0, 0.05, 0.0), spread=(0.04, 0.03, 0.06, 0.05), lasting=0.6, false=0.2)
    found = fitted([put_into(truth, errors, np.random.default_rng(0))])
    np.testing.assert_allclose(found.spread, errors.spread, rtol=0.2)
    assert found.lasting == pytest.approx(0.6, abs=0.1)
    assert found.false == pytest.approx(0.2, abs=0.1)
    assert found.bias[2] == pytest.approx(0.05, abs=0.02)


def test_constant_velocity():
    history = np.array([[0.0], [2.0], [3.0]])
    np.testing.assert_allclose(constant_velocity(history, 2), [[4.0], [5.0]])
    np.testing.assert_allclose(constant_velocity(history, 1, over=5), [[4.5]])
