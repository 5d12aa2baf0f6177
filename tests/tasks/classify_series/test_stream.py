"""A stream of recordings says, step by step, what `predict` says of what was read so far, to the bit."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sluicegate
from sluicegate.data import Recordings
from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError
from sluicegate.streaming import snapshots
from sluicegate.tasks.classify_series import baselines
from sluicegate.tasks.classify_series import trained as trained_module


@pytest.fixture(scope="module", params=["gru", "lstm"])
def causal(request, recordings, quick):
    """Trained on arrays; a window of 12 steps, so that most recordings are long enough to forget."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (baselines, trained_module):
            patch.setattr(module, "has_minirocket", lambda: False)
        knobs = {**quick, "steps": 40, "stride": 1 + (request.param == "gru"), "window": 12, "cell": request.param}
        return sluicegate.SeriesClassifier(**knobs, causal=True).fit(*recordings, progress=False)


@pytest.fixture(scope="module")
def named(recordings, quick):
    """Trained on a table of recordings with names and times."""
    parts = [
        pl.DataFrame({"id": f"r{n}", "t": range(len(part)), "a": part[:, 0], "b": part[:, 1], "kind": label})
        for n, (part, label) in enumerate(zip(*recordings, strict=True))
    ]
    with pytest.MonkeyPatch.context() as patch:
        for module in (baselines, trained_module):
            patch.setattr(module, "has_minirocket", lambda: False)
        task = sluicegate.SeriesClassifier(**{**quick, "steps": 10}, causal=True)
        return task.fit(pl.concat(parts), "kind", series="id", time="t", progress=False)


def bits(frame):
    """The rows with all their bits."""
    columns = [name for name in frame.columns if name != "recording"]
    return [tuple(v if isinstance(v, str) else float(v).hex() for v in row) for row in frame.select(columns).rows()]


def prefixes(task, recording):
    """What `predict` says after each step, all at once."""
    return bits(task.predict([recording[: n + 1] for n in range(len(recording))]))


@settings(max_examples=12)
@given(st.integers(0, 39), st.lists(st.integers(1, 9), max_size=20), st.integers(0, 30))
def test_no_bit_hangs_on_how_a_recording_is_cut(causal, recordings, number, sizes, restored_at):
    recording, stream, said = recordings[0][number], causal.open_stream(), []
    steps = iter([*sizes, len(recording)])
    at = 0
    while at < len(recording):
        if at >= restored_at:
            snapshot, stream = stream.snapshot(), causal.open_stream()
            stream.restore(snapshot)
        size = next(steps)
        said += bits(stream.push(recording[at : at + size]))
        at += size
    assert said == prefixes(causal, recording)


def test_the_running_window_of_a_model_that_reads_both_ways(recordings, quick, trained, monkeypatch):
    short = trained.config.model_copy(update={"window": 8})
    monkeypatch.setattr(trained, "_trained", replace(trained.trained, window=8))
    monkeypatch.setattr(trained, "config", short)
    stream, recording = trained.open_stream(), recordings[0][0][:20]
    for step in range(20):
        said = stream.push(recording[step])
        assert bits(pl.DataFrame([said])) == bits(trained.predict([recording[max(0, step - 7) : step + 1]]))
    assert stream.nbytes == 8 * 2 * 8
    chunk = trained.open_stream()
    assert bits(chunk.push(recording))[-1] == bits(pl.DataFrame([said]))[0]
    again = trained.open_stream()
    again.restore(stream.snapshot())
    assert again.push(recording[0]) == stream.push(recording[0])


def test_the_kernels_and_the_equations_agree(causal, recordings):
    task = causal.trained
    windowed = task.windowed(Recordings.of_arrays(recordings[0]))
    found = trained_module.logits_of(task.model, windowed, np.arange(40))
    with torch.no_grad():
        expected = torch.cat([task.model(windowed.batch(np.array([row]))) for row in range(40)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_causal_networks_know_nothing_of_what_comes(causal, recordings):
    one, other = recordings[0][0], recordings[0][1]
    both = causal.open_stream().push(np.concatenate([one, other]))
    assert bits(both)[: len(one)] == bits(causal.open_stream().push(one))


def test_it_is_honest_about_early_answers(causal, record):
    report = causal.evaluate(*record(count=20, seed=3))
    assert {"after 25% of each recording", "after 50% of each recording"} <= set(report.facts)
    assert causal.explain(record(count=2)[0][0])["share"].abs().sum() == pytest.approx(1)


def test_rows_of_several_recordings_each_go_on_for_themselves(named, recordings):
    rows = {n: [{"id": f"x{n}", "t": t, "a": a, "b": b} for t, (a, b) in enumerate(recordings[0][n])] for n in (0, 1)}
    stream, said = named.open_stream(), {0: [], 1: []}
    for step in range(20):
        for number in (1, 0):
            said[number].append(stream.push(rows[number][step]))
    for number in (0, 1):
        assert bits(pl.DataFrame(said[number])) == prefixes(named, recordings[0][number][:20])
    mixed = named.open_stream().push(pl.DataFrame([rows[n][step] for step in range(20) for n in (0, 1)]))
    assert bits(mixed)[::2] == bits(pl.DataFrame(said[0]))
    again = named.open_stream()
    again.restore(stream.snapshot())
    assert again.push(rows[0][20:22]).equals(stream.push(rows[0][20:22]))
    stream.reset("x1")
    assert stream.push(rows[1][0]) == said[1][0]


REFUSED = [
    (np.zeros(3), "channels a, b"),
    ({"a": 1.0}, "no column 'b'"),
    ({"a": 1.0, "b": None}, "channel 'b' has no finite number"),
    ({"a": float("nan"), "b": 1.0}, "channel 'a' has no finite number"),
    ({"a": float("inf"), "b": 1.0}, "channel 'a' has no finite number"),
    ({"a": 1e31, "b": 1.0}, "at most 1e\\+30"),
    ({"a": "much", "b": 1.0}, "'a'"),
    ({"a": 1.0, "b": 2.0, "t": 5}, "does not ascend"),
    ({"a": 1.0, "b": 2.0, "t": 4}, "does not ascend"),
    ({"a": 1.0, "b": 2.0, "t": "late"}, "several types|ascend"),
    ({"a": 1.0, "b": 2.0, "id": 1.5}, "texts or whole numbers"),
    ([{"a": 1.0, "b": 2.0, "t": 6}, {"a": 1.0, "b": 2.0, "t": 6}], "does not ascend in row 1"),
    ("text", "expected a step"),
]


@pytest.mark.parametrize(("row", "message"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_refused_leaves_the_state(named, row, message):
    stream = named.open_stream()
    stream.push({"a": 0.5, "b": 0.1, "t": 5})
    before = stream.snapshot()
    with pytest.raises(DataError, match=message):
        stream.push(row)
    assert stream.snapshot() == before


def test_finished_reset_and_another_models(named, causal):
    stream = named.open_stream()
    first = stream.push({"a": 0.5, "b": 0.1})
    stream.finish()
    ended = stream.snapshot()
    with pytest.raises(StreamError):
        stream.push({"a": 0.5, "b": 0.1})
    stream.reset()
    assert stream.push({"a": 0.5, "b": 0.1}) == first
    before = stream.snapshot()
    with pytest.raises(SnapshotError, match="another model"):
        causal.open_stream().restore(ended)
    settings, arrays = snapshots.read(before, "classify-series", stream.fingerprint)
    for name in arrays:
        for broken in ({**arrays, name: arrays[name][..., :0]}, {**arrays, name: arrays[name] * np.nan}):
            altered = snapshots.write("classify-series", stream.fingerprint, settings, broken)
            with pytest.raises(SnapshotError):
                stream.restore(altered)
    for about in (
        {},
        {**settings, "recordings": [1]},
        json.loads(json.dumps(settings).replace('"steps": 1', '"steps": 0')),
    ):
        with pytest.raises(SnapshotError):
            stream.restore(snapshots.write("classify-series", stream.fingerprint, about, arrays))
    assert stream.snapshot() == before


def test_blending_needs_the_whole_recording():
    with pytest.raises(ConfigError, match=r"`blend` \(=True\).*causal"):
        sluicegate.SeriesClassifier(causal=True, blend=True)
