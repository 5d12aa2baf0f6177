"""Tokens that are worth following: near the best of their frame, and not too many."""

import math

import numpy as np
import pytest

from sluicegate.errors import DataError
from sluicegate.tasks.transcribe.search.sifting import sift

ROWS = np.log(np.array([[0.9, 0.06, 0.03, 0.01], [0.1, 0.2, 0.3, 0.4], [0.97, 0.01, 0.01, 0.01]], np.float32))


@pytest.mark.parametrize(
    ("threshold", "most", "expected"),
    [
        (math.log(20.0), 9, [[1], [1, 2, 3], []]),
        (math.log(20.0), 2, [[1], [2, 3], []]),
        (math.inf, 9, [[1, 2, 3]] * 3),
        (math.inf, 1, [[1], [3]]),
        (0.0, 9, [[], [3], []]),
    ],
)
def test_tokens_that_are_worth_following(threshold, most, expected):
    rows = ROWS[: len(expected)]
    found = list(sift(rows, threshold, most))
    assert [[token for token, _ in frame.others] for frame in found] == expected
    for row, frame in zip(rows, found, strict=True):
        assert frame.blank == math.exp(float(row[0]))
        assert all(chance == math.exp(float(row[token])) for token, chance in frame.others)


def test_a_frame_does_not_hang_on_its_company():
    rows = np.log(np.random.default_rng(0).dirichlet(np.full(300, 0.1), 50) + 1e-9).astype(np.float32)
    for most in (5, 500):
        assert [next(sift(row[None], 6.0, most)) for row in rows] == list(sift(rows, 6.0, most))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_probability(value):
    rows = ROWS.copy()
    rows[1, 2] = value
    with pytest.raises(DataError, match="the lattice holds NaN, infinity"):
        list(sift(rows, 6.0, 9))
