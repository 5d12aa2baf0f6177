"""A row of a product has the same bits alone and in any batch, and a gradient is PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F

from sluicegate.nn.products import Linear, product

SIZES = [(16, 16), (64, 359), (256, 2000), (1024, 1), (5, 4), (33, 8), (7, 300)]
COUNTS = [1, 2, 3, 5, 7, 13]


@pytest.fixture(params=[1, 2], ids="threads={}".format)
def threads(request):
    torch.set_num_threads(request.param)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
@torch.no_grad()
def test_rows_do_not_hang_on_others(inputs, outputs):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(50, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    whole = product(x, weight, bias)
    exact = F.linear(x.double(), weight.double(), bias.double())
    terms = F.linear(x.double().abs(), weight.double().abs(), bias.double().abs())
    assert ((whole - exact).abs() <= 1e-7 * inputs**0.5 * terms).all()
    for count in COUNTS:
        parts = [product(x[begin : begin + count], weight, bias) for begin in range(0, 50, count)]
        assert torch.equal(torch.cat(parts), whole), count


@torch.no_grad()
def test_any_axes_stand_before():
    torch.manual_seed(0)
    layer, x = Linear(8, 3), torch.randn(2, 5, 7, 8)
    assert layer(x).shape == (2, 5, 7, 3)
    assert torch.equal(layer(x)[1, 2, 3], layer(x[1, 2, 3]))
    assert layer(torch.empty(0, 8)).shape == (0, 3)


def test_training_is_pytorchs_own():
    torch.manual_seed(0)
    layer, own = Linear(8, 3), torch.nn.Linear(8, 3)
    own.load_state_dict(layer.state_dict())
    x = torch.randn(5, 8)
    for one in (layer, own):
        one(x).square().sum().backward()
    assert torch.equal(layer(x), own(x))
    assert torch.equal(layer.weight.grad, own.weight.grad)
    assert torch.equal(layer.bias.grad, own.bias.grad)
