"""The options beyond `torch.nn`: their parameters, their effect, and what they refuse."""

import copy
import pickle

import pytest
import torch
from torch.nn.utils import parametrize

from sluicegate.errors import ConfigError
from sluicegate.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

LAYERS = [GRU, LSTM, RNN]
CELLS = [GRUCell, LSTMCell, RNNCell]
every_module = pytest.mark.parametrize("kind", LAYERS + CELLS)
every_layer = pytest.mark.parametrize("kind", LAYERS)
OPTIONS = {"layer_norm": True, "precision": "bf16", "recurrent_dropout": 0.5}


def of_torch(kind):
    return getattr(torch.nn, kind.__name__)


def first(result):
    return result if isinstance(result, torch.Tensor) else result[0]


X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


@every_module
def test_weights_go_to_torch_and_come_back(kind):
    ours, theirs, back = kind(3, 5), of_torch(kind)(3, 5), kind(3, 5)
    theirs.load_state_dict(ours.state_dict())
    back.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(first(theirs(X)), first(ours(X)), rtol=0, atol=2e-6)
    assert torch.equal(first(back(X)), first(ours(X)))


@every_module
def test_draws_the_same_weights_as_torch(kind):
    torch.manual_seed(3)
    theirs = of_torch(kind)(3, 5)
    torch.manual_seed(3)
    ours = kind(3, 5, **OPTIONS)
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)


@every_module
def test_layer_norm_adds_gains_and_nothing_else_does(kind):
    plain = list(kind(3, 5, precision="bf16", recurrent_dropout=0.5).state_dict())
    assert plain == list(of_torch(kind)(3, 5).state_dict())
    layer = kind(3, 5, layer_norm=True)
    suffix = "_l0" if kind in LAYERS else ""
    gates = layer.state_dict()[f"weight_hh{suffix}"].shape[0]
    added = {n: p for n, p in layer.named_parameters() if n not in plain}
    expected = {f"gain_ih{suffix}": torch.ones(gates), f"gain_hh{suffix}": torch.ones(gates)}
    if "LSTM" in kind.__name__:
        expected |= {f"gain_c{suffix}": torch.ones(5), f"bias_c{suffix}": torch.zeros(5)}
    assert added.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(added[name], value)

    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(7.0)
    layer.reset_parameters()
    for name, value in expected.items():
        assert torch.equal(added[name], value)
    assert all(p.abs().max() <= 5**-0.5 for n, p in layer.named_parameters() if n in plain)


@every_layer
def test_layer_norm_learns_in_every_layer_and_direction(kind):
    layer = kind(3, 5, 2, bidirectional=True, layer_norm=True)
    first(layer(X)).square().sum().backward()
    gains = [name for name, _ in layer.named_parameters() if name.startswith(("gain_", "bias_c"))]
    assert len(gains) == (16 if kind is LSTM else 8)
    assert all(layer.get_parameter(name).grad.abs().max() > 0 for name in gains)


@every_module
def test_layer_norm_does_not_see_the_scale_of_the_input(kind):
    module = kind(3, 64, layer_norm=True, dtype=torch.float64)
    x = X.double()
    with torch.no_grad():
        small, large = first(module(30 * x)), first(module(1000 * x))
        plain = kind(3, 64, dtype=torch.float64)
        apart = (first(plain(30 * x)) - first(plain(1000 * x))).abs().max()
    torch.testing.assert_close(small, large, rtol=1e-3, atol=1e-3)
    assert apart > 0.1


@every_module
def test_bf16_is_close_to_fp32_and_gives_fp32(kind):
    full, rounded = kind(3, 32), kind(3, 32, precision="bf16")
    rounded.load_state_dict(full.state_dict())
    h = torch.randn(1, 32) if kind in LAYERS else torch.randn(4, 32)
    state = (h, h) if kind in (LSTM, LSTMCell) else h
    expected, result = first(full(X, state)), first(rounded(X, state))
    assert result.dtype == torch.float32
    assert 0 < (result - expected).abs().max() < 0.02
    expected.sum().backward()
    result.sum().backward()
    for mine, yours in zip(rounded.parameters(), full.parameters(), strict=True):
        assert 0 < (mine.grad - yours.grad).norm() < 0.02 * yours.grad.norm()


@pytest.mark.parametrize("options", [{}, OPTIONS], ids=["plain", "options"])
@every_module
def test_survives_a_copy_and_a_pickle(kind, options):
    module = kind(3, 5, **options).eval()
    expected = first(module(X))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert type(other) is kind
        assert repr(other) == repr(module)
        assert torch.equal(first(other(X)), expected)
        with torch.no_grad():
            next(other.parameters()).fill_(0.3)
        assert not torch.equal(first(other(X)), expected)
    assert torch.equal(first(module(X)), expected)


class Halved(torch.nn.Module):
    def forward(self, weight):
        return 0.5 * weight


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}], ids=["torch", "reference"])
@every_module
def test_follows_a_parametrized_weight(kind, options):
    name = "weight_hh_l0" if kind in LAYERS else "weight_hh"
    layer, halved = kind(3, 5, **options), kind(3, 5, **options)
    layer.load_state_dict(halved.state_dict())
    parametrize.register_parametrization(layer, name, Halved())
    with torch.no_grad():
        getattr(halved, name).mul_(0.5)
    h = torch.randn(4 if name == "weight_hh" else 1, 5)
    state = (h, h) if isinstance(layer, torch.nn.LSTM | torch.nn.LSTMCell) else h
    result = first(layer(X, state))
    assert torch.equal(result, first(halved(X, state)))
    result.sum().backward()
    assert layer.parametrizations[name].original.grad.abs().max() > 0
    # The weight is read anew at each call.
    with torch.no_grad():
        layer.parametrizations[name].original.zero_()
    assert not torch.equal(first(layer(X, state)), result)


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}], ids=["torch", "reference"])
@every_module
def test_computes_with_weights_from_outside(kind, options):
    module, other = kind(3, 5, **options), kind(3, 5, **options)
    result = torch.func.functional_call(module, dict(other.named_parameters()), (X,))
    assert torch.equal(first(result), first(other(X)))


def test_says_which_options_it_has():
    assert repr(GRU(3, 5, num_layers=2, reset="before", layer_norm=True)) == (
        "GRU(3, 5, num_layers=2, reset='before', layer_norm=True)"
    )
    assert repr(LSTMCell(3, 5, activation="relu", recurrent_dropout=0.5, precision="bf16")) == (
        "LSTMCell(3, 5, activation='relu', recurrent_dropout=0.5, precision='bf16')"
    )


REFUSED = [
    *((kind, "reset", "later", '"after" or "before"') for kind in (GRU, GRUCell)),
    *((kind, "activation", "sigmoid", '"tanh" or "relu"') for kind in (GRU, LSTM, GRUCell, LSTMCell)),
    (RNNCell, "nonlinearity", "sigmoid", '"tanh" or "relu"'),
    *((kind, "precision", "fp16", '"fp32" or "bf16"') for kind in LAYERS + CELLS),
    *((kind, "precision", None, '"fp32" or "bf16"') for kind in LAYERS + CELLS),
    *((kind, "layer_norm", "yes", "True or False") for kind in LAYERS + CELLS),
    *(
        (kind, "recurrent_dropout", value, "a number from 0 up to but not including 1")
        for kind in LAYERS + CELLS
        for value in (1.0, -0.1, True, "0.5", float("nan"))
    ),
]


@pytest.mark.parametrize(("kind", "name", "value", "expected"), REFUSED)
def test_refuses_a_wrong_option_in_a_sentence(unchecked, kind, name, value, expected):
    with pytest.raises(ConfigError) as refusal:
        kind(3, 5, **{name: value})
    assert str(refusal.value) == f"`{name}` (={value!r}) must be {expected}"


@every_module
def test_options_are_keyword_only(kind):
    with pytest.raises(TypeError, match="positional"):
        kind(*[3, 5, 1, True, False, 0.0, False, 0, None, None, "after"])
