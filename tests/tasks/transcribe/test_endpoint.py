"""Where utterances end: after a silence, twice as late in noise, never without speech; and where recordings are cut."""

import itertools
import json

import numpy as np
import pytest

from sluicegate.errors import ConfigError, DataError, SnapshotError
from sluicegate.tasks.transcribe.endpoint import Endpoint, cut_at_silences

QUIET, LOUD = -60.0, -20.0


def lattice(pattern):
    """Of "s" for speech, "." for silence, "n" for noise; and how loud each is."""
    blank = np.array([0.1 if frame == "s" else 0.99 for frame in pattern])
    levels = np.array([QUIET if frame == "." else LOUD for frame in pattern])
    return np.log(np.stack([blank, 1 - blank], 1)).astype(np.float32), levels


@pytest.mark.parametrize(
    ("pattern", "ends"),
    [
        ("...sss......", [10]),
        ("...sss...", []),
        ("............", []),
        ("...sss...s....ss.......", [14, 20]),
        ("...sssnnnnnnnnnn", [14]),  # 4 frames were enough in silence
        ("...sss..n..nnnnn", [14]),
        ("ssss........", [8]),
        ("nnnnnnnnnnnnnnn", []),
    ],
)
def test_when_an_utterance_is_over(pattern, ends):
    assert Endpoint(silence=0.12).push(*lattice(pattern)) == ends


def test_half_a_second_is_17_frames():
    assert Endpoint().push(*lattice("." + "s" * 5 + "." * 16)) == []
    assert Endpoint().push(*lattice("." + "s" * 5 + "." * 17)) == [23]


def test_any_chunks_and_states_give_the_same():
    rng = np.random.default_rng(0)
    pattern = "".join(letter * int(rng.integers(1, 9)) for letter in rng.choice(list("s.n"), 60))
    log_probs, levels = lattice(pattern)
    whole = Endpoint(silence=0.12).push(log_probs, levels)
    assert whole
    endpoint, found = Endpoint(silence=0.12), []
    for frame in range(len(levels)):
        state = json.loads(json.dumps(endpoint.state()))
        endpoint = Endpoint(silence=0.12)
        endpoint.restore(state)
        found += endpoint.push(log_probs[frame : frame + 1], levels[frame : frame + 1])
    assert found == whole


def test_noise_that_grows_becomes_the_noise():
    levels = np.concatenate([np.full(10, QUIET), np.linspace(QUIET, LOUD, 600), np.full(100, LOUD)])
    log_probs = np.log(np.tile(np.array([[0.99, 0.01]], np.float32), (len(levels), 1)))
    log_probs[650] = np.log([0.1, 0.9])
    assert Endpoint(silence=0.12).push(log_probs, levels) == [655]


def test_bad_input():
    with pytest.raises(ConfigError, match=r"`silence` \(=0.0\) must be"):
        Endpoint(silence=0.0)
    with pytest.raises(DataError, match="there are 1 levels of 2 frames"):
        Endpoint().push(np.zeros((2, 2), np.float32), np.zeros(1))
    with pytest.raises(DataError, match="NaN"):
        Endpoint().push(np.zeros((1, 2), np.float32), np.array([np.nan]))
    with pytest.raises(SnapshotError, match="how long there was silence"):
        Endpoint().restore({"frames": -1, "silent": 0, "blank": 0, "heard": False, "noise": None})
    with pytest.raises(ConfigError, match="`longest`"):
        cut_at_silences(np.zeros(9), frame=0.03, longest=0.05)


def test_pieces_end_in_pauses_and_nothing_is_lost():
    rng = np.random.default_rng(1)
    pauses = np.cumsum(rng.integers(60, 200, 40))
    levels = rng.normal(LOUD, 5, pauses[-1] + 100)
    for pause in pauses:
        levels[pause : pause + 17] = QUIET
    pieces = cut_at_silences(levels, frame=0.03, longest=10.0)
    assert pieces[0][0] == 0
    assert pieces[-1][1] == len(levels)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(pieces))
    assert all(0 < end - begin <= 333 for begin, end in pieces)
    assert all(levels[end] == QUIET for _, end in pieces[:-1])


def test_what_is_short_silent_or_empty_is_whole():
    assert cut_at_silences(np.zeros(0), 0.03) == []
    assert cut_at_silences(np.zeros(5), 0.03) == [(0, 5)]
    pieces = cut_at_silences(np.full(5000, -np.inf), 0.03)
    assert sum(end - begin for begin, end in pieces) == 5000
