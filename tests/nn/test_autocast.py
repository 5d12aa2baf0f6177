"""Under autocast, results have the types that those of PyTorch's layers have."""

import copy
import itertools

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import sluicegate
from sluicegate.nn import autocast, backend_of

LAYERS = (torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN)
CELLS = (torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell)
HALVES = (torch.bfloat16, torch.float16)
SHAPES = [{}, {"num_layers": 2, "bidirectional": True}]
# Of oneDNN on a processor without such numbers, and of autocast where the two halves meet.
REFUSALS = "primitive", "ScalarType in at::autocast"
MODES = {"training": True, "inference": False}


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    parts = [value.data] if isinstance(value, PackedSequence) else value
    return [t for part in parts for t in tensors(part)]


def calls(kind, dtype):
    """Inputs and states of every form and type that such a layer may meet."""
    cell = kind in CELLS
    for of_x, of_h, of_c in itertools.product((torch.float32, dtype), (None, torch.float32, *HALVES), HALVES):
        x = torch.randn(3, 4) if cell else torch.randn(6, 3, 4)
        for form in ("batch", "single") if cell else ("batch", "single", "packed"):
            if form == "single":
                x = x[0] if cell else x[:, 0]
            data = x.to(of_x)
            rows = () if form == "single" else (3,)
            h = c = None
            if of_h is not None:
                h, c = (torch.randn(*rows, 5).to(t) for t in (of_h, of_c))
            if form == "packed":
                data = pack_padded_sequence(torch.randn(6, 3, 4).to(of_x), [6, 4, 2])
                if h is not None:
                    h, c = (torch.randn(3, 5).to(t) for t in (of_h, of_c))
            yield data, None if h is None else (h, c) if "LSTM" in kind.__name__ else h


def stacked(module, hx):
    """As many states as a layer has layers and directions."""
    if hx is None or isinstance(module, CELLS):
        return hx
    count = module.num_layers * (2 if module.bidirectional else 1)
    return tuple(s.expand(count, *s.shape) for s in hx) if isinstance(hx, tuple) else hx.expand(count, *hx.shape)


def types(module, x, hx, dtype, gradients):
    with torch.set_grad_enabled(gradients), torch.autocast("cpu", dtype):
        return [t.dtype for t in tensors(module(x, hx))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_the_types_are_pytorchs(kind, dtype, mode):
    compared = 0
    for shape in SHAPES if kind in LAYERS else [{}]:
        theirs = kind(4, 5, **shape).train(MODES[mode])
        ours = sluicegate.accelerate(copy.deepcopy(theirs))
        for x, hx in calls(kind, dtype):
            hx = stacked(theirs, hx)
            found = types(ours, x, hx, dtype, MODES[mode])
            try:
                expected = types(theirs, x, hx, dtype, MODES[mode])
            except RuntimeError as error:
                assert any(word in str(error) for word in REFUSALS)  # noqa: PT017 - and then any type is right
                continue
            assert found == expected
            compared += 1
    assert compared >= 4


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_an_lstm_that_onednn_would_refuse_has_the_type_that_it_has_elsewhere(dtype):
    layer, x = sluicegate.LSTM(4, 5, num_layers=2), torch.randn(6, 3, 4)
    with torch.autocast("cpu", dtype):
        assert {t.dtype for t in tensors(layer(x))} == {dtype}
        torch.backends.mkldnn.set_flags(False)
        try:
            assert {t.dtype for t in tensors(layer(x))} == {torch.float32}
        finally:
            torch.backends.mkldnn.set_flags(True)


@pytest.mark.parametrize("half", HALVES)
def test_only_results_are_rounded_beside_products(half):
    """Under bfloat16 it is a layer whose products are; under float16 products are as without autocast."""
    layer, x = sluicegate.RNN(4, 5, num_layers=2), torch.randn(6, 3, 4)
    other = sluicegate.RNN(4, 5, num_layers=2, precision="bf16" if half == torch.bfloat16 else "fp32")
    other.load_state_dict(layer.state_dict())
    exact, last = other(x)
    with torch.autocast("cpu", half):
        outputs, state = layer(x)
    assert torch.equal(outputs, exact.to(half))
    assert torch.equal(state, last.to(half))
    found = torch.autograd.grad(outputs.float().sum(), list(layer.parameters()))
    expected = torch.autograd.grad(exact.sum(), list(other.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_a_mingru_and_autocast_of_another_device_round_nothing():
    x = torch.randn(6, 3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert sluicegate.nn.MinGRU(4, 5)(x)[0].dtype == torch.float32
    layer = sluicegate.RNN(4, 5)
    torch.set_autocast_enabled("cuda", True)
    try:
        assert layer(x)[0].dtype == torch.float32
    finally:
        torch.set_autocast_enabled("cuda", False)


def test_results_go_where_pytorchs_go():
    layer, x = torch.nn.LSTM(4, 5), torch.randn(6, 3, 4)
    with torch.autocast("cpu", torch.bfloat16), sluicegate.accelerated(log=False):
        into = torch.nn.functional.linear(x, torch.ones(5, 4))
        into[torch.arange(6)] = layer(x)[0]
    assert into.dtype == torch.bfloat16


def test_an_lstm_in_bfloat16_is_left_where_the_processor_multiplies_it(monkeypatch):
    layer, x = sluicegate.LSTM(4, 5), torch.randn(6, 3, 4)
    packed = pack_padded_sequence(x, [6, 4, 2])
    for multiplies in (False, True):
        monkeypatch.setattr(autocast, "multiplies_bfloat16", lambda multiplies=multiplies: multiplies)
        with torch.autocast("cpu", torch.bfloat16):
            assert (backend_of(layer, x) == "torch") == multiplies
            assert backend_of(layer, packed) != "torch"  # which oneDNN does not take
            assert backend_of(sluicegate.GRU(4, 5), x) != "torch"
            assert backend_of(sluicegate.LSTM(4, 5, activation="relu"), x) != "torch"
            assert layer(x, lengths=[6, 0, 2])[0].dtype == torch.float32
        with torch.autocast("cpu", torch.float16):
            assert backend_of(layer, x) != "torch"
        assert backend_of(layer, x) != "torch"
