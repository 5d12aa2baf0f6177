"""Streams by keys, whose states are kept elsewhere: the bits of one stream each, however their rows come."""

import pytest
import torch

from sluicegate import nn
from sluicegate.errors import DataError, SnapshotError, StreamError
from sluicegate.streaming import KeyedStream, LayerStream, Stream


def test_the_bits_of_one_stream_each_in_whatever_process():
    torch.manual_seed(0)
    layer, rows = nn.GRU(3, 7, 2), torch.randn(4, 30, 3)
    states, said = dict.fromkeys(range(4)), {key: [] for key in range(4)}
    workers = [KeyedStream(LayerStream(layer)) for _ in range(2)]
    for step in range(0, 30, 5):
        for key in range(4):
            answers, states[key] = workers[(key + step) % 2].answer(rows[key, step : step + 5], states[key])
            said[key] += answers
    for key in range(4):
        stream = LayerStream(layer)
        assert torch.equal(torch.stack(said[key]), stream.push(rows[key]))
        assert stream.snapshot() == states[key]


def test_a_row_that_is_refused_leaves_no_trace():
    layer, rows = nn.GRU(3, 7), torch.randn(2, 3)
    keyed = KeyedStream(LayerStream(layer))
    answers, state = keyed.answer([rows[0], torch.ones(4), rows[1]], None)
    assert answers[1]["error"].startswith("`x` has the shape (4,)")
    whole, expected = keyed.answer(rows, None)
    assert state == expected
    assert torch.equal(answers[2], whole[1])


def test_a_state_that_cannot_be_gone_on_from():
    keyed, stream = KeyedStream(LayerStream(nn.GRU(3, 7))), LayerStream(nn.GRU(3, 7))
    with pytest.raises(SnapshotError, match="another model"):
        keyed.answer([], stream.snapshot())
    keyed = KeyedStream(LayerStream(layer := nn.GRU(3, 7)))
    ended = LayerStream(layer)
    ended.finish()
    with pytest.raises(StreamError, match="was finished"):
        keyed.answer([], ended.snapshot())


class Known(Stream):
    """Says what it was told of the future."""

    def push(self, x, *, future=None):
        if "bad" in x:
            raise DataError("it\nis bad")
        return x, future

    def finish(self): ...
    def reset(self): ...
    def restore(self, snapshot): ...
    def snapshot(self):
        return b""


def test_what_is_known_in_advance_stands_in_the_row():
    rows = [{"a": 1, "future": [{"b": 2}]}, {"a": 1}, {"future": "a column"}, {"bad": 1}]
    answers, _ = KeyedStream(Known()).answer(rows, None)
    assert answers == [({"a": 1}, [{"b": 2}]), ({"a": 1}, None), ({"future": "a column"}, None), {"error": "it is bad"}]
