"""A model's layers become ours in place: the same numbers, the same objects, and a reason for each that is left."""

import copy
import logging
import pickle

import pytest
import torch
from torch.nn.utils import parametrize, prune

import sluicegate
from sluicegate import nn
from sluicegate.errors import ConfigError
from sluicegate.nn.made_classes import OURS
from sluicegate.nn.swap import plan, restore
from sluicegate.swaps import Swap

KINDS = list(OURS)
LAYERS = [torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN]
CELLS = [torch.nn.GRUCell, torch.nn.LSTMCell, torch.nn.RNNCell]
VARIANTS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"batch_first": True, "bias": False},
    {"num_layers": 3, "batch_first": True},
]


class Net(torch.nn.Module):
    """Layers at several depths, one of them at two places."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.ModuleDict({"gru": torch.nn.GRU(3, 4, num_layers=2, dropout=0.5, batch_first=True)})
        self.lstm = torch.nn.LSTM(4, 4, batch_first=True)
        self.again = self.lstm
        self.cell = torch.nn.RNNCell(4, 4)
        self.head = torch.nn.Linear(4, 1)

    def forward(self, x):
        x, _ = self.again(self.lstm(self.encoder["gru"](x)[0])[0])
        return self.head(self.cell(x[:, -1]))


class Renamed(torch.nn.GRU):
    """A subclass that computes what PyTorch computes."""

    def state_size(self):
        return self.num_layers * self.hidden_size


class Scaled(torch.nn.LSTM):
    """One that goes on from what PyTorch computes."""

    def forward(self, x, hx=None, scale=2.0):
        output, state = super().forward(x, hx)
        return scale * output, state


class Doubled(torch.nn.Module):
    def forward(self, weight):
        return 2 * weight

    def right_inverse(self, weight):
        return weight / 2


@pytest.fixture
def seeded():
    torch.manual_seed(0)


def close(mine, yours):
    torch.testing.assert_close(mine, yours, rtol=1e-5, atol=1e-5)


def tensors(value):
    return [value] if isinstance(value, torch.Tensor) else [t for part in value for t in tensors(part)]


def run(module, *inputs):
    """The results, and the gradients of a weighted sum of them in the input and the parameters."""
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    results = tensors(module(*inputs))
    weights = torch.Generator().manual_seed(1)
    loss = sum((t * torch.randn(t.shape, generator=weights)).sum() for t in results)
    return results, torch.autograd.grad(loss, [*inputs, *module.parameters()])


def x_for(layer):
    return torch.randn(5, 3) if isinstance(layer, tuple(CELLS)) else torch.randn(7, 5, 3)


# The same numbers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_numbers_stay_and_so_do_the_objects(seeded, kind, variant):
    layer = kind(3, 4, **({} if kind in CELLS else variant))
    parameters, x = dict(layer.named_parameters()), x_for(layer)
    expected = run(layer, x)
    assert sluicegate.accelerate(layer) is layer
    assert type(layer) is OURS[kind]
    assert {name: id(p) for name, p in layer.named_parameters()} == {name: id(p) for name, p in parameters.items()}
    close(run(layer, x), expected)


@pytest.mark.parametrize("kind", [torch.nn.RNN, torch.nn.RNNCell])
def test_relu(seeded, kind):
    layer = kind(3, 4, nonlinearity="relu")
    x = x_for(layer)
    expected = run(layer, x)
    close(run(sluicegate.accelerate(layer), x), expected)


def test_training_goes_on_as_it_would_have(seeded):
    """The optimizer and its state date from before; dropout draws the same."""
    model, x, y = Net(), torch.randn(6, 5, 3), torch.randn(6, 1)
    losses = {}
    for name in ("theirs", "ours"):
        trained = copy.deepcopy(model)
        optimizer = torch.optim.Adam(trained.parameters(), lr=0.05)
        torch.manual_seed(1)
        losses[name] = []
        for step in range(8):
            if step == 3 and name == "ours":
                sluicegate.accelerate(trained)
            loss = torch.nn.functional.mse_loss(trained(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    assert losses["ours"] == pytest.approx(losses["theirs"], rel=1e-4)
    assert losses["ours"][-1] < losses["ours"][0]


def test_a_gradient_of_a_gradient(seeded):
    layer, x = torch.nn.LSTM(3, 4), torch.randn(5, 2, 3, requires_grad=True)

    def penalty():
        (slope,) = torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
        return torch.autograd.grad(slope.pow(2).sum(), list(layer.parameters()), allow_unused=True)[:2]

    expected = penalty()
    sluicegate.accelerate(layer)
    close(penalty(), expected)


def test_other_weights_for_a_call(seeded):
    layer, x = torch.nn.GRU(3, 4), torch.randn(5, 2, 3)
    others = {name: torch.randn_like(p) for name, p in layer.named_parameters()}
    expected = torch.func.functional_call(layer, others, (x,))
    sluicegate.accelerate(layer)
    close(torch.func.functional_call(layer, others, (x,)), expected)


# The same objects


def test_hooks_stay(seeded):
    layer, x, calls = torch.nn.GRU(3, 4), torch.randn(5, 2, 3), []
    layer.register_forward_pre_hook(lambda module, args: calls.append(("before", module)))
    layer.register_forward_hook(lambda module, args, result: calls.append(("after", module)))
    layer.register_full_backward_hook(lambda module, inner, outer: calls.append(("backward", module)))
    sluicegate.accelerate(layer)
    layer(x.requires_grad_())[0].sum().backward()
    assert calls == [("before", layer), ("after", layer), ("backward", layer)]


def test_the_state_dict_stays(seeded):
    model = Net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    described = repr(model)
    after = sluicegate.accelerate(model).state_dict()
    assert list(after) == list(before)
    assert repr(model) == described
    Net().load_state_dict(after)


def test_a_layer_at_two_places_is_swapped_once(caplog):
    caplog.set_level(logging.INFO, "sluicegate")
    model = sluicegate.accelerate(Net())
    assert model.lstm is model.again
    assert type(model.lstm) is nn.LSTM
    assert [record.getMessage() for record in caplog.records] == [
        "swapped: encoder.gru (GRU)",
        "swapped: lstm (LSTM)",
        "swapped: cell (RNNCell)",
    ]
    assert plan(model) == [Swap("encoder.gru", "GRU"), Swap("lstm", "LSTM"), Swap("cell", "RNNCell")]


def test_twice_is_once(caplog):
    model = sluicegate.accelerate(Net())
    caplog.set_level(logging.INFO, "sluicegate")
    types = [type(module) for module in model.modules()]
    assert [type(module) for module in sluicegate.accelerate(model).modules()] == types
    assert caplog.records == []


def test_the_plan_changes_nothing():
    model = Net()
    types = [type(module) for module in model.modules()]
    planned = plan(model)
    assert [type(module) for module in model.modules()] == types
    assert plan(sluicegate.accelerate(model)) == planned


def test_layers_that_are_ours_stay_as_they_are(caplog):
    caplog.set_level(logging.INFO, "sluicegate")
    layer = nn.GRU(3, 4, reset="before", dtype=torch.float64)
    sluicegate.accelerate(torch.nn.Sequential(layer))
    assert layer.reset == "before"
    assert caplog.records == []


# What is left, and why


class OwnForward(torch.nn.GRU):
    def forward(self, x, hx=None):
        return x, hx


class OwnStep(torch.nn.GRU):
    def permute_hidden(self, hx, permutation):
        return hx


class OwnNorm(torch.nn.LSTM):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.layer_norm = torch.nn.LayerNorm(sizes[-1])


class OwnReset(torch.nn.GRUCell):
    def reset(self):
        self.reset_parameters()


def with_forward_replaced():
    layer = torch.nn.GRU(3, 4)
    layer.forward = lambda x: x
    return layer


LEFT = {
    "float64": lambda: torch.nn.GRU(3, 4, dtype=torch.float64),
    "bfloat16": lambda: torch.nn.RNNCell(3, 4, dtype=torch.bfloat16),
    "on meta": lambda: torch.nn.LSTMCell(3, 4, device="meta"),
    "a projection (proj_size=2)": lambda: torch.nn.LSTM(3, 4, proj_size=2),
    "scripted": lambda: torch.jit.script(torch.nn.GRU(3, 4)),
    "quantised": lambda: torch.ao.nn.quantized.dynamic.LSTM(3, 4),
    "its `forward` was replaced": with_forward_replaced,
    "OwnForward has a `forward` of its own": lambda: OwnForward(3, 4),
    "OwnStep has a `permute_hidden` of its own": lambda: OwnStep(3, 4),
    "this LSTM has a `layer_norm` of its own": lambda: OwnNorm(3, 4),
    "OwnReset has a `reset` of its own": lambda: OwnReset(3, 4),
}


@pytest.mark.filterwarnings("ignore:.*deprecated")  # torch on its own old ways
@pytest.mark.parametrize("reason", LEFT)
def test_left_and_why(caplog, reason):
    layer = LEFT[reason]()
    cls = type(layer)
    model = sluicegate.accelerate(torch.nn.ModuleDict({"inner": torch.nn.Sequential(layer)}))
    assert type(model["inner"][0]) is cls
    (swap,) = plan(model)
    assert (swap.name, swap.reason) == ("inner.0", reason)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"left to PyTorch: inner.0 ({swap.kind}), {reason}"


def test_the_rest_of_a_model_with_one_left():
    model = torch.nn.Sequential(torch.nn.GRU(3, 4), torch.nn.GRU(3, 4).double(), torch.nn.GRUCell(3, 4))
    sluicegate.accelerate(model)
    assert [type(module) for module in model] == [nn.GRU, torch.nn.GRU, nn.GRUCell]


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_module():
    with pytest.raises(ConfigError, match=r"a dict.*accelerated"):
        sluicegate.accelerate({"net": torch.nn.GRU(3, 4)})


# Subclasses and parametrisations


@pytest.mark.parametrize("kind", [Renamed, Scaled])
def test_a_subclass_stays_one(seeded, kind):
    layer, other, x = kind(3, 4), kind(5, 4), torch.randn(7, 2, 3)
    expected = run(layer, x)
    sluicegate.accelerate(torch.nn.ModuleList([layer, other]))
    assert type(layer) is type(other)
    assert isinstance(layer, kind)
    assert isinstance(layer, OURS[kind.__base__])
    assert repr(layer) == f"{kind.__name__}(3, 4)"
    close(run(layer, x), expected)
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(again) is type(layer)
        close(run(again, x), expected)
    assert type(restore(layer)) is kind


def test_a_subclass_calls_our_forward(seeded, monkeypatch):
    layer = sluicegate.accelerate(Scaled(3, 4))
    with monkeypatch.context() as patch:
        patch.setattr(nn.LSTM, "forward", lambda self, x, hx=None: (x + 1, hx))
        assert torch.equal(layer(torch.ones(1))[0], torch.tensor([4.0]))


def test_parametrised_weights(seeded):
    layer, x = torch.nn.GRU(3, 4), torch.randn(7, 2, 3)
    parametrize.register_parametrization(layer, "weight_hh_l0", Doubled())
    layer.parametrizations.weight_hh_l0.original.data += 0.1
    expected = run(layer, x)
    sluicegate.accelerate(layer)
    assert isinstance(layer, nn.GRU)
    assert repr(layer).startswith("ParametrizedGRU(")
    close(run(layer, x), expected)
    assert run(layer, x)[1][-1].abs().sum() > 0  # the one behind the parametrisation
    # PyTorch goes on to work on the class that it made.
    parametrize.register_parametrization(layer, "weight_ih_l0", Doubled())
    close(layer(x)[0], expected[0][0])
    for name in ("weight_hh_l0", "weight_ih_l0"):
        parametrize.remove_parametrizations(layer, name)
    assert type(layer) is nn.GRU
    close(layer(x)[0], expected[0][0])


def test_parametrised_weights_restored(seeded):
    layer, x = Renamed(3, 4), torch.randn(7, 2, 3)
    parametrize.register_parametrization(layer, "weight_hh_l0", Doubled())
    expected = layer(x)[0]
    restore(sluicegate.accelerate(layer))
    assert not isinstance(layer, nn.GRU)
    close(layer(x)[0], expected)
    parametrize.remove_parametrizations(layer, "weight_hh_l0")
    assert type(layer) is Renamed


def test_weights_that_a_hook_computes(seeded):
    layer, x = torch.nn.LSTM(3, 4), torch.randn(7, 2, 3)
    prune.l1_unstructured(layer, "weight_hh_l0", 0.5)
    expected = run(layer, x)
    sluicegate.accelerate(layer)
    close(run(layer, x), expected)
    layer.weight_hh_l0_orig.data *= 2
    assert not torch.allclose(layer(x)[0], expected[0][0], atol=1e-4)


# Copies and files


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_ours_too(seeded, way):
    model, x = Net().eval(), torch.randn(6, 5, 3)
    expected = model(x)
    again = way(sluicegate.accelerate(model))
    assert type(again.encoder["gru"]) is nn.GRU
    assert type(again.lstm) is nn.LSTM
    close(again(x), expected)


def test_a_restored_model_pickles_as_if_nothing_had_been(seeded):
    model, x = Net().eval(), torch.randn(6, 5, 3)
    before = pickle.dumps(model)
    sluicegate.accelerate(model)(x)
    assert pickle.dumps(model) != before
    assert pickle.dumps(restore(model)) == before


def test_what_pytorch_does_not_know_is_not_restored():
    layers = [nn.GRU(3, 4, reset="before"), nn.LSTM(3, 4, recurrent_dropout=0.5).eval(), nn.RNNCell(3, 4)]
    restore(torch.nn.ModuleList(layers))
    assert [type(layer) for layer in layers] == [nn.GRU, nn.LSTM, torch.nn.RNNCell]
