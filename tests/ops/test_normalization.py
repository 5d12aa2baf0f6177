"""Batch normalisation folded into weights is that of `torch.nn.functional`, of what the weights make of the input."""

import pytest
import torch
import torch.nn.functional as F

from sluicegate.ops.normalization import Statistics, fold, statistics


def draw(steps=50, inputs=7, gates=12, dtype=torch.float64, shift=0.0):
    torch.manual_seed(0)
    x = torch.randn(steps, inputs, dtype=dtype) @ torch.randn(inputs, inputs, dtype=dtype) + shift
    return (
        x,
        torch.randn(gates, inputs, dtype=dtype),
        torch.rand(gates, dtype=dtype) + 0.5,
        torch.randn(gates, dtype=dtype),
    )


@pytest.mark.parametrize("steps", [2, 3, 50])
def test_the_folded_share_and_its_gradients_are_those_of_batch_norm(steps):
    inputs = [t.requires_grad_() for t in draw(steps)]
    x, weight, gain, bias = inputs
    expected = F.batch_norm(x @ weight.T, None, None, gain, bias, training=True)
    folded, shift = fold(weight, gain, bias, statistics(x, weight))
    got = x @ folded.T + shift
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
    mask = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad((got * mask).sum(), inputs),
        torch.autograd.grad((expected * mask).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)


def test_second_derivatives_are_right():
    inputs = [t.requires_grad_() for t in draw(5, 2, 3)]

    def share(x, weight, gain, bias):
        folded, shift = fold(weight, gain, bias, statistics(x, weight))
        return x @ folded.T + shift

    assert torch.autograd.gradcheck(share, inputs)
    assert torch.autograd.gradgradcheck(share, inputs)


def test_transforms_of_torch_func_find_the_same_derivatives():
    x, weight = draw(5, 2, 3)[:2]

    def variance(x):
        return statistics(x, weight).variance

    given = x.requires_grad_()
    by_autograd = torch.autograd.functional.jacobian(variance, given)
    torch.testing.assert_close(torch.func.jacrev(variance)(x.detach()), by_autograd)


def test_a_mean_far_from_zero_takes_no_digits_from_the_variance():
    """In single precision, where the mean of the squares less the square of the mean would have none left."""
    x, weight, gain, bias = draw(2000, dtype=torch.float32, shift=1e4)
    exact = F.batch_norm(x.double() @ weight.double().T, None, None, gain.double(), bias.double(), training=True)
    of = statistics(x, weight)
    wide = x.double() @ weight.double().T
    torch.testing.assert_close(of.variance, wide.var(0, correction=0), rtol=1e-5, atol=0)  # of sums of 2,000 products
    folded, shift = fold(weight.double(), gain, bias, of)
    torch.testing.assert_close(x.double() @ folded.T + shift, exact, rtol=1e-5, atol=1e-5)


def test_what_does_not_vary_becomes_the_bias():
    weight, gain, bias = (t.float() for t in draw()[1:])
    folded, shift = fold(weight, gain, bias, statistics(torch.ones(4, 7), weight))
    torch.testing.assert_close(folded.sum(1) + shift, bias, rtol=0, atol=1e-3)
    assert torch.isfinite(folded).all()


def test_running_statistics_are_folded_as_batch_norm_uses_them():
    x, weight, gain, bias = draw()
    mean, variance = torch.randn(12, dtype=torch.float64), torch.rand(12, dtype=torch.float64)
    folded, shift = fold(weight, gain, bias, Statistics(mean, variance))
    expected = F.batch_norm(x @ weight.T, mean, variance, gain, bias)
    torch.testing.assert_close(x @ folded.T + shift, expected, rtol=1e-9, atol=1e-9)
