"""Models in int8: near the floats, each row for itself, and a sentence where they cannot be had."""

import copy
import pickle

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sluicegate import nn
from sluicegate.errors import ConfigError
from sluicegate.nn.quantized import Quantized

KINDS = ["GRU", "LSTM", "RNN", "MinGRU", "LiGRU"]
LENGTHS = [30, 4, 1, 17, 9]


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


@pytest.fixture(params=KINDS)
def kind(request):
    torch.manual_seed(0)
    return getattr(nn, request.param)


@pytest.mark.parametrize("both_ways", [False, True])
def test_is_near_the_floats(kind, both_ways):
    layer = kind(16, 40, 2, batch_first=True, bidirectional=both_ways).eval()
    x = torch.randn(5, 30, 16)
    small = nn.quantize(layer, [x])
    with torch.no_grad():
        (exact, state), (found, last) = layer(x, lengths=LENGTHS), small(x, lengths=LENGTHS)
    assert (found - exact).abs().max() < 0.02
    for a, b in zip(parts(state), parts(last), strict=True):
        assert (a - b).abs().max() < 0.04
    assert not torch.equal(found, exact)


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_row_has_the_same_bits_alone_in_a_batch_and_packed(kind, both_ways):
    layer = kind(12, 17, 2, bidirectional=both_ways)
    x = torch.randn(30, 5, 12)
    small = nn.quantize(layer, [x])
    found, state = small(x, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, last = small(x[:length, row])
        assert torch.equal(alone, found[:length, row])
        assert not found[length:, row].any()
        for a, b in zip(parts(last), parts(state), strict=True):
            assert torch.equal(a, b[:, row])
    packed, again = small(pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False))
    assert torch.equal(pad_packed_sequence(packed)[0], found)
    assert all(torch.equal(a, b) for a, b in zip(parts(again), parts(state), strict=True))


def test_the_gradient_of_the_input_is_that_of_the_floats_that_the_weights_stand_for(kind):
    layer = kind(12, 17, **({"normalization": None} if kind is nn.LiGRU else {})).eval()
    x, lengths = torch.randn(7, 5, 12, requires_grad=True), [7, 2, 5, 1, 7]
    small = nn.quantize(layer, [x.detach()])
    with torch.no_grad():
        for parameter, rounded in zip(layer.parameters(), small.floats("_l0"), strict=True):
            parameter.copy_(rounded)
    found, expected = (torch.autograd.grad(one(x, lengths=lengths)[0].sum(), x)[0] for one in (small, layer))
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(small(x)[0], small(x.detach())[0])


def test_goes_on_from_a_state(kind):
    small = nn.quantize(kind(12, 17, 2), [torch.randn(20, 3, 12)])
    x = torch.randn(10, 3, 12)
    whole, last = small(x)
    first, state = small(x[:4])
    rest, end = small(x[4:], state)
    assert torch.equal(torch.cat([first, rest]), whole)
    assert all(torch.equal(a, b) for a, b in zip(parts(end), parts(last), strict=True))


def test_a_state_dict_is_all_of_it(kind):
    layer, x = kind(16, 24, 2), torch.randn(9, 2, 16)
    small, other = nn.quantize(layer, [x]), nn.quantize(copy.deepcopy(layer), [3 * x])
    before = other(x)[0]
    other.load_state_dict(small.state_dict())
    assert torch.equal(other(x)[0], small(x)[0])
    assert not torch.equal(before, small(x)[0])


def test_a_copy_goes_its_own_way(kind):
    small, x = nn.quantize(kind(12, 17), [torch.randn(20, 12)]), torch.randn(9, 12)
    before = small(x)[0]
    for other in (copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        assert torch.equal(other(x)[0], before)
        other.load_state_dict({name: torch.zeros_like(value) for name, value in other.state_dict().items()})
        assert not other(x)[0].any()
    assert torch.equal(small(x)[0], before)


def test_few_features_stay_in_floats():
    few, many = nn.quantize(nn.GRU(8, 5), [torch.randn(4, 8)]), nn.quantize(nn.GRU(9, 5), [torch.randn(4, 9)])
    assert few.weight_ih_l0.dtype == torch.float32
    assert many.weight_ih_l0.dtype == torch.int8


def test_without_data_only_what_is_bounded_is_rounded():
    small = nn.quantize(nn.GRU(16, 5, 2))
    assert small.weight_ih_l0.dtype == torch.float32
    assert small.weight_ih_l1.dtype == torch.int8
    assert (small.factor_ih_l1 == 127).all()
    assert small.factor_hh_l0 == 127
    unbounded = nn.quantize(nn.MinGRU(16, 5, 2))
    assert unbounded.weight_ih_l1.dtype == torch.float32


def test_a_relu_is_bounded_by_the_data():
    layer = nn.RNN(16, 5, nonlinearity="relu")
    with pytest.raises(ConfigError, match="whose state nothing bounds: give `data`"):
        nn.quantize(layer)
    x = torch.randn(50, 16)
    small = nn.quantize(layer, [x])
    assert small.factor_hh_l0.item() == pytest.approx(127 / layer(x)[0].max().item())
    mixed = nn.quantize(torch.nn.ModuleList([layer, nn.GRU(16, 5)]))
    assert [type(one) for one in mixed] == [nn.RNN, Quantized]


def test_within_a_model_all_else_is_as_it_was():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.head = nn.LSTM(16, 8, batch_first=True), torch.nn.Linear(8, 3)

        def forward(self, x, scale):
            return scale * self.head(self.layer(x)[0])

    model, x = Model(), torch.randn(4, 9, 16)
    small = nn.quantize(model, [(x, 2.0)])
    assert isinstance(model.layer, nn.LSTM)
    assert torch.equal(small.head.weight, model.head.weight)
    with torch.no_grad():
        assert (small(x, 2.0) - model(x, 2.0)).abs().max() < 0.05


@pytest.mark.parametrize(
    "layer", [torch.nn.Linear(3, 4), nn.LSTM(5, 7, proj_size=3), nn.GRU(5, 7, layer_norm=True), nn.GRU(5, 7).double()]
)
def test_other_layers_are_refused(layer):
    with pytest.raises(ConfigError, match="no layer that can be computed in int8"):
        nn.quantize(layer)


def test_what_does_not_fit_is_refused():
    small = nn.quantize(nn.GRU(16, 5))
    with pytest.raises(ConfigError, match="the last has 16"):
        small(torch.randn(3, 15))
    with pytest.raises(ConfigError, match="`hx` must be 1 of the shape"):
        small(torch.randn(3, 16), torch.zeros(1, 4))
