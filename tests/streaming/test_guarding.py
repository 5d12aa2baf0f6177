"""A stream that is pushed by two threads at once refuses the second in a sentence, and its state is whole."""

import inspect
import threading

import pytest

from sluicegate.errors import StreamError
from sluicegate.streaming.guarding import GuardedStream, alone


class Sum(GuardedStream):
    """Adds what it is pushed, when it is let go on."""

    def __init__(self):
        self.total, self.begun, self.go_on = 0, threading.Event(), threading.Event()
        self.reset()

    @alone
    def push(self, x, *, future=None):
        if isinstance(x, list):  # which holds the stream twice
            return [self.push(one) for one in x]
        self.begun.set()
        assert self.go_on.wait(10)
        self.total += x
        return self.total

    @alone
    def finish(self):
        self.finished = True

    @alone
    def reset(self):
        self.total = 0

    def snapshot(self):
        return b"%d" % self.total

    @alone
    def restore(self, snapshot):
        self.total = int(snapshot)


def test_the_second_thread_is_refused_and_the_first_goes_on():
    stream = Sum()
    thread = threading.Thread(target=stream.push, args=([1, 2],))
    thread.start()
    assert stream.begun.wait(10)
    for call in (lambda: stream.push(10), stream.finish, stream.reset, lambda: stream.restore(b"7")):
        with pytest.raises(StreamError, match="pushed from another thread: push it from one at a time"):
            call()
    stream.go_on.set()
    thread.join()
    assert (stream.total, stream.finished) == (3, False)
    assert stream.push(4) == 7


def test_what_fails_lets_go():
    stream = Sum()
    with pytest.raises(ValueError, match="invalid literal"):
        stream.restore(b"x")
    stream.go_on.set()
    assert stream.push(1) == 1


def test_the_signature_stays():
    assert [*inspect.signature(Sum().push).parameters] == ["x", "future"]
