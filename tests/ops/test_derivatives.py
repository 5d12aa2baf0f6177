"""Derivatives that can be differentiated again, against PyTorch's own in double precision."""

import copy

import pytest
import torch

from sluicegate import nn

pytestmark = pytest.mark.usefixtures("unchecked")


def penalised(layer, x, run):
    """Find a sum of squared gradients, and its own derivatives."""
    weights = list({id(w): w for w in layer.parameters()}.values())
    first = torch.autograd.grad(run(layer, x).square().sum(), weights, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), weights)
    return [*first, *second]


def same(layer, theirs, x, run):
    theirs.load_state_dict(layer.state_dict())
    for found, expected in zip(penalised(layer, x, run), penalised(theirs.double(), x.double(), run), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-5 * max(1.0, expected.abs().max().item()))


def loop(cell, x):
    h = None
    for step in x:
        h = cell(step, h)
    return h[0] if isinstance(h, tuple) else h


def chunks(layer, x):
    outputs, state = layer(x[:4])
    return torch.cat([outputs, layer(x[4:], state)[0]])


@pytest.mark.parametrize("kind", ["GRUCell", "LSTMCell", "RNNCell"])
def test_a_weight_that_also_made_the_state_is_counted_once(kind):
    """The state carries the weights of the steps before: each call gives only what leads through it."""
    torch.manual_seed(0)
    same(getattr(nn, kind)(3, 5), getattr(torch.nn, kind)(3, 5), torch.randn(6, 2, 3), loop)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_a_state_carried_over_between_chunks(kind):
    torch.manual_seed(0)
    same(getattr(nn, kind)(3, 5), getattr(torch.nn, kind)(3, 5), torch.randn(9, 2, 3), chunks)


def test_a_weight_tied_to_another_is_counted_once_for_each_place():
    torch.manual_seed(0)
    layers = []
    for module in (nn, torch.nn):
        layer = module.GRU(3, 5, bidirectional=True)
        layer.weight_hh_l0_reverse = layer.weight_hh_l0
        layers.append(layer)
    layers[1].load_state_dict(layers[0].state_dict())
    layers[1].double().weight_hh_l0_reverse = layers[1].weight_hh_l0
    x = torch.randn(6, 2, 3)
    found, expected = (penalised(layer, x.to(layer.weight_hh_l0.dtype), lambda f, x: f(x)[0]) for layer in layers)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("made", [torch.nn.Parameter, lambda x: x.requires_grad_()])
def test_an_input_that_is_a_parameter_has_a_second_derivative(made):
    torch.manual_seed(0)
    layer, x = nn.GRU(3, 5), made(torch.randn(4, 2, 3))
    (first,) = torch.autograd.grad(layer(x)[0].square().sum(), [x], create_graph=True)
    double = x.detach().double().requires_grad_()
    exact = copy.deepcopy(layer).double()
    (theirs,) = torch.autograd.grad(exact(double)[0].square().sum(), [double], create_graph=True)
    found, expected = (torch.autograd.grad(g.square().sum(), [at])[0] for g, at in ((first, x), (theirs, double)))
    assert found.abs().max() > 1e-3
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_first", [False, True])
def test_what_stands_in_the_padding_does_not_matter(batch_first):
    torch.manual_seed(0)
    layer, x, lengths = nn.LSTM(3, 5, batch_first=batch_first), torch.randn(2, 6, 3), [6, 2]
    x[1, 2:] = float("nan")
    x = x if batch_first else x.transpose(0, 1)
    loss = layer(x, lengths=lengths)[0].square().sum()
    weights = list(layer.parameters())
    plain = torch.autograd.grad(loss, weights, retain_graph=True)
    for found, expected in zip(torch.autograd.grad(loss, weights, create_graph=True), plain, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_no_steps_have_gradients_of_zero():
    layer, h = nn.GRU(3, 5), torch.randn(1, 2, 5, requires_grad=True)
    outputs, state = layer(torch.randn(0, 2, 3), h)
    found = torch.autograd.grad(outputs.sum() + state.square().sum(), [h, *layer.parameters()], create_graph=True)
    torch.testing.assert_close(found[0], 2 * h)
    assert all((g == 0).all() for g in found[1:])
