"""What is minimised: CTC as its definition sums it, and texts that are laid out evenly."""

import itertools

import numpy as np
import pytest
import torch

from sluicegate.tasks.transcribe.network import Network, Shape
from sluicegate.tasks.transcribe.objective import Examples, Objective, batches, ctc, evenly


def collapsed(path):
    return [token for token, _ in itertools.groupby(path) if token]


@pytest.mark.parametrize("target", [[], [1], [1, 2], [2, 2], [1, 2, 1]])
def test_ctc_is_the_sum_over_all_paths(target):
    log_probs = torch.randn(1, 5, 3).log_softmax(2)
    total = sum(
        log_probs[0, range(5), path].sum().exp()
        for path in itertools.product(range(3), repeat=5)
        if collapsed(path) == target
    )
    found = ctc(log_probs, torch.tensor([5]), [target])
    assert float(found) == pytest.approx(-float(total.log()), rel=1e-5)


def test_texts_that_are_laid_out_evenly():
    log_probs = torch.randn(2, 20, 4).log_softmax(2)
    found = evenly(log_probs, torch.tensor([20, 14]), [[1, 2], []])
    labels = [0] * 20
    labels[2 + 3], labels[2 + 9] = 1, 2  # of 12 frames that are heard, 8 being the silence behind
    expected = log_probs[0, range(20), labels].sum() + log_probs[1, :14, 0].sum()
    assert float(found) == pytest.approx(-float(expected), rel=1e-5)


def test_batches_hold_all_and_are_small_enough():
    lengths = np.array([5, 9, 2, 30, 7, 7])
    order = np.argsort(lengths, kind="stable")
    found = list(batches(order, lengths, 3, 20))
    assert np.array_equal(np.concatenate(found), order)
    assert all(len(rows) <= 3 for rows in found)
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= 20 for rows in found)


def test_an_epoch_has_every_recording_once():
    rng = np.random.default_rng(0)
    versions = [[rng.standard_normal((length, 6)).astype(np.float16)] for length in rng.integers(3, 30, 41)]
    examples = Examples(versions, [[1]] * 41)
    network = Network(Shape(6, 3, 4, 1, "gru", 0.0, True))
    objective = Objective(network, examples, examples, seed=0, batch=4, frames=60, bins=2)
    assert sum(len(rows) for rows in objective.batches(0)) == 41
    for epoch in (0, 1):
        rows = np.concatenate(objective.batches(epoch))
        assert sorted(rows.tolist()) == list(range(41))
    loss = objective.part().loss(0, torch.Generator().manual_seed(0))
    again = objective.part().loss(0, torch.Generator().manual_seed(0))
    assert torch.isfinite(loss)
    assert torch.equal(loss, again)
