"""Layers of PyTorch beside which those of JAX are held, with the same weights."""

import numpy as np
import pytest
import torch

jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
from sluicegate.jax import Weights  # noqa: E402 - where it is installed

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.fixture
def weights_of():
    """The weights of a layer of `sluicegate.nn`, or their gradients: of both directions a pair."""

    def taken(layer, *, gradients=False):
        parameters = dict(layer.named_parameters())

        def one(suffix):
            found = [parameters.get(f"{name}_l0{suffix}") for name in NAMES]
            return Weights(*(None if p is None else in_jax(p.grad if gradients else p) for p in found))

        return (one(""), one("_reverse")) if layer.bidirectional else one("")

    return taken


@pytest.fixture
def same_bits():
    def check(found, expected):
        assert jax.tree.structure(found) == jax.tree.structure(expected)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_array_equal(a, b)

    return check


def in_jax(tensor):
    return jax.numpy.asarray(tensor.detach().numpy())


@pytest.fixture
def drawn():
    """Numbers from a normal distribution, the same each time."""
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator)
