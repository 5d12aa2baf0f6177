"""A `forward` that was replaced on the layer goes on to ours, and all is as before afterwards."""

import copy
import functools

import pytest
import torch

import sluicegate
from sluicegate.nn.made_classes import OURS
from sluicegate.nn.swap import plan, restore

CELLS = (torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell)


class Scaled(torch.nn.LSTM):
    def forward(self, x, hx=None):
        output, state = super().forward(x, hx)
        return 2 * output, state


def hooked(layer, calls):
    """Put a function in the place of `forward`, as libraries do that load weights just before a call."""
    layer._old_forward = layer.forward

    def new_forward(module, *args, **kwargs):
        calls.append(module)
        return module._old_forward(*args, **kwargs)

    layer.forward = functools.update_wrapper(functools.partial(new_forward, layer), layer._old_forward)
    return layer


def unhooked(layer):
    layer.forward = layer._old_forward
    del layer._old_forward
    return layer


def first(result):
    return result[0] if isinstance(result, tuple) else result


def x_for(kind):
    return torch.randn(5, 3) if issubclass(kind, CELLS) else torch.randn(7, 5, 3)


@pytest.mark.parametrize("kind", [*OURS, Scaled])
def test_a_block_looks_through_a_hook_from_before_it(ran, kind):
    calls = []
    layer, x = hooked(kind(3, 4), calls), x_for(kind)
    expected, held = first(layer(x)), dict(vars(layer))
    with sluicegate.accelerated(log=False) as summary:
        assert len(calls) == 1
        found = first(layer(x))
        assert len(calls) == 2
        assert [swap.reason for swap in summary.swapped + summary.left] == [None]
        with sluicegate.accelerated(log=False):
            layer(x)
    assert len(ran) == 2
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    assert vars(layer) == held
    layer(x)
    assert len(ran) == 2
    assert len(calls) == 4


def test_a_block_looks_through_a_hook_from_within_it(ran):
    calls = []
    layer, x = torch.nn.GRU(3, 4), x_for(torch.nn.GRU)
    with sluicegate.accelerated(log=False):
        hooked(layer, calls)(x)
    assert len(ran) == len(calls) == 1
    layer(x)
    assert (len(ran), len(calls)) == (1, 2)
    unhooked(layer)(x)
    assert (len(ran), len(calls)) == (1, 2)


def test_a_hook_may_go_within_a_block(ran):
    layer, x = hooked(torch.nn.GRU(3, 4), []), x_for(torch.nn.GRU)
    with sluicegate.accelerated(log=False):
        unhooked(layer)(x)
    assert len(ran) == 1
    layer(x)
    assert len(ran) == 1


def test_each_block_finds_the_hooks_that_there_are_then(ran):
    x = x_for(torch.nn.GRU)
    with sluicegate.accelerated(log=False):
        pass
    layer = hooked(torch.nn.GRU(3, 4), [])
    for times in (1, 2):
        with sluicegate.accelerated(log=False):
            layer(x)
        assert len(ran) == times


def test_a_copy_made_in_the_block_is_pytorchs_after_it(ran):
    layer, x = torch.nn.GRU(3, 4), x_for(torch.nn.GRU)
    layer.kept = layer.forward
    with sluicegate.accelerated(log=False):
        copied = copy.deepcopy(layer)
        copied.kept(x)
    assert len(ran) == 1
    assert torch.equal(copied.kept(x)[0], layer.kept(x)[0])
    assert len(ran) == 1


@pytest.mark.parametrize("kind", [*OURS, Scaled])
def test_a_model_is_swapped_with_its_hooks(ran, kind):
    calls = []
    layer, x = hooked(kind(3, 4), calls), x_for(kind)
    expected, held = first(layer(x)), dict(vars(layer))
    assert [swap.reason for swap in plan(layer)] == [None]
    sluicegate.accelerate(layer)
    torch.testing.assert_close(first(layer(x)), expected, rtol=0, atol=2e-6)
    assert (len(ran), len(calls)) == (1, 2)
    restore(layer)
    assert type(layer) is kind
    assert vars(layer) == held
    assert torch.equal(first(layer(x)), expected)
    assert (len(ran), len(calls)) == (1, 3)


def test_a_hook_that_goes_from_a_swapped_layer(ran):
    layer, x = hooked(torch.nn.GRU(3, 4), []), x_for(torch.nn.GRU)
    unhooked(sluicegate.accelerate(layer))(x)
    assert len(ran) == 1
    restore(layer)(x)
    assert len(ran) == 1


def test_what_leads_nowhere_is_left():
    layer = torch.nn.GRU(3, 4)
    layer.forward = lambda x: (x, None)
    assert [swap.reason for swap in plan(layer)] == ["its `forward` was replaced"]
