"""Features are what their equations say, and their joints are told."""

import numpy as np
import pytest

from sluicegate.data.joint_layouts import LAYOUTS, layout_of
from sluicegate.tasks.recognize_actions.features import Features, Standard


@pytest.mark.parametrize(
    ("layout", "dimensions"), [(LAYOUTS["jhmdb"], 2), (layout_of("0-1 1-2", 4, 3), 3), (layout_of(None, 1, 2), 2)]
)
def test_features_by_their_equations(layout, dimensions):
    features = Features(layout, dimensions)
    steps = np.random.default_rng(0).normal(size=(2, 5, layout.joints, dimensions)).astype(np.float32)
    found = features.of(steps)
    assert found.shape == (2, 5, features.count)
    middle = steps[:, :, list(layout.centre)].mean(2, keepdims=True) if layout.centre else 0.0
    parts = [(steps - middle).reshape(2, 5, -1)]
    pairs = [(i, j) for i in range(layout.joints) for j in range(i + 1, layout.joints)]
    parts.append(
        np.stack([np.zeros((2, 5)), *(np.linalg.norm(steps[:, :, i] - steps[:, :, j], axis=2) for i, j in pairs)], 2)[
            ..., 1:
        ]
    )
    for a, b in layout.bones:
        bone = steps[:, :, a] - steps[:, :, b]
        parts.append(bone / (np.linalg.norm(bone, axis=2, keepdims=True) + 1e-3))
    for lag in (1, 2):
        speed = np.zeros_like(steps)
        speed[:, lag:] = steps[:, lag:] - steps[:, :-lag]
        parts.append(speed.reshape(2, 5, -1))
    np.testing.assert_allclose(found, np.concatenate(parts, 2), atol=1e-5)
    assert len(features.joints_of) == features.count


def test_a_joint_that_was_never_seen_says_nothing():
    features = Features(LAYOUTS["coco"], 2)
    steps = np.random.default_rng(0).normal(size=(3, 8, 17, 2)).astype(np.float32)
    standard = Standard.of(features.of(steps))
    gone = steps.copy()
    gone[:, :, 9] = np.nan
    found = standard.apply(features.of(gone))
    of_it = np.array([9 in joints for joints in features.joints_of])
    assert (found[..., of_it] == 0).all()
    np.testing.assert_array_equal(found[..., ~of_it], standard.apply(features.of(steps))[..., ~of_it])


def test_many_joints_have_few_distances():
    features = Features(LAYOUTS["blazepose"], 3)
    assert features.count < 33 * 3 * 3 + 35 * 3 + 33 * 32 // 2
