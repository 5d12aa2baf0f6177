"""What is seen of a layer: the equations written out in double precision, and the layer's own outputs."""

import copy

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pack_padded_sequence

import sluicegate
from sluicegate import nn
from sluicegate.errors import ConfigError, DataError
from sluicegate.nn.gates import PARTS, look

BOTH = {"num_layers": 2, "bidirectional": True}
LAYERS = {
    "torch gru": lambda: torch.nn.GRU(3, 5, **BOTH),
    "torch gru, batch first": lambda: torch.nn.GRU(3, 5, batch_first=True, bias=False, **BOTH),
    "torch lstm": lambda: torch.nn.LSTM(3, 5, **BOTH),
    "torch lstm, projected": lambda: torch.nn.LSTM(3, 5, proj_size=2, **BOTH),
    "torch rnn": lambda: torch.nn.RNN(3, 5, nonlinearity="relu", **BOTH),
    "torch gru, double": lambda: torch.nn.GRU(3, 5, dtype=torch.float64),
    "gru": lambda: nn.GRU(3, 5, dropout=0.5, recurrent_dropout=0.3, **BOTH).eval(),
    "gru, before": lambda: nn.GRU(3, 5, reset="before", activation="relu", batch_first=True, **BOTH),
    "gru, layer norm": lambda: nn.GRU(3, 5, layer_norm=True, **BOTH),
    "lstm": lambda: nn.LSTM(3, 5, batch_first=True, **BOTH),
    "lstm, layer norm": lambda: nn.LSTM(3, 5, layer_norm=True, activation="relu", **BOTH),
    "rnn": lambda: nn.RNN(3, 5, **BOTH),
    "mingru": lambda: nn.MinGRU(3, 5, **BOTH),
    "ligru": lambda: nn.LiGRU(3, 5, **BOTH).eval(),
    "ligru, plain": lambda: nn.LiGRU(3, 5, nonlinearity="tanh", normalization=None, bias=False),
    "accelerated": lambda: sluicegate.accelerate(torch.nn.GRU(3, 5, **BOTH)),
}
CELLS = {
    "torch gru": lambda: torch.nn.GRUCell(3, 5),
    "torch lstm": lambda: torch.nn.LSTMCell(3, 5, bias=False),
    "torch rnn": lambda: torch.nn.RNNCell(3, 5, nonlinearity="relu"),
    "gru": lambda: nn.GRUCell(3, 5, reset="before"),
    "lstm": lambda: nn.LSTMCell(3, 5),
    "rnn": lambda: nn.RNNCell(3, 5),
    "mingru": lambda: nn.MinGRUCell(3, 5),
}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def written_out(kind, layer, x, h, c, suffix="_l0"):
    """One step of the equations in double precision, part by part."""
    w_i, w_h, b_i, b_h = (
        getattr(layer, f"{name}{suffix}").detach().double().numpy()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    a, b = w_i @ x + b_i, w_h @ h + b_h
    if kind == "gru":
        (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(a, 3), np.split(b, 3)
        r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        if getattr(layer, "reset", "after") == "before":
            n = np.tanh(x_n + np.split(w_h, 3)[2] @ (r * h) + np.split(b_h, 3)[2])
        else:
            n = np.tanh(x_n + r * h_n)
        return {"reset": r, "update": z, "candidate": n, "state": (1 - z) * n + z * h}
    if kind == "lstm":
        i, f, g, o = np.split(a + b, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        return {"input": i, "forget": f, "candidate": g, "output": o, "cell": c, "state": o * np.tanh(c)}
    return {"state": np.tanh(a + b)}


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("gru", torch.nn.GRU(3, 5)),
        ("gru", nn.GRU(3, 5)),
        ("gru", nn.GRU(3, 5, reset="before")),
        ("lstm", torch.nn.LSTM(3, 5)),
        ("lstm", nn.LSTM(3, 5)),
        ("rnn", torch.nn.RNN(3, 5)),
    ],
    ids=str,
)
def test_every_part_is_that_of_the_equations(kind, layer):
    torch.manual_seed(0)
    x = torch.randn(20, 3)
    seen = look(layer, x)
    assert seen.kind == kind
    assert tuple(seen.parts) == PARTS[kind]
    h = c = np.zeros(5)
    for t, step in enumerate(x.double().numpy()):
        expected = written_out(kind, layer, step, h, c)
        for name, part in seen.parts.items():
            np.testing.assert_allclose(part[0, t].numpy(), expected[name], rtol=0, atol=1e-6, err_msg=name)
        h, c = expected["state"], expected.get("cell", c)


def before(part, start, backwards):
    """A part at the step before, from the state before the first one."""
    return torch.cat([part[1:], start[None]]) if backwards else torch.cat([start[None], part[:-1]])


def holds_together(kind, parts, h0, c0, backwards=False):
    """The new state is what the gates make of the old one."""
    h = before(parts["state"], h0, backwards)
    if kind == "lstm":
        c = before(parts["cell"], c0, backwards)
        return parts["forget"] * c + parts["input"] * parts["candidate"], parts["cell"]
    if kind == "rnn":
        return parts["state"], parts["state"]
    z = 1 - parts["update"] if kind == "mingru" else parts["update"]
    return (1 - z) * parts["candidate"] + z * h, parts["state"]


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", LAYERS)
def test_the_state_is_what_the_layer_puts_out_and_what_the_gates_make(name):
    torch.manual_seed(0)
    layer = LAYERS[name]()
    dtype = layer.weight_ih_l0.dtype
    x = torch.randn(4, 6, 3, dtype=dtype)
    batch = 4 if layer.batch_first else 6
    directions = 2 if layer.bidirectional else 1
    count = directions * layer.num_layers
    h0 = torch.randn(count, batch, layer.proj_size or 5, dtype=dtype)
    c0 = torch.randn(count, batch, 5, dtype=dtype)
    kind, axes, parts = look(layer, x, (h0, c0) if isinstance(layer, torch.nn.LSTM) else h0)
    outputs, last = layer(x, (h0, c0) if kind == "lstm" else h0)
    top = torch.cat(list(parts["state"][-directions:]), dim=-1)
    torch.testing.assert_close(top, outputs.detach(), rtol=0, atol=1e-6)
    assert axes == (("layer", "batch", "time", "unit") if layer.batch_first else ("layer", "time", "batch", "unit"))
    for at in range(count):
        own = {n: part[at].transpose(0, 1) if layer.batch_first else part[at] for n, part in parts.items()}
        found, expected = holds_together(kind, own, h0[at], c0[at], backwards=directions == 2 and at % 2 == 1)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
        h_n = last[0] if kind == "lstm" else last
        torch.testing.assert_close(own["state"][0 if at % directions else -1], h_n[at].detach(), rtol=0, atol=1e-6)
        for gate in {"reset", "update", "input", "forget", "output"} & own.keys():
            assert own[gate].min() >= 0
            assert own[gate].max() <= 1


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_over_time(name):
    torch.manual_seed(0)
    cell, x, h, c = CELLS[name](), torch.randn(6, 2, 3), torch.randn(2, 5), torch.randn(2, 5)
    lstm = isinstance(cell, torch.nn.LSTMCell)
    kind, axes, parts = look(cell, x, (h, c) if lstm else h)
    assert axes == ("time", "batch", "unit")
    found, expected = holds_together(kind, parts, h, c)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    state = (h, c) if lstm else h
    for t, step in enumerate(x):
        state = cell(step, state)
        torch.testing.assert_close(parts["state"][t], (state[0] if lstm else state).detach(), rtol=0, atol=1e-6)
    alone = look(cell, x[:, 1], (h[1], c[1]) if lstm else h[1])
    assert alone.axes == ("time", "unit")
    torch.testing.assert_close(alone.parts["state"], parts["state"][:, 1], rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", LAYERS)
def test_a_single_sequence(name):
    torch.manual_seed(0)
    layer = LAYERS[name]()
    x = torch.randn(4, 3, dtype=layer.weight_ih_l0.dtype)
    h = layer(x)[1]
    seen = look(layer, x, h)
    outputs = layer(x, h)[0].detach()
    top = torch.cat(list(seen.parts["state"][-2 if layer.bidirectional else -1 :]), dim=-1)
    assert seen.axes == ("layer", "time", "unit")
    torch.testing.assert_close(top, outputs, rtol=0, atol=1e-6)


def test_training_has_no_part_in_it():
    torch.manual_seed(0)
    for layer in (nn.GRU(3, 5, 2, dropout=0.5, recurrent_dropout=0.5), nn.LiGRU(3, 5, dropout=0.0)):
        x = torch.randn(4, 2, 3)
        layer(x)  # LiGRU has statistics now
        state, ready = torch.get_rng_state(), copy.deepcopy(layer.state_dict())
        seen = look(layer, x)
        assert torch.equal(torch.get_rng_state(), state)
        torch.testing.assert_close(dict(layer.state_dict()), dict(ready), rtol=0, atol=0)
        torch.testing.assert_close(seen.parts["state"][-1], layer.eval()(x)[0].detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("layer", [torch.nn.GRU(3, 5, 2), nn.LSTM(3, 5), torch.nn.GRUCell(3, 5)], ids=str)
def test_nothing_is_left_on_the_layer(layer):
    known = dict(vars(layer))
    weights = {name: id(weight) for name, weight in layer.named_parameters()}
    seen = look(layer, torch.randn(4, 2, 3))
    assert vars(layer) == known
    assert {name: id(weight) for name, weight in layer.named_parameters()} == weights
    assert len(layer._forward_hooks) + len(layer._forward_pre_hooks) + len(layer._backward_hooks) == 0
    assert all(not part.requires_grad for part in seen.parts.values())
    assert all(weight.grad is None for weight in layer.parameters())


class Doubled(torch.nn.Module):
    def forward(self, weight):
        return 2 * weight


def test_weights_in_the_place_of_parameters_count():
    torch.manual_seed(0)
    for layer in (torch.nn.GRU(3, 5), nn.GRU(3, 5)):
        x, plain = torch.randn(4, 2, 3), look(layer, torch.zeros(1, 3)).parts["update"]
        parametrize.register_parametrization(layer, "bias_ih_l0", Doubled())
        seen = look(layer, x)
        torch.testing.assert_close(seen.parts["state"][0], layer(x)[0].detach(), rtol=0, atol=1e-6)
        assert not torch.allclose(look(layer, torch.zeros(1, 3)).parts["update"], plain)


def test_within_accelerated_programs():
    layer, x = torch.nn.GRU(3, 5), torch.randn(4, 2, 3)
    expected = look(layer, x).parts["update"]
    with sluicegate.accelerated():
        assert torch.equal(look(layer, x).parts["update"], expected)


class Own(torch.nn.GRU):
    def forward(self, x, hx=None):
        return super().forward(2 * x, hx)


def hooked():
    layer = torch.nn.GRU(3, 5)
    layer.register_forward_pre_hook(lambda *_: None)
    return layer


X, H = torch.zeros(4, 2, 3), torch.zeros(1, 2, 5)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("layer", "x", "h0", "error", "message"),
    [
        (torch.nn.Linear(3, 5), X, None, ConfigError, r"`layer` \(a Linear\) must be a recurrent layer or a cell"),
        (torch.nn.Sequential(torch.nn.GRU(3, 5)), X, None, ConfigError, "pass the one within the model"),
        (Own(3, 5), X, None, ConfigError, r"`layer` \(a Own\) has a `forward` or hooks before it of its own"),
        (hooked(), X, None, ConfigError, "pass a layer without them"),
        (torch.nn.GRU(3, 5, device="meta"), X.to("meta"), None, DataError, "where there are numbers to read"),
        (nn.GRU(3, 5), X.double(), None, DataError, "`x` is of the type torch.float64 on the device 'cpu'"),
        (nn.GRU(3, 5), X.tolist(), None, DataError, r"`x` \(a list\) must be a tensor or an array"),
        (nn.GRU(3, 5), pack_padded_sequence(X, [4, 2]), None, DataError, r"`x` \(a PackedSequence\) must be"),
        (nn.GRU(3, 5), X[..., :2], None, DataError, r"the shape \(4, 2, 2\), and must be `\[time batch input\]` or"),
        (nn.GRU(3, 5, batch_first=True), X[0, 0], None, DataError, r"must be `\[batch time input\]` or"),
        (nn.GRU(3, 5), X[:0], None, DataError, "of a step and a row at least, with an input of 3"),
        (nn.GRU(3, 5), X, H[:, :1], ConfigError, r"`h0` must be one tensor of the shape \(1, 2, 5\)"),
        (nn.GRU(3, 5), X, (H, H), ConfigError, "`h0` must be one tensor"),
        (nn.GRU(3, 5), X, H.double(), ConfigError, "of torch.float32 on 'cpu': pass what it returned"),
        (nn.GRU(3, 5), X[:, 0], H, ConfigError, r"`h0` must be one tensor of the shape \(1, 5\)"),
        (nn.GRUCell(3, 5), X, H, ConfigError, r"`h0` must be one tensor of the shape \(2, 5\)"),
        (nn.GRUCell(3, 5), X[:, 0], H[0], ConfigError, r"`h0` must be one tensor of the shape \(5,\)"),
        (nn.LSTM(3, 5), X, H, ConfigError, r"`h0` must be \(h, c\) of the shape \(1, 2, 5\) and \(1, 2, 5\)"),
        (torch.nn.LSTM(3, 5, proj_size=2), X, (H, H), ConfigError, r"of the shape \(1, 2, 2\) and \(1, 2, 5\)"),
        (nn.GRU(3, 5), X, "zeros", ConfigError, "`h0` must be one tensor"),
    ],
)  # fmt: skip
def test_refusals(layer, x, h0, error, message):
    with pytest.raises(error, match=message) as caught:
        look(layer, x, h0)
    assert "\n" not in str(caught.value)
