"""Layers and cells compute with what PyTorch's read: adapters, fast weights and hooks have their effect."""

import copy

import pytest
import torch
from torch.nn.utils import parametrize, spectral_norm, weight_norm

import sluicegate
from sluicegate import _core
from sluicegate.nn import backend_of

LAYERS, CELLS = [torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN], [torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell]
pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")


def make(kind):
    torch.manual_seed(0)
    if kind in CELLS:
        return kind(3, 4), "weight_hh", torch.randn(5, 3)
    return kind(3, 4, num_layers=2, bidirectional=True), "weight_hh_l1_reverse", torch.randn(6, 5, 3)


def fast_like(weight):
    return torch.randn(weight.shape, requires_grad=True)


def by_setattr(module, name, fast):
    object.__setattr__(module, name, fast)


def by_dict(module, name, fast):
    vars(module)[name] = fast


def by_parameters(module, name, fast):
    module._parameters[name] = fast


def by_deletion(module, name, fast):
    """As fast weights are set: the parameter makes room for a tensor."""
    module._parameters.pop(name, None)
    setattr(module, name, fast)


def by_class(module, name, fast):
    """As an adapter does that makes a class for the one layer."""
    bases = type(module) if type(module).__name__ != "Adapted" else type(module).__bases__[0]
    module.__class__ = type("Adapted", (bases,), {name: property(lambda self: fast)})


def by_list(module, name, fast):
    module._flat_weights = [*module._flat_weights]
    module._flat_weights[module._flat_weights_names.index(name)] = fast


def by_element(module, name, fast):
    module._flat_weights[module._flat_weights_names.index(name)] = fast


EVERYWHERE = [by_setattr, by_dict, by_parameters, by_deletion, by_class]
WAYS = [(kind, way) for way in EVERYWHERE for kind in LAYERS + CELLS]
WAYS += [(kind, way) for way in (by_list, by_element) for kind in LAYERS]


def outputs(result):
    return result[0] if isinstance(result, tuple) else result


def results(module, x, leaves):
    with torch.no_grad():
        silent = outputs(module(x))
    loss = (outputs(module(x)) * torch.linspace(-1, 1, silent.numel()).view(silent.shape)).sum()
    return [silent, *torch.autograd.grad(loss, leaves)]


def close(mine, yours):
    torch.testing.assert_close(mine, yours, rtol=0, atol=1e-5)


@pytest.mark.parametrize("block", [False, True], ids=["accelerate", "block"])
@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_a_tensor_in_the_place_of_a_parameter(kind, way, block):
    theirs, name, x = make(kind)
    ours = copy.deepcopy(theirs)
    if not block:
        sluicegate.accelerate(ours)
    for module in (theirs, ours):
        module(x)
    for _ in range(2):  # also when it changes again
        fast = fast_like(getattr(theirs, name))
        for module in (theirs, ours):
            way(module, name, fast)
        expected = results(theirs, x, [fast])
        if block:
            with sluicegate.accelerated() as summary:
                close(results(ours, x, [fast]), expected)
                assert len(summary.swapped) == 1
        else:
            assert backend_of(ours, x) == _core.isa()
            close(results(ours, x, [fast]), expected)


class Flat(torch.nn.LSTM):
    def forward(self, x, hx=None):
        self._flat_weights = [2 * weight for weight in self.parameters()]
        return super().forward(x, hx)


class Listed(torch.nn.GRU):
    def _update_flat_weights(self):
        self._flat_weights = [weight - 0.1 for weight in self.parameters()]


@pytest.mark.parametrize("kind", [Flat, Listed])
def test_a_subclass_that_makes_the_list(kind):
    layer, _, x = make(kind)
    leaves = list(layer.parameters())
    expected = results(layer, x, leaves)
    with sluicegate.accelerated() as summary:
        close(results(layer, x, leaves), expected)
    assert len(summary.swapped) == 1
    close(results(sluicegate.accelerate(layer), x, leaves), expected)


@pytest.mark.parametrize("how", [weight_norm, spectral_norm])
@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_hooks_that_compute_a_weight(kind, how):
    theirs, name, x = make(kind)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    for module in (theirs.eval(), ours.eval()):
        torch.manual_seed(1)
        how(module, name)
    for _ in range(2):
        parameters = [dict(sorted(module.named_parameters())) for module in (theirs, ours)]
        expected, found = (results(m, x, [*p.values()]) for m, p in zip((theirs, ours), parameters, strict=True))
        close(found, expected)
        for each in parameters:
            next(iter(each.values())).data.mul_(0.5)


@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_functional_call(kind):
    theirs, name, x = make(kind)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    ours(x)
    for _ in range(2):
        fast = fast_like(getattr(theirs, name))
        calls = [lambda x, m=module, w=fast: torch.func.functional_call(m, {name: w}, x) for module in (theirs, ours)]
        expected, found = (results(call, x, [fast]) for call in calls)
        close(found, expected)
    close(results(ours, x, list(ours.parameters())), results(theirs, x, list(theirs.parameters())))


@pytest.mark.parametrize("kind", CELLS)
def test_biases_of_a_cell_are_what_its_attributes_hold(kind):
    theirs, _, x = make(kind)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    for module in (theirs, ours):
        module.bias = False  # nobody asks for it
    close(outputs(ours(x)), outputs(theirs(x)))
    for names in (("bias_ih",), ("bias_hh",)):
        for module in (theirs, ours):
            for name in names:
                setattr(module, name, None)
        try:
            expected = outputs(theirs(x))
        except RuntimeError:
            with pytest.raises(RuntimeError):
                ours(x)
        else:
            close(outputs(ours(x)), expected)


def test_a_weight_that_only_pytorch_takes():
    """A bias that is spread over the units, and weights of two types, which are refused."""
    theirs, _, x = make(torch.nn.GRUCell)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    for module in (theirs, ours):
        by_setattr(module, "bias_ih", torch.ones(1))
    close(ours(x), theirs(x))
    for kind in (torch.nn.GRU, torch.nn.GRUCell):
        theirs, name, x = make(kind)
        ours = sluicegate.accelerate(copy.deepcopy(theirs))
        for module in (theirs, ours):
            by_deletion(module, name, getattr(module, name).double())
        with pytest.raises(RuntimeError) as expected:
            theirs(x)
        with pytest.raises(RuntimeError) as found:
            ours(x)
        assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("block", [False, True], ids=["accelerate", "block"])
def test_an_rnn_computes_what_its_mode_says(block):
    theirs, _, x = make(torch.nn.RNN)
    ours = copy.deepcopy(theirs) if block else sluicegate.accelerate(copy.deepcopy(theirs))
    for attribute, value in (("nonlinearity", "relu"), ("mode", "RNN_RELU"), ("mode", "RNN_TANH")):
        for module in (theirs, ours):
            setattr(module, attribute, value)
        expected = theirs(x)[0]
        with sluicegate.accelerated():
            close(ours(x)[0], expected)


SIZES = [{"bidirectional": False}, {"num_layers": 1}, {"bias": False}, {"input_size": 4}]


@pytest.mark.parametrize("change", SIZES, ids=str)
@pytest.mark.parametrize("kind", [torch.nn.GRU, torch.nn.RNN])  # PyTorch's LSTM reads what lies there
def test_sizes_that_have_been_changed_are_refused_as_pytorch_does(kind, change):
    theirs, _, x = make(kind)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    for module in (theirs, ours):
        vars(module).update(change)
    with pytest.raises(RuntimeError) as expected:
        theirs(x)
    with pytest.raises(RuntimeError) as found:
        ours(x)
    assert str(found.value) == str(expected.value)


class Halved(torch.nn.Module):
    def forward(self, weight):
        return weight / 2


@pytest.mark.parametrize("kind", LAYERS + CELLS)
def test_a_second_parametrisation(kind):
    theirs, name, x = make(kind)
    ours = sluicegate.accelerate(copy.deepcopy(theirs))
    other = name.replace("weight", "bias")
    for one in (name, other):
        for module in (theirs, ours):
            parametrize.register_parametrization(module, one, Halved())
            module(x)
        parameters = [list(dict(sorted(module.named_parameters())).values()) for module in (theirs, ours)]
        expected, found = (results(m, x, p) for m, p in zip((theirs, ours), parameters, strict=True))
        close(found, expected)
