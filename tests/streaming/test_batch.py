"""Streams in slots: each has the bits of a stream of its own, whatever is stepped beside it."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate import nn
from sluicegate.errors import ConfigError, DataError, SnapshotError, StreamError
from sluicegate.streaming import LayerStream, StreamBatch

SLOTS = 9


@pytest.mark.usefixtures("unchecked")
def test_any_slots_in_any_order_are_streams_of_their_own(isa, drawn):
    pushes = st.lists(st.permutations(range(SLOTS)).flatmap(lambda p: st.integers(0, SLOTS).map(lambda n: p[:n])))

    @settings(max_examples=60)
    @given(drawn.layers(), pushes, st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1))
    def check(layer, pushes, moved, cleared):
        batch, read = StreamBatch(layer, SLOTS), [[] for _ in range(SLOTS)]
        alone = [LayerStream(layer) for _ in range(SLOTS)]
        for number, slots in enumerate(pushes):
            x = drawn.sequences(layer, len(slots), seed=number)
            named = np.array(slots, int) if number % 3 else slots
            found = torch.as_tensor(batch.push(named, x.numpy() if number % 2 else x))
            for slot, output, step in zip(slots, found, x, strict=True):
                assert torch.equal(output, alone[slot].push(step))
                read[slot].append(step)
            if number == 2:  # a snapshot goes from a slot to a stream, and back to another slot
                taken = batch.snapshot(moved)
                assert taken == alone[moved].snapshot()
                alone[moved].restore(taken)
                batch.restore(cleared, taken)
                alone[cleared].restore(taken)
                read[cleared] = list(read[moved])
            if number == 4:
                batch.reset([cleared])
                alone[cleared].reset()
                read[cleared] = []
        for slot in range(SLOTS):
            assert all(map(torch.equal, drawn.parts(batch.state(slot)), drawn.parts(alone[slot].state)))
            if read[slot]:
                _, last = drawn.offline(layer, torch.stack(read[slot]))
                assert all(map(torch.equal, drawn.parts(batch.state(slot)), last))

    check()


@pytest.mark.parametrize("threads", [1, 2])
def test_thousands_at_once(threads, drawn):
    torch.manual_seed(0)
    layer = nn.GRU(7, 65, 2)
    batch, x = StreamBatch(layer, 3000), drawn.sequences(layer, 3, 2000)
    slots = torch.randperm(3000)[:2000]
    torch.set_num_threads(threads)
    found = torch.stack([batch.push(slots, step) for step in x])
    torch.set_num_threads(1)
    for row in range(0, 2000, 97):
        assert torch.equal(found[:, row], drawn.offline(layer, x[:, row])[0])
    untouched = sorted({*range(3000)} - {*slots.tolist()})
    assert not any(batch.state(slot).any() for slot in untouched[::50])
    assert batch.nbytes == 2 * 3000 * 65 * 4
    assert len(batch) == 3000


@pytest.mark.parametrize("make", [lambda: nn.LSTM(5, 7, 2, proj_size=3), lambda: nn.GRU(5, 7, dtype=torch.float64)])
def test_what_the_kernels_do_not_know(make, drawn):
    layer = make()
    batch, alone, x = StreamBatch(layer, 4), LayerStream(layer), drawn.sequences(layer, 5, 3)
    found = torch.stack([batch.push([3, 0, 1], step) for step in x])
    assert torch.equal(found[:, 1], alone.push(x[:, 1]))
    assert batch.snapshot(0) == alone.snapshot()


def test_a_finished_slot_takes_nothing_more(drawn):
    layer = nn.LSTM(3, 5)
    batch, x = StreamBatch(layer, 4), drawn.sequences(layer, 4)
    batch.push(range(4), x)
    h, c = batch.finish(2)
    assert torch.equal(h, batch.state(2)[0])
    assert torch.equal(c, batch.state(2)[1])
    before = [batch.snapshot(slot) for slot in range(4)]
    with pytest.raises(StreamError, match=r"slot 2 was finished: begin it anew with `reset\(2\)`"):
        batch.push([0, 2, 1], x[:3])
    with pytest.raises(StreamError, match="slot 2 was finished before"):
        batch.finish(2)
    assert [batch.snapshot(slot) for slot in range(4)] == before
    batch.push([0, 1, 3], x[:3])
    stream = LayerStream(layer)
    stream.restore(before[2])
    assert stream.finished
    batch.restore(0, before[2])
    with pytest.raises(StreamError, match="slot 0"):
        batch.push([0], x[:1])
    batch.reset(0)
    batch.reset(torch.tensor([2]))
    assert torch.equal(batch.push([2, 0], x[[1, 1]])[0], LayerStream(layer).push(x[1]))


@pytest.mark.parametrize(
    ("slots", "why"),
    [
        ([0, 4], "names 4, and they are from 0 to 3"),
        ([-1, 0], "names -1, and they are from 0 to 3"),
        ([2, 0, 2], "names 2 twice: push its next step in a call of its own"),
        (np.array([0.0, 1.0]), "must be a list of whole numbers"),
        (np.array([True, False]), "must be a list of whole numbers"),
        (np.zeros((1, 2), int), "must be a list of whole numbers"),
        (np.array([2**64 - 1], np.uint64), "names 18446744073709551615"),
    ],
)
def test_slots_that_are_refused(slots, why, drawn):
    layer = nn.GRU(3, 5)
    batch = StreamBatch(layer, 4)
    x = drawn.sequences(layer, len(slots))
    before = copy.deepcopy(batch)
    with pytest.raises(ConfigError, match=why):
        batch.push(slots, x)
    with pytest.raises(ConfigError, match=why):
        batch.reset(slots)
    for slot in range(4):
        assert batch.snapshot(slot) == before.snapshot(slot)


@pytest.mark.parametrize("slot", [-1, 4])
def test_a_slot_that_there_is_not(slot):
    batch = StreamBatch(nn.GRU(3, 5), 4)
    for use in (batch.state, batch.finish, batch.snapshot, batch.reset, lambda s: batch.restore(s, batch.snapshot(0))):
        with pytest.raises(ConfigError, match=f"names {slot}, and they are from 0 to 3"):
            use(slot)


@pytest.mark.parametrize("x", [torch.zeros(2, 3), torch.zeros(3), torch.zeros(3, 4), torch.zeros(1, 3, 3)])
def test_input_of_another_shape(x):
    with pytest.raises(DataError, match=r"must be `\[slots input\]`, with 3 slots and an input of 3"):
        StreamBatch(nn.GRU(3, 5), 4).push([0, 1, 2], x)


def test_a_snapshot_of_another_model():
    batch = StreamBatch(nn.GRU(3, 5), 2)
    with pytest.raises(SnapshotError, match="another model"):
        batch.restore(0, LayerStream(nn.GRU(3, 5)).snapshot())


@pytest.mark.parametrize("slots", [0, -1, True])
def test_no_such_number_of_slots(slots):
    with pytest.raises(ConfigError, match=r"`slots` \(=.*\) must be a whole number from 1 up"):
        StreamBatch(nn.GRU(3, 5), slots)


def test_nothing_to_push():
    batch = StreamBatch(nn.GRU(3, 5), 2)
    assert batch.push([], torch.zeros(0, 3)).shape == (0, 5)
