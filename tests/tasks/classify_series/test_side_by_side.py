"""Recordings side by side answer, to the bit, what a stream of each alone does."""

import numpy as np
import pytest

import sluicegate
from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError


@pytest.fixture(scope="module", params=["gru", "lstm"])
def causal(request, recordings, quick):
    """A window of 12 steps, so that most recordings are long enough to forget."""
    knobs = {**quick, "steps": 20, "stride": 1 + (request.param == "gru"), "window": 12, "cell": request.param}
    return sluicegate.SeriesClassifier(**knobs, causal=True).fit(*recordings, progress=False)


def test_a_slot_has_the_bits_of_a_stream(causal, recordings):
    rng, some = np.random.default_rng(0), recordings[0][:7]
    batch, streams, at = causal.open_batch(20), [causal.open_stream() for _ in some], [0] * len(some)
    slots = rng.permutation(20)[: len(some)]
    while any(place < len(part) for place, part in zip(at, some, strict=True)):
        who = [n for n in range(len(some)) if at[n] < len(some[n]) and rng.random() < 0.7]
        if not who:
            continue
        found = batch.push(slots[who], np.stack([some[n][at[n]] for n in who]))
        shown = batch.shown(found)
        for n, said in zip(who, shown, strict=True):
            assert said == streams[n].push(some[n][at[n]])
            at[n] += 1
    assert batch.snapshot(int(slots[0])) == streams[0].snapshot()
    batch.restore(19 if 19 not in slots else int(slots[1]), streams[0].snapshot())


def test_a_snapshot_goes_on_elsewhere(causal, recordings):
    one, other, (part, *_) = causal.open_batch(2), causal.open_batch(3), recordings[0]
    for step in part[:9]:
        one.push(np.array([1]), step[None])
    other.restore(2, one.snapshot(1))
    assert other.snapshot(2) == one.snapshot(1)
    for step in part[9:]:
        assert (one.push(np.array([1]), step[None]) == other.push(np.array([2]), step[None])).all()
    one.reset(1)
    assert one.snapshot(1) == one.snapshot(0) == causal.open_stream().snapshot()


def test_what_is_refused_leaves_the_states_as_they_were(causal, recordings):
    batch, part = causal.open_batch(2), recordings[0][0]
    batch.push(np.array([0, 1]), part[:2])
    before = batch.snapshot(0), batch.snapshot(1)
    for slots, x, error in (
        ([0, 2], part[:2], ConfigError),
        ([0, 0], part[:2], ConfigError),
        ([0, 1], np.array([[0.0, 1.0], [np.inf, 0.0]]), DataError),
    ):
        with pytest.raises(error):
            batch.push(np.array(slots), x)
    for damaged in (before[0][:-1], before[0][:-1] + b"?", b""):
        with pytest.raises(SnapshotError):
            batch.restore(0, damaged)
    assert (batch.snapshot(0), batch.snapshot(1)) == before
    batch.finish(1)
    with pytest.raises(StreamError):
        batch.push(np.array([0, 1]), part[:2])
    assert batch.snapshot(0) == before[0]


def test_a_model_that_reads_both_ways_has_none(trained):
    with pytest.raises(ConfigError, match="causal=True"):
        trained.open_batch(3)
