"""What a stream of any task does not take is refused in one sentence, and its state is as it was."""

import threading
from functools import cache

import pytest

import sluicegate
from sluicegate.errors import ConfigError, SnapshotError, StreamError
from sluicegate.streaming import snapshots
from tests.tasks.saved_models import FOLDER

STREAMED = ["forecast-gru", "series-causal", "language-gru", "transcribe-gru"]
NOT_STREAMED = ["text-gru", "translate-gru", "summarize-mingru"]


@cache
def task(name):
    return sluicegate.load(FOLDER / name)


@pytest.fixture(params=STREAMED)
def stream(request):
    return task(request.param).open_stream()


def refused(kind, call, *words):
    """The call is refused by such an error, in one sentence with these words."""
    with pytest.raises(kind) as error:
        call()
    said = str(error.value)
    assert "\n" not in said
    assert not said.endswith(".")
    for word in words:
        assert word in said


def test_snapshots_that_are_not_its_own(stream, monkeypatch):
    before = stream.snapshot()
    kind = next(
        name for name in ("forecast", "classify-series", "language-model", "transcriber") if name in str(before)
    )
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "VERSION", 2)
        newer = stream.snapshot()
    about, arrays = snapshots.read(before, kind, stream.fingerprint)
    wrong = {
        "cut short": before[:-7],
        "was altered": before[:-1] + bytes([before[-1] ^ 1]),
        "written by a newer release": newer,
        "of another model": snapshots.write(kind, "0" * 64, about, arrays),
        "of the kind": snapshots.write("another", stream.fingerprint, about, arrays),
    }
    for words, snapshot in wrong.items():
        refused(SnapshotError, lambda snapshot=snapshot: stream.restore(snapshot), words)
        assert stream.snapshot() == before


def test_a_push_after_the_end(stream):
    stream.finish()
    before = stream.snapshot()
    refused(StreamError, lambda: stream.push({}), "was finished", "`reset()`")
    refused(StreamError, stream.finish, "was finished")
    assert stream.snapshot() == before


def test_two_pushes_at_once(stream):
    before, begun, go_on = stream.snapshot(), threading.Event(), threading.Event()

    def hold():
        with stream._one.held():
            begun.set()
            go_on.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(10)
    for call in (lambda: stream.push({}), stream.finish, stream.reset, lambda: stream.restore(before)):
        refused(StreamError, call, "from another thread", "open a stream for each")
    assert stream.snapshot() == before
    go_on.set()
    thread.join()


@pytest.mark.parametrize("name", NOT_STREAMED)
def test_a_task_that_has_none_says_which_have(name):
    refused(ConfigError, task(name).open_stream, "has no stream", "forecast", "classify-series", "language-model")
