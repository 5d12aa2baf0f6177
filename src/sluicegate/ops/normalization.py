"""Batch normalisation of the input's share of the gates, as other weights and biases.

Of all steps that are part of a row, `BN(a) = (a - mean(a)) / sqrt(var(a) + 1e-5)`, unit by unit (Ioffe & Szegedy 2015).
As `a = W x` is linear, its mean and variance are those of x, seen through W:

    mean(W x) = W mean(x)    var(w x) = w cov(x) w'

so that `BN(W x) * gain + bias` is `V x + b` with

    V = gain / sqrt(var + 1e-5) * W    b = bias - gain / sqrt(var + 1e-5) * mean

and the gates need not be computed twice. The gradient comes by autograd through these matrices, which are small.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-5


class Moments(NamedTuple):
    """Of what a layer reads, in double precision: a variance may be a small difference of large numbers."""

    steps: int
    mean: Float[Tensor, " input"]
    covariance: Float[Tensor, "input input"]


class Statistics(NamedTuple):
    """Of the input's share of the gates."""

    mean: Float[Tensor, " gates"]
    variance: Float[Tensor, " gates"]
    """Of all steps, not of a sample: divided by their number."""


def moments(x: Float[Tensor, "steps input"]) -> Moments:
    """Measure the mean and the covariance of what is read.

    Args:
        x: All steps that are part of a row, at least one.

    Returns:
        Both, with a gradient to `x`.
    """
    x = x.double()
    mean = x.mean(0)
    centred = x - mean
    return Moments(len(x), mean, centred.T @ centred / len(x))


def through(weight: Float[Tensor, "gates input"], of: Moments) -> Statistics:
    """Find the mean and the variance of `W x` from those of `x`."""
    wide = weight.double()
    return Statistics(wide @ of.mean, ((wide @ of.covariance) * wide).sum(1).clamp(min=0))


def fold(
    weight: Float[Tensor, "gates input"],
    gain: Float[Tensor, " gates"],
    bias: Float[Tensor, " gates"] | None,
    of: Statistics,
) -> tuple[Float[Tensor, "gates input"], Float[Tensor, " gates"]]:
    """Make the weight and the bias that give the normalised share, `BN(W x) * gain + bias`.

    Args:
        weight: `W`.
        gain: By unit and gate.
        bias: The same; zero when not given.
        of: The mean and the variance of `W x`.

    Returns:
        Both, of the type of `weight`.

    Example:
        >>> one = torch.ones(1)
        >>> weight, bias = fold(torch.tensor([[2.0]]), one, None, Statistics(6 * one, 4 * one))
        >>> weight, bias  # of 2 x, which is 6 on average, in units of its deviation of 2
        (tensor([[1.0000]]), tensor([-3.0000]))
    """
    scale = gain.double() / (of.variance.double() + EPSILON).sqrt()
    shift = -scale * of.mean.double()
    if bias is not None:
        shift = shift + bias.double()
    return (weight.double() * scale.unsqueeze(1)).to(weight.dtype), shift.to(weight.dtype)
