"""Clips at one rate: between frames by straight lines, whole as in parts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data.skeletons import Clip
from sluicegate.tasks.recognize_actions.rate import at_rate, brought_to, usual_rate


def clip(times):
    times = np.asarray(times, dtype=float)
    return Clip(np.stack([times, -times], 1)[:, None], times)


def test_between_frames():
    found = brought_to(clip([10.0, 10.3, 10.4, 11.0]), 5.0)
    np.testing.assert_allclose(found[:, 0, 0], [10.0, 10.2, 10.4, 10.6, 10.8, 11.0])
    assert brought_to(clip([0.0, 1.0]), None).shape == (2, 1, 2)


def test_the_usual_rate():
    assert usual_rate([clip(np.arange(9) / 10), clip(np.arange(9) / 12), clip(np.arange(9) / 10)]) == 10.0
    assert usual_rate([clip(np.arange(99) / 500)]) == 30.0
    assert usual_rate([Clip(np.zeros((3, 1, 2)))]) is None


@settings(max_examples=30)
@given(st.lists(st.floats(0.01, 0.5), min_size=2, max_size=20), st.integers(0, 9))
def test_in_parts_as_a_whole(gaps, seed):
    times = np.cumsum(gaps)
    values = np.random.default_rng(seed).normal(size=(len(times), 2, 2))
    whole, end = at_rate(values, times, 10.0)
    parts, place = [], None
    for step in range(len(times)):
        found, place = at_rate(values[step : step + 1], times[step : step + 1], 10.0, place)
        parts.append(found)
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert place.steps == end.steps == len(whole)
