"""A small network, and texts to cut into sub-words."""

import pytest
import torch

from sluicegate.tasks.generation.ensemble import Ensemble
from sluicegate.tasks.generation.network import Network, Shape
from sluicegate.tasks.generation.subwords import Subwords

TEXTS = [
    f"{one} {two} {three} {number}."
    for number, one in enumerate(("A dog", "The cat", "Ein Hund", "Die Katze"), 10)
    for two in ("runs", "sleeps", "rennt", "schläft")
    for three in ("in the snow", "on the grass", "im Schnee", "auf der Wiese")
]


def make_networks(tokens, *, cell="gru", members=1, hidden=16, layers=2, copies=True, seed=0, sharp=3.0):
    """Networks of random weights, large enough that what they write is not all alike."""
    torch.manual_seed(seed)
    shape = Shape(tokens, hidden, hidden, layers, cell, 0.3, copies)
    ensemble = Ensemble(Network(shape) for _ in range(members)).eval()
    with torch.no_grad():
        for weight in ensemble.parameters():
            weight.mul_(sharp)
    return ensemble


@pytest.fixture(scope="session")
def networks():
    return make_networks


@pytest.fixture(scope="session")
def texts():
    return TEXTS


@pytest.fixture(scope="session")
def subwords():
    return Subwords.of(TEXTS, 300)
