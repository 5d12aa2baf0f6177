"""Dropout masks drop at their rate, keep the mean, and hang on their generator alone."""

import pytest
import torch

from sluicegate.nn.dropout import LEVELS, dropout_mask


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_the_rate_and_the_mean(rate):
    mask = dropout_mask((400, 1000), rate, seeded())
    out = round(rate * LEVELS) / LEVELS
    spread = (out * (1 - out) / mask.numel()) ** 0.5
    assert (mask == 0).float().mean().item() == pytest.approx(out, abs=5 * spread)
    assert mask.double().mean().item() == pytest.approx(1.0, abs=5 * spread / (1 - out))
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / (1 - out)])


def test_places_are_independent():
    """Eight places share a number: no byte of it says anything of another."""
    mask = (dropout_mask((20_000, 8), 0.5, seeded()) > 0).double()
    shares = torch.corrcoef(mask.T) - torch.eye(8)
    assert shares.abs().max() < 5 / 20_000**0.5


def test_the_generator_decides():
    first = dropout_mask((7, 11), 0.4, seeded())
    assert torch.equal(first, dropout_mask((7, 11), 0.4, seeded()))
    assert not torch.equal(first, dropout_mask((7, 11), 0.4, seeded(1)))
    torch.manual_seed(5)
    plain = dropout_mask((7, 11), 0.4, None)
    torch.manual_seed(5)
    assert torch.equal(plain, dropout_mask((7, 11), 0.4, None))


@pytest.mark.parametrize("sizes", [(3,), (1, 1), (2, 3, 5), (0, 4), (8,), (9,)])
def test_sizes(sizes):
    mask = dropout_mask(sizes, 0.5, seeded())
    assert mask.shape == sizes
    assert mask.dtype == torch.float32


def test_the_ends_of_the_range():
    assert torch.equal(dropout_mask((5, 5), 0.0, seeded()), torch.ones(5, 5))
    assert torch.equal(dropout_mask((5, 5), 0.001, seeded()), torch.ones(5, 5))  # nearest multiple of 1/256
    nearly = dropout_mask((2000, 100), 0.9999, seeded())
    assert sorted(nearly.unique().tolist()) == [0.0, LEVELS]
