"""Snapshots of layers that are well formed and of this model, but do not hold a state of it."""

import random

import numpy as np
import pytest
import torch

from sluicegate import nn
from sluicegate.errors import SnapshotError
from sluicegate.streaming import LayerStream, StreamBatch, snapshots

H, C = np.ones((2, 5), np.float32), np.zeros((2, 5), np.float32)


@pytest.fixture(scope="module")
def layer():
    torch.manual_seed(0)
    return nn.LSTM(3, 5, 2)


@pytest.mark.parametrize(
    ("settings", "arrays", "why"),
    [
        ({}, {"h": H, "c": C}, "does not say whether the stream was finished"),
        ({"finished": 0}, {"h": H, "c": C}, "does not say whether the stream was finished"),
        ({"finished": False}, {"h": H}, "the array 'c' is missing"),
        ({"finished": False}, {"h": H[:1], "c": C}, r"'h' is of shape \(1, 5\), and should be 2 by 5"),
        ({"finished": False}, {"h": H, "c": C[:, 0]}, r"'c' is of shape \(2,\), and should be 2 by 5"),
        ({"finished": False}, {"h": H.astype(np.float64), "c": C}, "'h' is of type float64, and should be float32"),
    ],
)
def test_what_is_no_state_is_refused(settings, arrays, why, layer):
    stream, batch = LayerStream(layer), StreamBatch(layer, 2)
    stream.push(torch.ones(3))
    batch.push([1], torch.ones(1, 3))
    before = stream.snapshot()
    taken = snapshots.write("layer", stream.fingerprint, settings, arrays)
    with pytest.raises(SnapshotError, match=why):
        stream.restore(taken)
    with pytest.raises(SnapshotError, match=why):
        batch.restore(1, taken)
    assert stream.snapshot() == batch.snapshot(1) == before


def test_arrays_of_any_size_and_type_end_in_a_state_or_in_our_error(layer):
    stream, restored = LayerStream(layer), 0
    for seed in range(300):
        chance = random.Random(seed)
        arrays = {
            name: np.resize(H, (chance.choice([0, 1, 2, 2, 2]), chance.choice([5, 5, 5, 6]))).astype(
                chance.choice([np.float32, np.float32, np.float16, np.int64, bool])
            )
            for name in chance.choice([["h", "c"], ["h", "c"], ["h"], ["c", "H"]])
        }
        try:
            stream.restore(snapshots.write("layer", stream.fingerprint, {"finished": False}, arrays))
            restored += 1
        except SnapshotError:
            pass
        assert stream.push(torch.ones(3)).isfinite().all()
    assert 0 < restored < 300
