"""Every bit of the runtime's forecasts is that of the whole library, and its snapshots go there and back."""

import threading

import numpy as np
import pytest

from sluicegate import runtime
from sluicegate.errors import DataError, SnapshotError, StreamError
from tests.runtime.conftest import rows_for


def same(frame, found):
    assert list(found) == frame.columns
    for name in frame.columns:
        assert list(found[name]) == frame[name].to_list()


def test_every_push_is_answered_as_the_library_does(forecasters):
    full, light = forecasters
    rows, future = rows_for(full, 12)
    known = {"future": future} if full.trained.columns.known else {}
    one, other = full.open_stream(warm=False), light.open_stream()
    expected, found = one.push(rows, **known), other.push(rows, **known)
    for frame, columns in zip(expected, found, strict=True):
        same(frame, columns)
    assert light.fingerprint == full.fingerprint


def test_rows_one_by_one_in_chunks_and_after_a_snapshot_have_the_same_bits(forecasters):
    full, light = forecasters
    rows, future = rows_for(full, 10)
    known = {"future": future} if full.trained.columns.known else {}
    whole, cut = light.open_stream(), light.open_stream()
    expected = whole.push(rows, **known)
    first = cut.push(rows[:7], future=rows[7:] + future) if known else cut.push(rows[:7])
    moved = runtime.load(light.folder, threads=2).open_stream()
    moved.restore(cut.snapshot())
    found = first + moved.push(rows[7:], **known)
    for one, other in zip(expected, found, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert moved.snapshot() == whole.snapshot()


def test_snapshots_go_from_the_library_to_the_runtime_and_back(forecasters):
    full, light = forecasters
    if full.config.fill == "linear":
        pytest.skip("what is filled in stays a guess")
    rows, future = rows_for(full, 10)
    known = {"future": future} if full.trained.columns.known else {}
    one, other = full.open_stream(), light.open_stream()
    one.push(rows[:8], **({"future": rows[8:] + future} if known else {}))
    other.restore(one.snapshot())
    assert other.snapshot() == one.snapshot()
    same(
        one.push(rows[8], **({"future": rows[9:] + future} if known else {})),
        other.push(rows[8], **({"future": rows[9:] + future} if known else {})),
    )
    one.restore(other.snapshot())
    assert one.snapshot() == other.snapshot()


def test_what_follows_training_is_forecast_likewise(forecasters):
    full, light = forecasters
    if full.trained.columns.known:
        pytest.skip("what is known in advance has to be given")
    same(full.predict(), light.predict())


@pytest.fixture
def stream(folders):
    return runtime.load(folders / "forecast-mingru").open_stream()


@pytest.fixture
def rows(folders):
    import sluicegate

    return rows_for(sluicegate.load(folders / "forecast-mingru"), 6)[0]


def test_bad_rows_are_refused_and_the_state_is_as_it_was(stream, rows):
    stream.push(rows[:4])
    before, row = stream.snapshot(), dict(rows[4])
    column = stream._model.targets[0]
    late = {**row, stream._model.time: rows[-1][stream._model.time]}
    for wrong, why in (
        ({**row, column: "many"}, "holds 'many' .*expected a number"),
        ({**row, column: float("inf")}, "finite number"),
        ({**row, column: None}, "expected a number"),
        ({name: value for name, value in row.items() if name != column}, "there is no column"),
        ({**row, stream._model.time: "yesterday"}, "time"),
        (late, "the next row of its series is due at"),
        ([row, late], "the next row of its series is due at"),
        (7, "expected a row"),
    ):
        with pytest.raises(DataError, match=why):
            stream.push(wrong)
        assert stream.snapshot() == before


def test_snapshots_that_are_not_its_own_are_refused(stream, rows, folders):
    stream.push(rows[:4])
    before = stream.snapshot()
    other = runtime.load(folders / "forecast-combined").open_stream(warm=True).snapshot()
    newer = before[:8] + (9).to_bytes(4, "little") + before[12:]
    for wrong, why in (
        (before[:-5], "was cut short"),
        (before[:-5] + b"12345", "was altered"),
        (newer, "altered"),
        (other, "another model"),
        (b"", "no bytes"),
    ):
        with pytest.raises(SnapshotError, match=why):
            stream.restore(wrong)
        assert stream.snapshot() == before


def test_a_snapshot_of_a_newer_release_says_so(stream, monkeypatch):
    from sluicegate.streaming import snapshots

    monkeypatch.setattr(snapshots, "VERSION", 2)
    newer = stream.snapshot()
    monkeypatch.undo()
    with pytest.raises(SnapshotError, match="written by a newer release"):
        stream.restore(newer)


def test_a_finished_stream_takes_nothing_more(stream, rows):
    stream.push(rows[0])
    stream.finish()
    with pytest.raises(StreamError, match="was finished"):
        stream.push(rows[1])
    stream.reset()
    stream.push(rows[0])


def test_two_pushes_at_once_are_one_and_a_refusal(stream, rows, monkeypatch):
    begun, go_on, refused = threading.Event(), threading.Event(), []
    forecast = type(stream._model).forecast

    def slow(self, *given):
        begun.set()
        go_on.wait(10)
        return forecast(self, *given)

    monkeypatch.setattr(type(stream._model), "forecast", slow)
    thread = threading.Thread(target=stream.push, args=(rows[0],))
    thread.start()
    begun.wait(10)
    try:
        stream.push(rows[1])
    except StreamError as error:
        refused.append(str(error))
    go_on.set()
    thread.join()
    assert "another thread" in refused[0]
    assert len(stream._pasts) == 1
