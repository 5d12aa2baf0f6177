"""How weights begin: for a long memory, orthogonal, or with open gates; and as PyTorch's where nothing is asked for."""

import copy
import pickle

import pytest
import torch

import sluicegate
from sluicegate import nn
from sluicegate.errors import ConfigError
from sluicegate.nn.swap import restore

SPAN = (4, 1000)
RECURRENT = [nn.GRU, nn.LSTM, nn.RNN, nn.GRUCell, nn.LSTMCell, nn.RNNCell]
GATED = [nn.GRU, nn.LSTM, nn.MinGRU, nn.GRUCell, nn.LSTMCell, nn.MinGRUCell]
LSTMS = [nn.LSTM, nn.LSTMCell]
GATES = {"gru": 3, "lstm": 4, "rnn": 1, "mingru": 2}


def suffixes(module):
    return [name.removeprefix("weight_ih") for name, _ in module.named_parameters() if name.startswith("weight_ih")]


def biases(module, suffix):
    """The sum of the two biases, gate by gate."""
    both = [getattr(module, f"{name}{suffix}", None) for name in ("bias_ih", "bias_hh")]
    return sum(b.detach() for b in both if b is not None).view(GATES[module.kind], -1)


def deep(kind, **options):
    """A module with several sets of weights, where it can have them."""
    return kind(3, 500, **options) if "Cell" in kind.__name__ else kind(3, 500, 2, bidirectional=True, **options)


@pytest.mark.parametrize("kind", GATED)
def test_units_forget_over_the_steps_that_were_asked_for(kind):
    torch.manual_seed(0)
    module = deep(kind, memory=SPAN)
    for suffix in suffixes(module):
        gates = biases(module, suffix)
        kept = (-gates[0] if module.kind == "mingru" else gates[1]).double().sigmoid()  # a MinGRU's z writes
        scale = 1 / (1 - kept)
        assert 4 - 1e-2 <= scale.min() < 30
        assert 970 < scale.max() <= 1000 * (1 + 1e-4)
        assert abs(scale.mean() - 502) < 50  # spread evenly
        if module.kind == "lstm":
            assert torch.equal(gates[0], -gates[1])


@pytest.mark.parametrize("kind", GATED)
def test_the_recurrent_bias_is_zero_where_the_other_is_set_and_the_rest_is_pytorchs(kind):
    torch.manual_seed(0)
    module = deep(kind, memory=SPAN)
    set_ones = {"gru": [1], "lstm": [0, 1], "mingru": [0]}[module.kind]
    for suffix in suffixes(module):
        for name in ("bias_ih", "bias_hh"):
            if (bias := getattr(module, f"{name}{suffix}", None)) is None:
                continue
            for gate, part in enumerate(bias.detach().view(GATES[module.kind], -1)):
                if gate in set_ones:
                    assert (part == 0).all() == (name == "bias_hh")
                else:
                    assert 0 < part.abs().max() <= 500**-0.5


@pytest.mark.parametrize(("span", "lowest", "highest"), [((1, 2), 2, 2), ((1, 10), 2, 10), ((7.5, 7.5), 7.5, 7.5)])
def test_no_gate_that_keeps_begins_less_than_half_open(span, lowest, highest):
    """As in the paper, which draws log U[1, longest - 1]."""
    torch.manual_seed(0)
    scale = 1 / (1 - biases(nn.GRU(3, 2000, memory=span), "_l0")[1].double().sigmoid())
    assert scale.min() >= lowest - 1e-5
    assert scale.max() <= highest + 1e-4
    assert scale.max() - scale.min() >= 0.9 * (highest - lowest)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", RECURRENT)
def test_each_gate_has_an_orthogonal_matrix_of_its_own(kind, dtype):
    torch.manual_seed(0)
    module = kind(3, 16, recurrent_init="orthogonal", dtype=dtype)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12, torch.bfloat16: 0.05}[dtype]
    matrices = []
    for name, weight in module.named_parameters():
        if name.startswith("weight_hh"):
            matrices += weight.detach().double().chunk(GATES[module.kind])
    for matrix in matrices:
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(16).double(), rtol=0, atol=tolerance)
    assert len({tuple(m.flatten().tolist()) for m in matrices}) == GATES[module.kind]
    assert next(module.parameters()).abs().max() <= 0.25


def test_with_a_projection_the_columns_are_orthogonal():
    layer = nn.LSTM(3, 16, proj_size=5, recurrent_init="orthogonal")
    for gate in layer.weight_hh_l0.detach().chunk(4):
        torch.testing.assert_close(gate.T @ gate, torch.eye(5), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [nn.RNN, nn.RNNCell])
def test_the_identity_sums_up_what_a_relu_reads(kind):
    module = kind(1, 4, nonlinearity="relu", recurrent_init="identity")
    with torch.no_grad():
        next(module.parameters()).fill_(1.0)
    x = torch.rand(20, 1)
    if kind is nn.RNN:
        _, h = module(x)
    else:
        h = None
        for one in x:
            h = module(one, h)
    torch.testing.assert_close(h.flatten(), x.sum().expand(4))


@pytest.mark.parametrize("kind", LSTMS)
def test_forget_gates_begin_open(kind):
    module = deep(kind, forget_bias=1.0)
    for suffix in suffixes(module):
        gates = biases(module, suffix)
        assert (gates[1] == 1).all()
        assert all(gates[i].abs().max() <= 2 * 500**-0.5 for i in (0, 2, 3))
        assert (getattr(module, f"bias_hh{suffix}").view(4, -1)[1] == 0).all()


def variants(kind):
    if kind in LSTMS:
        return {"memory": SPAN, "recurrent_init": "orthogonal"}, {"forget_bias": 2.0, "layer_norm": True}
    if kind in (nn.RNN, nn.RNNCell):
        return ({"recurrent_init": "orthogonal"}, {"recurrent_init": "identity", "nonlinearity": "relu"})
    if kind in (nn.MinGRU, nn.MinGRUCell):
        return ({"memory": (1, 9)},)
    return {"memory": SPAN, "recurrent_init": "orthogonal"}, {"memory": SPAN, "activation": "relu"}


ASKED = [(kind, options) for kind in {*RECURRENT, *GATED} for options in variants(kind)]
ASKED.sort(key=str)


@pytest.mark.parametrize(("kind", "options"), ASKED, ids=str)
def test_drawn_anew_they_begin_as_they_began(kind, options):
    torch.manual_seed(5)
    module = kind(3, 20, **options)
    begun = {name: p.detach().clone() for name, p in module.named_parameters()}
    for other in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == repr(module)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.fill_(7.0)
        # The constructor draws PyTorch's weights and then ours.
        torch.manual_seed(5)
        other.reset_parameters()
        for name, parameter in other.named_parameters():
            assert torch.equal(parameter, begun[name]), name


@pytest.mark.parametrize("kind", RECURRENT)
def test_asked_for_nothing_they_are_pytorchs(kind):
    torch.manual_seed(5)
    theirs = getattr(torch.nn, kind.__name__)(3, 20)
    after = torch.rand(3)
    torch.manual_seed(5)
    ours = kind(3, 20, memory=None, recurrent_init="uniform")
    assert torch.equal(torch.rand(3), after)
    assert repr(ours) == repr(theirs)
    for mine, yours in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, yours)
    assert vars(ours).keys() - vars(theirs).keys() <= {
        "reset", "activation", "recurrent_dropout", "layer_norm", "precision", "checkpoint_every",
    }  # fmt: skip


def test_says_how_they_begin():
    assert repr(nn.GRU(3, 5, memory=(2, 50), recurrent_init="orthogonal")) == (
        "GRU(3, 5, memory=(2, 50), recurrent_init='orthogonal')"
    )
    assert repr(nn.LSTMCell(3, 5, forget_bias=1.0)) == "LSTMCell(3, 5, forget_bias=1.0)"
    assert repr(nn.MinGRU(3, 5, memory=(1, 9))) == "MinGRU(3, 5, memory=(1, 9))"


def test_accelerate_knows_nothing_of_it():
    class Own(torch.nn.GRU):
        memory = "of its own"

    model = torch.nn.ModuleList([torch.nn.LSTM(3, 5), Own(3, 5), nn.GRU(3, 5, memory=SPAN)])
    before = [p.clone() for p in model.parameters()]
    sluicegate.accelerate(model)
    assert all(isinstance(layer, nn.GRU | nn.LSTM) for layer in model)
    assert model[1].memory == "of its own"
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    torch.manual_seed(5)
    model[0].reset_parameters()
    torch.manual_seed(5)
    assert torch.equal(model[0].weight_hh_l0, torch.nn.LSTM(3, 5).weight_hh_l0)
    # Ours with an option that PyTorch does not know stays ours.
    assert [type(layer) for layer in restore(model)] == [torch.nn.LSTM, Own, nn.GRU]


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.MinGRU])
def test_on_no_device_nothing_is_drawn(kind):
    layer = kind(3, 5, memory=SPAN, device="meta")
    assert layer.bias_ih_l0.is_meta


def test_a_long_memory_lets_a_mingru_learn_what_lies_far_back():
    """To tell at the end what was marked at the beginning: it is forgotten at once where all gates begin half open."""
    losses = {}
    for memory in (None, (10, 200)):
        torch.manual_seed(0)
        x = torch.rand(100, 64, 2)
        x[..., 1] = 0
        marked = torch.randint(20, (64,))
        x[marked, torch.arange(64), 1] = 1
        target = x[marked, torch.arange(64), 0]
        layer, head = nn.MinGRU(2, 32, memory=memory), torch.nn.Linear(32, 1)
        optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 2e-2)
        for _ in range(150):
            optimizer.zero_grad()
            loss = (head(layer(x)[1][0]).squeeze(-1) - target).square().mean()
            loss.backward()
            optimizer.step()
        losses[memory] = loss.item() / target.var().item()
    assert losses[None] > 0.5
    assert losses[10, 200] < 0.2


REFUSED = [
    *(
        (kind, {"memory": bad}, r"`memory` \(=.*\) must be two numbers of steps, \(shortest, longest\), from 1 up")
        for kind in GATED
        for bad in ((0, 9), (9, 2), (1, 1), (1,), 100, (1, float("inf")), (True, 5), ("1", 9), (2, float("nan")))
    ),
    *((kind, {"memory": SPAN}, r"`memory` \(=\(4, 1000\)\) needs gates") for kind in (nn.RNN, nn.RNNCell)),
    *((kind, {"memory": SPAN, "bias": False}, r"`memory` .* cannot go with `bias=False`") for kind in GATED),
    *((kind, {"forget_bias": bad}, r"`forget_bias` .* must be a number") for kind in LSTMS for bad in ("1", True)),
    *((kind, {"forget_bias": 1.0, "bias": False}, "cannot go with `bias=False`") for kind in LSTMS),
    *((kind, {"forget_bias": 1.0, "memory": SPAN}, r"cannot go with `memory` .* leave one") for kind in LSTMS),
    *(
        (kind, {"recurrent_init": bad}, r'`recurrent_init` .* must be "uniform" or "orthogonal" or "identity"')
        for kind in RECURRENT
        for bad in ("normal", None, True)
    ),
    *(
        (kind, {"recurrent_init": "identity"}, r"`recurrent_init` \(='identity'\) is for an RNN with `nonlinearity")
        for kind in RECURRENT
    ),
]


@pytest.mark.parametrize(("kind", "options", "message"), REFUSED)
def test_refuses_a_wrong_value_in_a_sentence(unchecked, kind, options, message):
    with pytest.raises(ConfigError, match=message):
        kind(3, 5, **options)
