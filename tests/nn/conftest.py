"""How a layer is held against the `torch.nn` module of the same name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jaxtyping
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from sluicegate import nn
from sluicegate.nn.stack import Stack
from sluicegate.nn.step import Step

INPUT, HIDDEN, TIME, BATCH = 3, 4, 5, 3
PACKINGS = {"sorted": ([5, 3, 1], True), "unsorted": ([2, 5, 4], False)}

SHAPES = [
    pytest.param(
        {"num_layers": depth, "bidirectional": two, "bias": bias, "batch_first": first},
        id=f"{depth}{'-both' if two else ''}{'' if bias else '-nobias'}{'-batch_first' if first else ''}",
    )
    for depth, two, bias, first in itertools.product((1, 2, 3), (False, True), (True, False), (False, True))
]


@pytest.fixture(autouse=True)
def _threads() -> None:
    """One thread: to share tensors this small between two costs a thousand times their arithmetic on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(params=SHAPES)
def shape(request) -> dict[str, Any]:
    """Every depth, direction, bias and order of axes."""
    return request.param


@pytest.fixture(params=["batch", "single", "sorted", "unsorted"])
def layout(request) -> str:
    """Every layout of the input."""
    return request.param


@pytest.fixture
def unchecked(monkeypatch) -> None:
    """Turn off the run-time check of annotations, which a user does not have, to see our own refusals."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def tensors(value: Any) -> list[torch.Tensor]:
    """Flatten what a layer takes or returns."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, PackedSequence):
        assert value.data is not None
        return [value.data]
    return [t for part in value for t in tensors(part)]


def state_of(module: torch.nn.RNNBase, batch: tuple[int, ...], dtype: torch.dtype) -> Any:
    states = module.num_layers * (2 if module.bidirectional else 1)
    h = torch.randn(states, *batch, module.proj_size or module.hidden_size, dtype=dtype)
    if not isinstance(module, torch.nn.LSTM):
        return h
    return h, torch.randn(states, *batch, module.hidden_size, dtype=dtype)


def arguments(module: torch.nn.RNNBase, layout: str, dtype: torch.dtype) -> tuple[Any, Any]:
    """Draw an input and a state, in the layout asked for."""
    if layout == "single":
        return torch.randn(TIME, INPUT, dtype=dtype), state_of(module, (), dtype)
    x = torch.randn(BATCH, TIME, INPUT, dtype=dtype)
    if not module.batch_first:
        x = x.transpose(0, 1).contiguous()
    if layout != "batch":
        lengths, enforce = PACKINGS[layout]
        x = pack_padded_sequence(x, torch.tensor(lengths), module.batch_first, enforce_sorted=enforce)
    return x, state_of(module, (BATCH,), dtype)


def run(module: torch.nn.Module, forward: Callable[..., Any], *inputs: Any) -> SimpleNamespace:
    """Call, and take the gradient of a weighted sum of all results in all inputs and parameters."""
    leaves = [t.requires_grad_() for t in tensors(inputs)]
    results = forward(*inputs)
    weights = torch.Generator().manual_seed(7)
    loss = sum((t * torch.randn(t.shape, dtype=t.dtype, generator=weights)).sum() for t in tensors(results))
    gradients = torch.autograd.grad(loss, [*leaves, *module.parameters()])
    return SimpleNamespace(results=results, gradients=gradients)


@pytest.fixture
def agree() -> Callable[..., None]:
    """Check that a layer, by its `forward` or by the reference, does what PyTorch's does with the same weights."""

    def check(theirs: type, ours: type, shape: dict[str, Any], layout: str, *, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        theirs = theirs(INPUT, HIDDEN, dtype=dtype, **shape)
        ours = ours(INPUT, HIDDEN, dtype=dtype, **shape)
        ours.load_state_dict(theirs.state_dict())
        x, hx = arguments(theirs, layout, dtype)
        expected = run(theirs, theirs, x, hx)
        # On PyTorch's kernels it is the same to the bit, on ours to the rounding.
        by_torch = nn.backend_of(ours, x) == "torch"
        assert by_torch == (dtype == torch.float64 or getattr(ours, "proj_size", 0) > 0)
        compare(run(ours, ours, x, hx), expected, *((0.0, 0.0) if by_torch else (2e-6, 1e-5)))
        # In single precision the two add up in different orders.
        compare(
            run(ours, ours.by_reference, x, hx), expected, *((1e-12, 1e-12) if dtype == torch.float64 else (2e-6, 1e-5))
        )

    return check


def compare(actual: SimpleNamespace, expected: SimpleNamespace, tolerance: float, of_gradients: float) -> None:
    """Allow so much in numbers that are 1 at most, and in a gradient so much of the largest number in it."""
    for mine, yours in zip(tensors(actual.results), tensors(expected.results), strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=tolerance * max(1.0, yours.abs().max().item()))
    for mine, yours in zip(actual.gradients, expected.gradients, strict=True):
        torch.testing.assert_close(mine, yours, rtol=0, atol=of_gradients * yours.abs().max().item())
    mine, yours = actual.results[0], expected.results[0]
    assert type(mine) is type(yours)
    if isinstance(yours, PackedSequence):
        for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
            of_mine, of_yours = getattr(mine, name), getattr(yours, name)
            assert of_mine is of_yours is None or torch.equal(of_mine, of_yours)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The class of each layer that our code computes."""
    seen: list[type] = []
    for part in (Stack, Step):

        def run(self: Any, *arguments: Any, before: Any = part._run) -> Any:
            seen.append(type(self))
            return before(self, *arguments)

        monkeypatch.setattr(part, "_run", run)
    return seen
