"""Bodies are normalised by themselves, and a stream of them as a whole clip is, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data.joint_layouts import LAYOUTS, layout_of
from sluicegate.tasks.recognize_actions.bodies import Bodies, Sums, between, held

NAN = np.nan


def body(steps=9, dimensions=3, seed=0):
    return np.random.default_rng(seed).normal(size=(steps, 20, dimensions))


def test_gaps_are_closed_by_lines_or_by_what_was_seen_last():
    path = np.array([NAN, 1.0, NAN, NAN, 4.0, NAN]).reshape(6, 1, 1).repeat(2, 2)
    np.testing.assert_allclose(between(path)[:, 0, 0], [1, 1, 2, 3, 4, 4])
    np.testing.assert_allclose(held(path, None)[:, 0, 0], [NAN, 1, 1, 1, 4, 4])
    np.testing.assert_allclose(held(path, np.array([[7.0, 7.0]]))[:, 0, 0], [7, 1, 1, 1, 4, 4])
    assert np.isnan(between(np.full((3, 2, 2), NAN))).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_size_and_place(dimensions):
    bodies = Bodies(LAYOUTS["kinect"], dimensions)
    values = body(dimensions=dimensions)
    normal = bodies.whole(values)
    np.testing.assert_allclose(bodies.whole(values * 30 + 5), normal, atol=1e-5)
    bones = np.array(LAYOUTS["kinect"].bones)
    lengths = np.linalg.norm(normal[:, bones[:, 0]] - normal[:, bones[:, 1]], axis=2)
    assert np.sqrt(np.square(lengths).mean()) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(normal[:, 0].mean(0), 0.0, atol=1e-6)


@given(st.floats(-3, 3))
@settings(max_examples=20)
def test_a_turn_about_the_vertical_is_undone(angle):
    bodies, values = Bodies(LAYOUTS["kinect"], 3), body()
    c, s = np.cos(angle), np.sin(angle)
    turned = values @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    np.testing.assert_allclose(bodies.whole(turned), bodies.whole(values), atol=1e-4)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(2, 3))
@settings(max_examples=20)
def test_a_body_goes_on_from_its_sums(sizes, dimensions):
    bodies = Bodies(LAYOUTS["kinect"], dimensions)
    values = body(sum(sizes), dimensions)
    values[np.random.default_rng(1).random(values.shape[:2]) < 0.2] = NAN
    whole, _ = bodies.onwards(values, Sums())
    sums, parts, begin = Sums(), [], 0
    for size in sizes:
        normal, sums = bodies.onwards(values[begin : begin + size], sums)
        parts.append(normal)
        begin += size
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_single_point():
    bodies = Bodies(layout_of(None, 1, 2), 2)
    path = np.array([[[1.0, 2.0]], [[3.0, 2.0]]])
    np.testing.assert_allclose(bodies.whole(path)[:, 0], [[-1, 0], [1, 0]])
