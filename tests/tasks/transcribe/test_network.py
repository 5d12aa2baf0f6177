"""The network: a recording's bits hang neither on its company nor on how it is cut."""

import pytest
import torch

from sluicegate.tasks.transcribe.network import Network, Shape

CELLS = ["gru", "lstm", "rnn", "mingru", "ligru"]


def made(cell="gru", streaming=True, values=12, tokens=7, hidden=20):
    torch.manual_seed(0)
    shape = Shape(values, tokens, hidden=hidden, layers=2, cell=cell, dropout=0.3, streaming=streaming)
    return Network(shape).eval()


@pytest.mark.parametrize("cell", CELLS)
def test_it_is_read_on_and_on(cell):
    network, frames = made(cell), torch.randn(1, 29, 12)
    with torch.no_grad():
        whole = network(frames)
        state, found = network.begin(1), []
        for part in frames.split([1, 3, 0, 11, 14], 1):
            if part.shape[1]:
                one, state = network.read(part, state)
                found.append(one)
    assert torch.equal(torch.cat(found, 1), whole)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_a_recording_does_not_hang_on_its_company(cell, streaming):
    network, lengths = made(cell, streaming), torch.tensor([17, 29, 4, 23])
    frames = torch.randn(4, 29, 12)
    frames[torch.arange(29)[None] >= lengths[:, None]] = 0.0
    with torch.no_grad():
        together = network(frames, lengths)
        for row, length in enumerate(lengths.tolist()):
            assert torch.equal(network(frames[row : row + 1, :length])[0], together[row, :length])


@pytest.mark.parametrize(("values", "tokens", "hidden"), [(120, 5, 24), (120, 40, 128), (192, 31, 192)])
def test_sizes_as_models_have_them(values, tokens, hidden):
    network, frames = made(values=values, tokens=tokens, hidden=hidden), torch.randn(1, 403, values)
    with torch.no_grad():
        whole, state, found = network(frames), network.begin(1), []
        for part in frames.split([1, 2, 400], 1):
            one, state = network.read(part, state)
            found.append(one)
    assert torch.equal(torch.cat(found, 1), whole)


def test_one_way_is_one_way():
    network, frames = made(), torch.randn(1, 20, 12)
    later = frames.clone()
    later[:, 12:] += 1.0
    with torch.no_grad():
        assert torch.equal(network(frames)[:, :12], network(later)[:, :12])
        assert not torch.equal(network(frames)[:, 12:], network(later)[:, 12:])


def test_probabilities_sum_to_one():
    found = made()(torch.randn(2, 9, 12)).exp().sum(2)
    torch.testing.assert_close(found, torch.ones(2, 9))


def test_dropout_is_drawn_by_the_generator():
    network, frames = made().train(), torch.randn(2, 9, 12)
    one, same, other = (network(frames, None, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
