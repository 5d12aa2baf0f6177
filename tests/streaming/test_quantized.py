"""Streams in int8: the same bits step by step, in chunks, in a batch, restored and offline, wherever they run."""

import numpy as np
import pytest
import torch

from sluicegate import _core, nn
from sluicegate.errors import ConfigError, DataError, SnapshotError
from sluicegate.streaming import LayerStream, StreamBatch

KINDS = ["GRU", "LSTM", "RNN", "MinGRU", "LiGRU"]


@pytest.fixture(params=KINDS)
def layer(request):
    torch.manual_seed(0)
    layer = getattr(nn, request.param)(16, 33, 2)
    return nn.quantize(layer, [torch.randn(50, 16)])


@pytest.fixture
def isa():
    before = _core.isa()
    yield
    _core.use_isa(before)


def test_has_the_bits_of_the_layer_however_it_is_pushed(layer):
    x = torch.randn(40, 16)
    whole, last = layer(x)
    stream = LayerStream(layer)
    assert torch.equal(torch.stack([stream.push(step) for step in x]), whole)
    ends = [state if isinstance(state, tuple) else (state,) for state in (stream.finish(), last)]
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
    stream.reset()
    assert torch.equal(torch.cat([stream.push(x[:7]), stream.push(x[7:8]), stream.push(x[8:])]), whole)
    arrays = LayerStream(layer)
    assert np.array_equal(np.stack([arrays.push(step) for step in x.numpy()]), whole.numpy())


def test_is_restored_to_the_bit(layer):
    x = torch.randn(40, 16)
    stream, other = LayerStream(layer), LayerStream(layer)
    stream.push(x[:13])
    other.restore(stream.snapshot())
    assert torch.equal(other.push(x[13:]), layer(x)[0][13:])


def test_slots_have_the_bits_of_streams_alone(layer):
    x = torch.randn(20, 70, 16)
    batch, alone = StreamBatch(layer, 80), [LayerStream(layer) for _ in range(70)]
    slots = np.random.default_rng(0).permutation(80)[:70]
    for step in x:
        found = batch.push(slots, step)
        assert torch.equal(found, torch.stack([s.push(row) for s, row in zip(alone, step, strict=True)]))


def test_every_instruction_set_gives_the_same_bits(layer, isa):
    x, found, marks = torch.randn(30, 16), [], set()
    for name in ("avx512_bf16", "avx512", "avx2", "neon", "scalar"):
        try:
            _core.use_isa(name)
        except ValueError:  # not of this processor
            continue
        stream = LayerStream(layer)
        marks.add(stream.fingerprint)
        found += [torch.stack([stream.push(step) for step in x]), layer(x)[0]]
    assert all(torch.equal(one, found[0]) for one in found)
    assert len(marks) == 1


def test_a_step_is_computed_where_it_was_opened(isa):
    layer = nn.quantize(nn.GRU(16, 5))
    stream = LayerStream(layer)
    _core.use_isa("scalar")
    if _core.isa() != stream._model._isa:
        with pytest.raises(ConfigError, match="open it anew"):
            stream.push(torch.randn(2, 16))


def test_snapshots_of_the_floats_are_of_another_model():
    floats = nn.GRU(16, 5)
    stream = LayerStream(nn.quantize(floats))
    before = stream.state
    with pytest.raises(SnapshotError, match="of another model"):
        stream.restore(LayerStream(floats).snapshot())
    assert torch.equal(stream.state, before)


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_read_leaves_the_state(layer):
    stream = LayerStream(layer)
    stream.push(torch.randn(3, 16))
    before = stream.snapshot()
    for wrong in (torch.randn(15), torch.randn(16).double(), ["text"]):
        with pytest.raises(DataError):
            stream.push(wrong)
    assert stream.snapshot() == before


def test_a_layer_that_reads_both_ways_has_no_stream():
    with pytest.raises(ConfigError, match="bidirectional"):
        LayerStream(nn.quantize(nn.GRU(16, 5, bidirectional=True)))
