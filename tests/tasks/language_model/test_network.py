"""The network: a state that is carried on is a text that was never cut, and dropout is the same at every step."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.language_model.network import Network, Shape
from sluicegate.tasks.language_model.reading import Reader


def made(cell="gru", **more):
    torch.manual_seed(0)
    return Network(
        Shape(
            **{"tokens": 20, "cuts": (4, 9), "embedding": 8, "hidden": 12, "layers": 2} | more, cell=cell, dropout=0.3
        )
    )


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_a_state_that_is_carried_on_is_a_text_that_was_not_cut(cell):
    network = made(cell).eval()
    tokens = torch.randint(0, 20, (3, 11))
    whole, after = network.read(tokens)
    first, states = network.read(tokens[:, :4])
    rest, last = network.read(tokens[:, 4:], states)
    np.testing.assert_allclose(torch.cat([first, rest], 1).detach(), whole.detach(), rtol=1e-5, atol=1e-6)
    for one, other in zip(after, last, strict=True):
        for part, same in zip(
            *((state if isinstance(state, tuple) else (state,)) for state in (one, other)), strict=True
        ):
            assert torch.equal(part, same)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "ligru"])
def test_the_reader_says_what_the_network_says(cell):
    network = made(cell).eval()
    tokens = torch.randint(0, 20, (3, 11))
    said, _ = network.said(tokens)
    reader = Reader([network])
    alone = [reader.read(row[:, None], reader.begin())[0][:, 0] for row in tokens]
    np.testing.assert_array_equal(torch.stack(alone), said.detach())


def test_scored_singly_a_place_has_the_same_bits_in_any_company():
    network = made().eval()
    reader, tokens = Reader([network]), torch.randint(0, 20, (30,))
    said, _ = reader.read(tokens[:-1, None], reader.begin())
    whole = reader.score(said[:, 0], tokens[1:], singly=True)
    for place in (0, 7, 28):
        assert torch.equal(reader.score(said[place], tokens[place + 1 : place + 2], singly=True)[0], whole[place])
        assert torch.equal(reader.next(said[place])[tokens[place + 1]], whole[place])
    np.testing.assert_allclose(reader.score(said[:, 0], tokens[1:]), whole, rtol=1e-5)


def test_the_same_numbers_are_dropped_at_every_step():
    network = made(layers=1, embedding=64).train()
    chance = torch.Generator().manual_seed(1)
    features, _ = network.read(torch.randint(0, 20, (4, 9)), None, chance)
    zeros = features == 0
    assert 0.1 < zeros.float().mean() < 0.6
    assert (zeros == zeros[:, :1]).all()
    assert (zeros[0, 0] != zeros[1, 0]).any()
    again, _ = network.read(torch.randint(0, 20, (4, 9)), None, torch.Generator().manual_seed(1))
    assert torch.equal(again == 0, zeros)


def test_in_evaluation_nothing_is_dropped():
    features, _ = made().eval().read(torch.randint(0, 20, (4, 9)))
    assert not (features == 0).any()
