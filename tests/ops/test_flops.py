"""A layer counts as many operations as PyTorch's own."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.flop_counter import FlopCounterMode

import sluicegate

LAYERS = (torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN)
CELLS = (torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell)
SHAPES = [{}, {"batch_first": True, "bias": False}, {"num_layers": 2, "bidirectional": True}]


def count(module, *inputs, back):
    """The operations of a call, and with `back` of the way back too, each as the counter has them by module."""
    counter = FlopCounterMode(display=False)
    with counter:
        result = module(*inputs)
        while isinstance(result, tuple):
            result = result[0]
        if back:
            result.sum().backward()
    return counter.get_total_flops()


def inputs(module, form):
    if isinstance(module, CELLS):
        states = [torch.randn(3, 5) for _ in range(2)]
        return torch.randn(3, 4), states[0] if not isinstance(module, torch.nn.LSTMCell) else tuple(states)
    x = torch.randn(3, 6, 4) if module.batch_first else torch.randn(6, 3, 4)
    if form == "packed":
        x = pack_padded_sequence(x, [6, 4, 2], module.batch_first)
    states = [torch.randn(module.num_layers * (1 + module.bidirectional), 3, 5) for _ in range(2)]
    return x, states[0] if not isinstance(module, torch.nn.LSTM) else tuple(states)


@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_is_pytorchs_figure(kind):
    for shape in SHAPES if kind in LAYERS else [{}, {"bias": False}]:
        theirs = kind(4, 5, **shape)
        ours = sluicegate.accelerate(copy.deepcopy(theirs))
        for form in ("batch", "packed") if kind in LAYERS else ("batch",):
            x, hx = inputs(theirs, form)
            known = torch.backends.mkldnn.enabled and kind is torch.nn.LSTM and form == "batch"
            for learned in (False, True):  # whether gradients are asked for of what goes in
                for state in (None, hx):
                    if form == "batch":
                        x = x.detach().requires_grad_(learned)
                    if isinstance(state, tuple):
                        state = tuple(s.detach().requires_grad_(learned) for s in state)
                    elif state is not None:
                        state = state.detach().requires_grad_(learned)
                    for back in (False, True):
                        expected = count(theirs, x, state, back=back)
                        assert (expected == 0) == known  # oneDNN's LSTM
                        assert count(ours, x, state, back=back) == expected


def test_an_lstm_without_onednn():
    theirs, x = torch.nn.LSTM(4, 5, bidirectional=True), torch.randn(6, 3, 4)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    torch.backends.mkldnn.set_flags(False)
    try:
        expected = count(theirs, x, back=True)
        assert expected > 0
        assert count(ours, x, back=True) == expected
    finally:
        torch.backends.mkldnn.set_flags(True)


def test_frozen_weights():
    theirs, x = torch.nn.GRU(4, 5), torch.randn(6, 3, 4)
    theirs.weight_ih_l0.requires_grad_(False)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    assert count(ours, x, back=True) == count(theirs, x, back=True) > 0


def test_lengths_count_as_packing():
    layer, x = sluicegate.GRU(4, 5, bidirectional=True), torch.randn(6, 3, 4)
    for back in (False, True):
        packed = count(layer, pack_padded_sequence(x, [6, 4, 2]), back=back)
        assert count(lambda x: layer(x, lengths=[2, 6, 4]), x, back=back) == packed
    assert count(lambda x: layer(x, lengths=[0, 0, 0]), x, back=True) == 0
    assert count(layer, torch.randn(0, 3, 4), back=True) == 0


def test_a_model_counts_by_module():
    model = torch.nn.Sequential(torch.nn.GRU(4, 5))
    counts = []
    for each in (copy.deepcopy(model), sluicegate.accelerate(model)):
        counter = FlopCounterMode(display=False)
        with counter:
            each(torch.randn(6, 3, 4))[0].sum().backward()
        counts.append({name: sum(found.values()) for name, found in counter.get_flop_counts().items()})
    assert counts[0] == counts[1]
    assert counts[0]["Sequential.0"] > 0
