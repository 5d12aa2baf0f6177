"""Time warping finds the least path that there is."""

import numpy as np

from sluicegate.tasks.recognize_actions.baselines import POINTS, TimeWarping, brought, warped_distances


def least(one, other, band):
    """By recursion over all paths."""
    costs = np.square(one[:, None] - other[None]).sum(2)
    table = np.full((len(one) + 1, len(other) + 1), np.inf)
    table[0, 0] = 0
    for i in range(len(one)):
        for j in range(len(other)):
            if abs(i - j) <= band:
                table[i + 1, j + 1] = costs[i, j] + min(table[i, j], table[i, j + 1], table[i + 1, j])
    return table[-1, -1]


def test_distances_by_dynamic_programming():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(5, POINTS, 4)).astype(np.float32)
    clip = rng.normal(size=(POINTS, 4)).astype(np.float32)
    np.testing.assert_allclose(warped_distances(clip, known), [least(clip, k, 6) for k in known], rtol=1e-4)


def test_a_slower_one_is_the_same():
    wave = np.sin(np.linspace(0, 6, 40))[:, None].astype(np.float32)
    other = np.cos(np.linspace(0, 9, 40))[:, None].astype(np.float32)
    method = TimeWarping.fit([wave, wave[::2], other, other[::2]], np.array([0, 0, 1, 1]), 2)
    assert method.trust > 0.7
    assert method.probabilities([wave[5:], other[::3]]).argmax(1).tolist() == [0, 1]
    assert brought(wave).shape == (POINTS, 1)
