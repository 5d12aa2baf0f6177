"""Forced alignment: against all paths, and what has none."""

import itertools

import numpy as np
import pytest

from sluicegate.errors import DataError
from sluicegate.tasks.transcribe.alignment import align


def best_of_all(log_probs, tokens):
    """The most probable of all paths of a text; None if there is none."""
    best = None
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        if [token for token, _ in itertools.groupby(path) if token] == tokens:
            worth = sum(float(log_probs[frame, token]) for frame, token in enumerate(path))
            best = max(best or (-np.inf, ()), (worth, path))
    return best and best[1]


def spans(path):
    """Where each token of a path is."""
    found, frame = [], 0
    for token, frames in itertools.groupby(path):
        length = len(list(frames))
        if token:
            found.append((frame, frame + length))
        frame += length
    return found


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_best_of_all_paths(seed):
    rng = np.random.default_rng(seed)
    log_probs = np.log(rng.dirichlet(np.ones(3), rng.integers(1, 6))).astype(np.float32)
    tokens = rng.integers(1, 3, rng.integers(1, 4)).tolist()
    path = best_of_all(log_probs, tokens)
    if path is None:
        with pytest.raises(DataError, match="no path through"):
            align(log_probs, tokens)
    else:
        assert align(log_probs, tokens) == spans(path)


def test_nothing_that_is_said_is_nowhere():
    assert align(np.zeros((3, 2), np.float32), []) == []
    assert align(np.zeros((0, 2), np.float32), []) == []


def test_what_is_impossible_has_no_path():
    log_probs = np.log(np.array([[0.1, 0.9, 1.0], [0.1, 0.9, 1.0]], np.float32))
    log_probs[:, 2] = -np.inf
    assert align(log_probs, [1]) == [(0, 2)]
    with pytest.raises(DataError, match="a text of 1 tokens has no path through 2 frames"):
        align(log_probs, [2])


@pytest.mark.parametrize("tokens", [[0], [3], [-1]])
def test_a_token_that_there_is_not(tokens):
    with pytest.raises(DataError, match="but the lattice has the tokens 1 to 2"):
        align(np.zeros((3, 3), np.float32), tokens)
