"""Layers of every kind and of odd sizes, drawn at random, and what they compute when not streamed."""

from __future__ import annotations

import copy
import itertools
from types import SimpleNamespace

import jaxtyping
import pytest
import torch
from hypothesis import strategies as st

from sluicegate import _core, nn

UNITS = st.sampled_from([1, 7, 17, 64, 65])


@st.composite
def layers(draw):
    """A layer that the fused kernels compute, in training and with dropout, which a stream must not draw."""
    name, depth = draw(st.sampled_from(["GRU", "LSTM", "RNN", "MinGRU", "LiGRU"])), draw(st.integers(1, 3))
    options = {"bias": draw(st.booleans()), "batch_first": draw(st.booleans())}
    if depth > 1:
        options |= {"dropout": 0.3}
    if name == "GRU":
        options |= {"reset": draw(st.sampled_from(["after", "before"])), "recurrent_dropout": 0.4}
    if name in ("RNN", "LiGRU"):
        options |= {"nonlinearity": draw(st.sampled_from(["tanh", "relu"]))}
    if name in ("GRU", "LSTM"):
        options |= {"activation": draw(st.sampled_from(["tanh", "relu"]))}
    torch.manual_seed(draw(st.integers(0, 99)))
    layer = getattr(nn, name)(draw(UNITS), draw(UNITS), depth, **options)
    if name == "LiGRU":  # whose running statistics then are others than at the beginning
        layer(torch.randn(4, 3, layer.input_size) + 1)
    layer.precision = draw(st.sampled_from(["fp32", "bf16"]))
    return layer


@st.composite
def chunks(draw, steps):
    """Where a sequence is cut; some chunks are empty."""
    inner = sorted(draw(st.lists(st.integers(0, steps), max_size=5)))
    return list(itertools.pairwise([0, *inner, steps]))


def sequences(layer, *sizes, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(*sizes, layer.input_size, generator=chance, dtype=layer.weight_ih_l0.dtype)


def offline(layer, x):
    """Outputs and final states of a whole sequence in evaluation, the states in a list."""
    with torch.no_grad():
        outputs, state = copy.deepcopy(layer).eval()(x)
    return outputs, parts(state)


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


@pytest.fixture(scope="session")
def drawn():
    """What draws layers, chunks and sequences."""
    return SimpleNamespace(layers=layers, chunks=chunks, sequences=sequences, offline=offline, parts=parts)


@pytest.fixture
def unchecked(monkeypatch):
    """Turn off the run-time check of annotations, which takes longer than a small layer; others have it on."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def runs(isa):
    before = _core.isa()
    try:
        _core.use_isa(isa)
    except ValueError:
        return False
    _core.use_isa(before)
    return True


@pytest.fixture(params=filter(runs, ("avx512_bf16", "avx512", "avx2", "neon", "scalar")))
def isa(request):
    """Every instruction set that this processor has."""
    before = _core.isa()
    _core.use_isa(request.param)
    yield request.param
    _core.use_isa(before)
