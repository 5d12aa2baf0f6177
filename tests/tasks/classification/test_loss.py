"""The losses of classifiers, against values worked out by hand."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.classification.loss import Loss, disagreement, loss_of

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.0, 0.0]])
TRUTH = torch.tensor([0, 2])
NONE = torch.zeros(3)


def chances(logits):
    weights = np.exp(np.asarray(logits, dtype=np.float64))
    return weights / weights.sum(1, keepdims=True)


def test_the_plain_loss_is_the_cross_entropy():
    chosen = chances(LOGITS)[[0, 1], [0, 2]]
    assert float(loss_of(LOGITS, TRUTH, NONE, 0.0, 0.0)) == pytest.approx(-np.log(chosen).mean(), rel=1e-5)


@pytest.mark.parametrize("q", [0.3, 0.7, 1.0])
def test_the_robust_loss_is_the_generalised_cross_entropy(q):
    chosen = chances(LOGITS)[[0, 1], [0, 2]]
    assert float(loss_of(LOGITS, TRUTH, NONE, 0.0, q)) == pytest.approx(((1 - chosen**q) / q).mean(), rel=1e-5)


def test_a_wrong_label_weighs_less_in_the_robust_loss():
    """The gradient of a row that the network is sure about, and whose label says otherwise."""
    sizes = []
    for robust in (0.0, 0.7):
        logits = torch.tensor([[6.0, 0.0]], requires_grad=True)
        loss_of(logits, torch.tensor([1]), torch.zeros(2), 0.0, robust).backward()
        sizes.append(float(logits.grad.abs().sum()))
    assert sizes[1] < 0.05 * sizes[0]


def test_the_adjustment_is_added_to_the_logits():
    adjustment = torch.tensor([0.0, -1.0, 2.0])
    found = loss_of(LOGITS, TRUTH, adjustment, 0.0, 0.0)
    assert float(found) == pytest.approx(float(loss_of(LOGITS + adjustment, TRUTH, NONE, 0.0, 0.0)))


def test_the_disagreement_is_the_divergence_both_ways():
    other = torch.tensor([[0.0, 1.0, 0.0], [2.0, -1.0, 0.5]])
    p, q = chances(LOGITS), chances(other)
    both = (p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1)
    assert float(disagreement(torch.stack([LOGITS, other]))) == pytest.approx(0.5 * both.mean(), rel=1e-5)
    assert float(disagreement(torch.stack([LOGITS, LOGITS]))) == 0.0


@pytest.mark.parametrize("robust", [0.0, 0.7])
def test_readings_share_their_truth(robust):
    """The losses of a batch that holds its rows twice, and of one that holds them once."""
    other, adjustment = torch.tensor([[0.0, 1.0, 0.0], [2.0, -1.0, 0.5]]), torch.tensor([0.0, -1.0, 2.0])
    alone = [loss_of(logits, TRUTH, adjustment, 0.1, robust) for logits in (LOGITS, other)]
    once, twice = (Loss(adjustment, 0.1, robust, consistency) for consistency in (0.0, 3.0))
    assert (once.readings, twice.readings) == (1, 2)
    torch.testing.assert_close(once.training(LOGITS, TRUTH), alone[0])
    apart = disagreement(torch.stack([LOGITS + adjustment, other + adjustment]))
    torch.testing.assert_close(twice.training(torch.cat([LOGITS, other]), TRUTH), sum(alone) / 2 + 3 * apart)
    expected = float(loss_of(LOGITS, TRUTH, adjustment, 0.0, robust))
    assert twice.validation(LOGITS, TRUTH) == once.validation(LOGITS, TRUTH) == expected
