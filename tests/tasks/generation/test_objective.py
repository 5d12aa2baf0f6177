"""Networks are trained on the next sub-word, in another order in each epoch, and each in its own."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.generation.network import log_probabilities
from sluicegate.tasks.generation.objective import Objective
from sluicegate.tasks.generation.pairs import Pairs


@pytest.fixture
def pairs(subwords, texts):
    return Pairs.of(subwords, texts, texts[::-1])


def made(networks, subwords, pairs, members=1, seed=0):
    ensemble = networks(len(subwords), members=members, hidden=8, layers=1, sharp=1.0)
    return ensemble, Objective(ensemble, pairs, pairs, seed=seed, batch=8, tokens=1000, smoothing=0.1)


def chance():
    return torch.Generator().manual_seed(0)


@torch.no_grad()
def test_validation_is_the_mean_over_sub_words(networks, subwords, pairs):
    ensemble, objective = made(networks, subwords, pairs)
    (part,) = objective.parts()
    total = count = 0
    member = ensemble.members[0]
    for row in range(len(pairs)):
        batch = pairs.batch(np.array([row]))
        memory, states = member.read(batch.sources, batch.lengths)
        written, _ = member.write(batch.before, memory, states)
        chances = log_probabilities(written, memory).gather(2, batch.targets[..., None])
        total, count = total - float(chances.sum()), count + batch.targets.numel()
    assert part.validate() == pytest.approx(total / count, rel=1e-4)


def test_every_pair_comes_once_an_epoch_in_another_order(networks, subwords, pairs):
    _, objective = made(networks, subwords, pairs, members=2)
    first, second = objective._orders
    epochs = [first.epoch(0), first.epoch(1), second.epoch(0)]
    for epoch in epochs:
        assert sorted(np.concatenate(epoch).tolist()) == list(range(len(pairs)))
    assert len({tuple(np.concatenate(epoch).tolist()) for epoch in epochs}) == 3
    assert objective.steps == len(epochs[0])


def test_a_step_is_the_same_however_it_is_reached(networks, subwords, pairs):
    """As a run that goes on from a checkpoint reaches it."""
    _, objective = made(networks, subwords, pairs)
    steps = [objective._orders[0].rows(step).tolist() for step in range(3 * objective.steps)]
    for step in (20, 3, 11):
        _, fresh = made(networks, subwords, pairs)
        assert fresh._orders[0].rows(step).tolist() == steps[step]
        assert objective._orders[0].rows(step).tolist() == steps[step]


def test_padding_costs_nothing(networks, subwords):
    """Two pairs together lose what they lose apart."""
    pairs = Pairs.of(subwords, ["A dog", "The cat sleeps in the snow"], ["Ein Hund", "Die Katze schläft im Schnee"])
    ensemble, _ = made(networks, subwords, pairs)
    losses, counts = [], []
    for rows in ([0], [1], [0, 1]):
        some = pairs.take(np.array(rows))
        objective = Objective(ensemble, some, some, seed=0, batch=8, tokens=1000, smoothing=0.0)
        losses.append(objective.parts()[0].validate())
        counts.append(int(some.lengths[1].sum()))
    assert losses[2] == pytest.approx((losses[0] * counts[0] + losses[1] * counts[1]) / counts[2], rel=1e-5)


def test_each_network_has_a_loss_with_a_gradient(networks, subwords, pairs):
    ensemble, objective = made(networks, subwords, pairs, members=2)
    for part, member in zip(objective.parts(), ensemble.members, strict=True):
        assert part.model is member
        part.loss(0, chance()).backward()
    assert all(weight.grad is not None for weight in ensemble.parameters())
