"""Skeletons are held to what they must be, and what is wrong is said in one sentence."""

import re

import numpy as np
import pytest

from sluicegate.data.skeletons import clip_of, require_alike
from sluicegate.errors import DataError


def skeletons(steps=6, joints=3):
    return np.random.default_rng(0).normal(size=(steps, joints, 2))


def test_steps_before_and_after_the_person_are_left_out():
    values = skeletons()
    values[:2] = values[5:] = np.nan
    values[3] = np.nan
    values[4, 1, 0] = np.nan
    clip = clip_of(values, "a clip", np.arange(6) / 5)
    assert len(clip) == 3
    np.testing.assert_array_equal(clip.times, [0.4, 0.6, 0.8])
    assert np.isnan(clip.values[1]).all()
    assert np.isnan(clip.values[2, 1]).all(), "a joint of which a number is missing is not seen"
    np.testing.assert_array_equal(clip.values[0], values[2])


def test_masked_arrays_and_whole_numbers():
    masked = np.ma.masked_array(np.ones((2, 2, 2), int), [[[0, 0], [1, 1]], [[0, 0], [0, 0]]])
    assert np.isnan(clip_of(masked, "a clip").values[0, 1]).all()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 3)), "a clip is of shape (4, 3): expected skeletons, [time, joint, 2 or 3]"),
        (np.zeros((4, 3, 4)), "a clip is of shape (4, 3, 4)"),
        (np.zeros((0, 3, 2)), "a clip has no steps"),
        (np.full((4, 3, 2), np.nan), "a clip shows nobody, for no joint was seen in any of its 4 steps"),
        (np.where(np.arange(24).reshape(4, 3, 2) == 7, np.inf, 0.0), "a clip holds inf at step 1, joint 0"),
        (np.where(np.arange(24).reshape(4, 3, 2) == 7, 2e9, 0.0), "a clip holds 2000000000.0 at step 1, joint 0"),
        (np.full((4, 3, 2), "x"), "a clip is not an array of numbers"),
    ],
)
def test_arrays_that_are_no_skeletons(array, words):
    with pytest.raises(DataError, match=re.escape(words)) as raised:
        clip_of(array, "a clip")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 1, 2, 2, 3, 4], "a clip is at 2 s in step 3, which is not after the step before"),
        ([0, 1, 2, 1.5, 3, 4], "a clip is at 1.5 s in step 3"),
        ([0, 1, np.nan, 3, 4, 5], "a clip is at nan s in step 2"),
        ([0, 1], "the times of a clip are of shape (2,): expected 6"),
    ],
)
def test_frames_out_of_order(times, words):
    with pytest.raises(DataError, match=re.escape(words)):
        clip_of(skeletons(), "a clip", times)


def test_another_layout_is_named():
    clips = [clip_of(skeletons(joints=joints), "a clip") for joints in (3, 4)]
    with pytest.raises(DataError, match="second has 4 joints in 2 dimensions, where first has 3 in 2"):
        require_alike(clips, ["first", "second"], 3, 2, "first")
