"""The output layer: a distribution over all tokens, whichever way it is asked for."""

import numpy as np
import pytest
import torch

from sluicegate.tasks.language_model.softmax import AdaptiveSoftmax

WIDTH, TOKENS, CUTS = 5, 40, (6, 15, 28)


@pytest.fixture
def layer():
    torch.manual_seed(0)
    made = AdaptiveSoftmax(WIDTH, TOKENS, CUTS)
    for weight in made.parameters():
        torch.nn.init.normal_(weight)
    return made


@pytest.fixture
def embeddings():
    return torch.randn(TOKENS, WIDTH, generator=torch.Generator().manual_seed(1))


def test_it_is_the_softmax_of_a_group_within_the_softmax_of_the_common_tokens(layer, embeddings):
    """By the equations, in doubles, token by token."""
    x = torch.randn(3, WIDTH)
    told = layer(embeddings).log_probabilities(x).detach()
    weight, bias, groups = (t.detach().double().numpy() for t in (embeddings, layer.bias, layer.groups))
    for place in range(3):
        one = x[place].double().numpy()
        logits = weight @ one + bias[:TOKENS]
        places = groups @ one + bias[TOKENS:]
        head = np.exp(np.append(logits[: CUTS[0]], places))
        head /= head.sum()
        for token in range(TOKENS):
            if token < CUTS[0]:
                expected = head[token]
            else:
                number = np.searchsorted(CUTS, token, side="right") - 1
                begin, end = (*CUTS, TOKENS)[number : number + 2]
                expected = head[CUTS[0] + number] * np.exp(logits[token]) / np.exp(logits[begin:end]).sum()
            assert float(told[place, token]) == pytest.approx(np.log(expected), rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(told.exp().sum(1), 1.0, rtol=1e-5)


def test_what_came_has_the_probability_that_it_has_among_all(layer, embeddings):
    x, targets = torch.randn(TOKENS, WIDTH), torch.randperm(TOKENS)
    output = layer(embeddings)
    told = output.log_likelihood(x, targets)
    all_of_them = output.log_probabilities(x).gather(1, targets[:, None]).squeeze(1)
    np.testing.assert_allclose(told.detach(), all_of_them.detach(), rtol=1e-5, atol=1e-6)


def test_gradients_are_those_of_all_probabilities(layer, embeddings):
    layer, embeddings = layer.double(), embeddings.double().requires_grad_()
    targets = torch.tensor([0, 5, 6, 14, 15, 39])
    x = torch.randn(6, WIDTH, dtype=torch.float64, requires_grad=True)
    inputs = [x, embeddings, *layer.parameters()]
    output = layer(embeddings)
    found = torch.autograd.grad(output.log_likelihood(x, targets).sum(), inputs)
    output = layer(embeddings)
    expected = torch.autograd.grad(output.log_probabilities(x).gather(1, targets[:, None]).sum(), inputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_the_most_probable_token_is_that_of_all_probabilities(layer, embeddings):
    with torch.no_grad():
        output, seen = layer(embeddings), set()
        for number in range(300):
            x = 2 * torch.randn(1, WIDTH, generator=torch.Generator().manual_seed(number))
            chances = output.log_probabilities(x)[0]
            chances[torch.tensor([0, 1])] = -torch.inf
            token = output.most_probable(x, torch.tensor([0, 1]))
            assert token == int(chances.argmax())
            seen.add(int(np.searchsorted(CUTS, token, side="right")))
        assert seen == {0, 1, 2, 3}  # a common one, and one of each group


def test_without_groups_it_is_a_softmax(embeddings):
    layer = AdaptiveSoftmax(WIDTH, TOKENS, ())
    x = torch.randn(2, WIDTH)
    told = layer(embeddings).log_probabilities(x)
    np.testing.assert_allclose(told.detach(), (x @ embeddings.T).log_softmax(1), rtol=1e-5, atol=1e-6)
