"""The network writes a text as a whole as it does word by word, and its losses are its probabilities."""

import pytest
import torch

from sluicegate.tasks.generation.decoder import Copies, Decoder, scored
from sluicegate.tasks.generation.network import log_likelihood, log_probabilities
from sluicegate.tasks.generation.subwords import BEGIN, PAD

CELLS = ["gru", "lstm", "rnn", "mingru", "ligru"]
TOKENS = 40


def made(networks, cell="gru", **options):
    ensemble = networks(TOKENS, cell=cell, **options)
    torch.manual_seed(1)
    if cell == "ligru":  # whose running statistics are those of training
        member = ensemble.members[0].train()
        with torch.no_grad():
            memory, states = member.read(torch.randint(3, TOKENS, (8, 6)), torch.full((8,), 6))
            member.write(torch.randint(3, TOKENS, (8, 5)), memory, states)
        member.eval()
    return ensemble.members[0]


def rows(count):
    return torch.arange(count)


def some(rows=5, steps=7):
    torch.manual_seed(2)
    return torch.randint(3, TOKENS, (rows, steps))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("copies", [True, False])
@torch.no_grad()
def test_all_words_at_once_are_one_after_the_other(networks, cell, copies):
    network = made(networks, cell, copies=copies)
    sources, before = some(), some(5, 6)
    memory, states = network.read(sources, torch.full((5,), 7))
    whole, after = network.write(before, memory, states)
    decoder = Decoder(network)
    for place in range(6):
        one, states = decoder.step(before[:, place : place + 1], memory, states, rows(5))
        torch.testing.assert_close(one.logits[:, 0], whole.logits[:, place], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(one.weights[:, 0], whole.weights[:, place], rtol=1e-5, atol=1e-6)
        if copies:
            torch.testing.assert_close(one.copying[:, 0], whole.copying[:, place], rtol=1e-5, atol=1e-5)
        else:
            assert one.copying is whole.copying is None
    for found, expected in zip(states, after, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_hypotheses_side_by_side_are_each_as_if_alone(networks, cell):
    network = made(networks, cell)
    sources, words = some(), some(5, 3)
    memory, states = network.read(sources, torch.full((5,), 7))
    beside = states.take(torch.arange(5).repeat_interleave(3))
    decoder = Decoder(network)
    together, after = decoder.step(words, memory, beside, rows(5))
    for place in range(3):
        one, state = decoder.step(words[:, place : place + 1], memory, states, rows(5))
        assert torch.equal(one.logits[:, 0], together.logits[:, place])
        assert torch.equal(one.weights[:, 0], together.weights[:, place])
        first = after.first[0] if cell == "lstm" else after.first
        assert torch.equal(first.view(5, 3, -1)[:, place], state.first[0] if cell == "lstm" else state.first)


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_padding_of_a_source_is_never_looked_at(networks, cell):
    network = made(networks, cell)
    sources, before = some(), some(5, 4)
    longer = torch.cat([sources, torch.full((5, 3), PAD)], 1)
    lengths = torch.full((5,), 7)
    plain, _ = network.write(before, *network.read(sources, lengths))
    padded, _ = network.write(before, *network.read(longer, lengths))
    torch.testing.assert_close(padded.logits, plain.logits, rtol=1e-5, atol=1e-5)
    assert (padded.weights[..., 7:] == 0).all()
    torch.testing.assert_close(padded.weights.sum(2), torch.ones(5, 4))


@pytest.mark.parametrize("copies", [True, False])
@torch.no_grad()
def test_probabilities_are_told_alike_everywhere(networks, copies):
    network = made(networks, copies=copies)
    sources, before, targets = some(), some(5, 6), some(5, 6).roll(1, 0)
    targets[:, 2] = sources[:, 4]  # some that can be copied
    memory, states = network.read(sources, torch.full((5,), 7))
    written, _ = network.write(before, memory, states)
    chances = log_probabilities(written, memory)
    torch.testing.assert_close(chances.exp().sum(2), torch.ones(5, 6))
    told = log_likelihood(written, memory, targets)
    torch.testing.assert_close(told, chances.gather(2, targets[..., None]).squeeze(2), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_copies_are_the_attention_to_the_same_sub_word(networks):
    network = made(networks)
    sources = torch.tensor([[5, 6, 5, 9]])
    memory, states = network.read(sources, torch.tensor([4]))
    written, _ = network.write(torch.tensor([[BEGIN]]), memory, states)
    surely = written._replace(copying=torch.full((1, 1), 50.0))
    weights = written.weights[0, 0]
    chances = log_probabilities(surely, memory)[0, 0].exp()
    torch.testing.assert_close(chances[[5, 6, 9]], torch.stack([weights[0] + weights[2], weights[1], weights[3]]))
    assert chances[7] < 1e-20
    never = written._replace(copying=torch.full((1, 1), -50.0))
    torch.testing.assert_close(log_probabilities(never, memory), written.logits.log_softmax(2))


@torch.no_grad()
def test_smoothing_is_the_mean_of_all_sub_words(networks):
    network = made(networks, copies=False)
    memory, states = network.read(some(), torch.full((5,), 7))
    written, _ = network.write(some(5, 6), memory, states)
    targets, logs = some(5, 6), written.logits.log_softmax(2)
    expected = 0.9 * logs.gather(2, targets[..., None]).squeeze(2) + 0.1 * logs.mean(2)
    torch.testing.assert_close(log_likelihood(written, memory, targets, 0.1), expected, rtol=1e-4, atol=1e-4)


def test_dropout_comes_from_its_generator_and_only_in_training(networks):
    network = made(networks)
    sources, before, lengths = some(), some(5, 6), torch.full((5,), 7)

    def logits(seed):
        chance = torch.Generator().manual_seed(seed)
        memory, states = network.read(sources, lengths, chance)
        return network.write(before, memory, states, chance)[0].logits

    assert torch.equal(logits(0), logits(1))
    network.train()
    assert torch.equal(logits(0), logits(0))
    assert not torch.equal(logits(0), logits(1))


def test_every_weight_has_a_gradient(networks):
    network = made(networks)
    memory, states = network.read(some(), torch.full((5,), 7))
    written, _ = network.write(some(5, 6), memory, states)
    log_likelihood(written, memory, some(5, 6), 0.1).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize("copies", [True, False])
@torch.no_grad()
def test_scores_are_the_probabilities(networks, copies):
    network = made(networks, copies=copies)
    sources = some()
    sources[:, 5] = sources[:, 1]  # which is copied from either place
    memory, states = network.read(sources, torch.tensor([7, 7, 6, 5, 7]))
    written, _ = Decoder(network).step(some(5, 3), memory, states.take(torch.arange(5).repeat_interleave(3)), rows(5))
    expected = log_probabilities(written, memory)
    found = scored(written._replace(logits=written.logits.clone()), Copies.of(sources))
    torch.testing.assert_close(found.logits - found.less[..., None], expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_some_of_the_sources_go_on_as_they_would_with_all(networks):
    network = made(networks)
    memory, states = network.read(some(), torch.tensor([7, 2, 6, 5, 7]))
    decoder, words = Decoder(network), some(5, 1)
    whole, _ = decoder.step(words, memory, states, rows(5))
    few = torch.tensor([3, 1])
    part, _ = decoder.step(words[few], memory, states.take(few), few)
    assert torch.equal(part.logits, whole.logits[few])
    assert torch.equal(part.weights, whole.weights[few])
    assert (whole.weights[1, :, 2:] == 0).all()
