"""A stream says, step by step, what `predict` says of what was read so far, to the bit."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sluicegate
from sluicegate.data.skeletons import Clip
from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError


def bits(rows):
    return [tuple(v if isinstance(v, str | None) else float(v).hex() for v in row.values()) for row in rows]


def test_a_step_is_what_predict_says_of_all_so_far(causal, make):
    clip, stream = make(count=1, seed=9)[0][0], causal.open_stream()
    said = [stream.push(step) for step in clip]
    told = causal.predict([clip[: n + 1] for n in range(len(clip))]).drop("clip").rows(named=True)
    assert bits(told) == bits([{k: v for k, v in row.items() if k != "since"} for row in said])


def test_where_both_ways_are_read_the_last_window_counts(trained, make):
    clip, stream = np.concatenate(make(count=4, seed=9)[0]), trained.open_stream()
    said, window = stream.push(clip).rows(named=True), trained.trained.window
    for step in (3, window - 1, window + 5, len(clip) - 1):
        told = trained.predict([clip[max(0, step + 1 - window) : step + 1]]).drop("clip").row(0, named=True)
        assert bits([told]) == bits([{k: v for k, v in said[step].items() if k != "since"}])


@settings(max_examples=10)
@given(st.lists(st.integers(1, 9), max_size=8), st.integers(0, 25))
def test_no_bit_hangs_on_how_a_clip_is_cut(causal, make, sizes, restored_at):
    clip, stream, rows, begin = make(count=1, seed=7)[0][0], causal.open_stream(), [], 0
    for size in [*sizes, len(clip)]:
        if size and begin < len(clip):
            rows += stream.push(clip[begin : begin + size]).rows(named=True)
            begin += size
        if begin >= restored_at:
            other = causal.open_stream()
            other.restore(stream.snapshot())
            stream = other
    whole = causal.open_stream()
    assert bits(rows) == bits([whole.push(step) for step in clip])


def test_since_when(causal, make):
    clips, labels = make(count=2, seed=3)
    stream = causal.open_stream()
    rows = [stream.push(step) for step in clips[0]]
    changes = [n for n, row in enumerate(rows) if n == 0 or row["label"] != rows[n - 1]["label"]]
    assert [row["since"] for row in rows] == [max(c for c in changes if c <= n) for n in range(len(rows))]
    assert rows[-1]["label"] == labels[0]


def timed(clips, rate):
    return [Clip(clip, np.arange(len(clip)) / rate) for clip in clips]


@pytest.fixture(scope="module")
def timely(make, quick):
    clips, labels = make()
    kept = [clip[~np.isnan(clip).all((1, 2))] for clip in clips]
    return sluicegate.ActionRecognizer(**quick, causal=True).fit(timed(kept, 10), labels, progress=False)


def test_times_bring_frames_to_the_rate_of_training(timely, make):
    assert timely.trained.reader.rate == pytest.approx(10.0)
    clip = make(count=1, seed=5)[0][0]
    times = 5.0 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.3, len(clip)))
    stream = timely.open_stream()
    rows = [stream.push(step, time=at) for step, at in zip(clip, times, strict=True)]
    told = timely.predict([Clip(clip, times)]).drop("clip").row(0, named=True)
    assert bits([told]) == bits([{k: v for k, v in rows[-1].items() if k != "since"}])
    assert rows[0]["since"] == times[0]
    chunk = timely.open_stream()
    assert chunk.push(clip, time=times).rows(named=True) == rows


def test_until_somebody_is_seen(causal, make):
    clip, stream = make(count=1)[0][0], causal.open_stream()
    nobody = np.full((6, 2), np.nan)
    assert set(stream.push(nobody).values()) == {None}
    other = causal.open_stream()
    other.restore(stream.snapshot())
    first = other.push(clip[0])
    assert first["since"] == 1.0
    assert other.push(nobody)["label"] is not None, "the last answer stands while nobody is seen"


def test_rows_of_json(causal, make):
    clip = make(count=1)[0][0]
    rows = [
        {"joints": [None if np.isnan(j).any() else j.tolist() for j in step], "time": n / 10}
        for n, step in enumerate(clip)
    ]
    stream, plain = causal.open_stream(), causal.open_stream()
    said = [stream.push(json.loads(json.dumps(row))) for row in rows]
    assert [row["label"] for row in said] == [plain.push(step)["label"] for step in clip]
    assert isinstance(causal.open_stream().push(rows), pl.DataFrame)


def test_frames_of_video(causal, make):
    clip = make(count=1)[0][0]

    class Known:
        def reset(self):
            self.number = -1

        def __call__(self, picture, time):
            assert time == (self.number + 1) / 25
            self.number += 1
            return clip[self.number]

    stream, plain = causal.open_stream(pose_model=Known()), causal.open_stream()
    picture = np.zeros((4, 4, 3), np.uint8)
    assert [stream.push(picture) for _ in clip] == [plain.push(step) for step in clip]
    with pytest.raises(ConfigError, match="open the stream with `pose_model`"):
        plain.push(picture)


def test_what_cannot_be_pushed(causal):
    stream, skeleton = causal.open_stream(), np.zeros((6, 2))
    for wrong, words in (
        (np.zeros((5, 2)), "expected a skeleton, \\[6, 2\\], or a chunk of them, in the joint layout of training"),
        (np.where(np.arange(12).reshape(6, 2) == 3, np.inf, 0.0), "joint 1 of step 0 is at inf"),
        ("text", "no array of numbers"),
        ({"joint": 1}, "row 0 has no `joints`"),
        ({"joints": [[1, 2], [1]]}, "joints of \\[1, 2\\] numbers"),
        ({"joints": [[1, "x"]] * 6}, "a joint that is no list of numbers"),
    ):
        with pytest.raises(DataError, match=words):
            stream.push(wrong)
    stream.push(skeleton, time=2.0)
    with pytest.raises(DataError, match="a step came at 1 s after one at 2 s"):
        stream.push(skeleton, time=1.0)
    with pytest.raises(DataError, match="this one has no time"):
        stream.push(skeleton)
    with pytest.raises(DataError, match="`time` is of shape"):
        stream.push(np.zeros((3, 6, 2)), time=[3.0, 4.0])
    stream.finish()
    with pytest.raises(StreamError):
        stream.push(skeleton, time=3.0)


def test_snapshots_of_others_are_refused(causal, trained):
    stream = trained.open_stream()
    stream.push(np.zeros((3, 6, 2)))
    with pytest.raises(SnapshotError):
        causal.open_stream().restore(stream.snapshot())
    again = trained.open_stream()
    again.restore(stream.snapshot())
    assert again.nbytes == stream.nbytes > 0
