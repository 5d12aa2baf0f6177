"""`sluicegate.nn.MinGRU` is the recurrence of its paper, in every layout."""

import copy
import io
import math
import pickle

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import sluicegate
from sluicegate import _core, nn
from sluicegate.errors import ConfigError
from sluicegate.nn import MinGRU, MinGRUCell
from sluicegate.nn.swap import plan, restore

LENGTHS = [3, 6, 0, 4]


def written_out(layer, x, h, lengths=None):
    """The recurrence in double precision, one number at a time, over `[time batch input]`."""
    weights = [p.detach().double().tolist() for p in layer.parameters()]
    steps, rows = x.shape[:2]
    units = layer.hidden_size
    outputs, final = torch.zeros(steps, rows, units, dtype=torch.float64), h.double().clone()
    w, b = weights if layer.bias else (*weights, [0.0] * 2 * units)
    for row in range(rows):
        state = h[0, row].double().tolist()
        for t in range(steps if lengths is None else lengths[row]):
            a = [sum(w[j][k] * x[t, row, k].item() for k in range(x.shape[2])) + b[j] for j in range(2 * units)]
            for j in range(units):
                z = 1 / (1 + math.exp(-a[j]))
                state[j] = (1 - z) * state[j] + z * a[units + j]
            outputs[t, row] = torch.tensor(state, dtype=torch.float64)
        final[0, row] = torch.tensor(state, dtype=torch.float64)
    return outputs, final


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
def test_is_the_recurrence_as_written(bias, lengths, dtype):
    torch.manual_seed(0)
    layer = MinGRU(3, 19, bias=bias, dtype=dtype)
    x, h = torch.randn(6, 4, 3, dtype=dtype), torch.randn(1, 4, 19, dtype=dtype)
    assert nn.backend_of(layer, x) == (_core.isa() if dtype == torch.float32 else "reference")
    expected, last = written_out(layer, x, h, lengths)
    outputs, final = layer(x, h, lengths=lengths)
    tolerance = 2e-6 if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(outputs.double(), expected, rtol=0, atol=tolerance)
    torch.testing.assert_close(final.double(), last, rtol=0, atol=tolerance)


def test_z_writes_as_in_the_paper():
    """A z of 1 takes the candidate, which nothing squashes, and a z of 0 keeps the state; a GRU does the reverse."""
    layer = MinGRU(1, 1)
    x, h = torch.full((1, 1, 1), 7.0), torch.full((1, 1, 1), 3.0)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor([[0.0], [1.0]]))
        for bias, state in ((50.0, 7.0), (-50.0, 3.0), (0.0, 5.0)):
            layer.bias_ih_l0.copy_(torch.tensor([bias, 0.0]))
            assert layer(x, h)[1].item() == state


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layers_and_directions_are_those_of_a_stack(dtype):
    torch.manual_seed(0)
    deep = MinGRU(3, 5, num_layers=2, bidirectional=True, dtype=dtype)
    x, h = torch.randn(6, 4, 3, dtype=dtype), torch.randn(4, 4, 5, dtype=dtype)
    below, states = x, []
    for depth in range(2):
        halves = []
        for d, suffix in enumerate(("", "_reverse")):
            one = MinGRU(below.shape[2], 5, dtype=dtype)
            names = {f"{name}_l0": deep.state_dict()[f"{name}_l{depth}{suffix}"] for name in ("weight_ih", "bias_ih")}
            one.load_state_dict(names)
            outputs, state = one(below.flip(0) if d else below, h[2 * depth + d : 2 * depth + d + 1])
            halves.append(outputs.flip(0) if d else outputs)
            states.append(state)
        below = torch.cat(halves, -1)
    outputs, final = deep(x, h)
    torch.testing.assert_close(outputs, below, rtol=0, atol=1e-6)
    torch.testing.assert_close(final, torch.cat(states), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch_first", [False, True])
def test_every_layout_gives_the_same(batch_first, dtype):
    torch.manual_seed(0)
    layer = MinGRU(3, 5, 2, batch_first=batch_first, bidirectional=True, dtype=dtype)
    x, h = torch.randn(4, 6, 3, dtype=dtype), torch.randn(4, 4, 5, dtype=dtype)
    x = x if batch_first else x.transpose(0, 1)
    lengths = [3, 6, 1, 4]
    padded, final = layer(x, h, lengths=lengths)
    packed, after = layer(pack_padded_sequence(x, torch.tensor(lengths), batch_first, enforce_sorted=False), h)
    unpacked, _ = pad_packed_sequence(packed, batch_first)
    assert torch.equal(unpacked, padded)
    assert torch.equal(after, final)
    row = x[1] if batch_first else x[:, 1]
    single, last = layer(row, h[:, 1])
    assert torch.equal(single, padded[1] if batch_first else padded[:, 1])
    assert torch.equal(last, final[:, 1])
    nothing = layer(x[:, :0] if batch_first else x[:0], h)
    assert nothing[0].numel() == 0
    assert torch.equal(nothing[1], h)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_stream_has_the_bits_of_the_whole(steps):
    torch.manual_seed(0)
    layer, cell = MinGRU(3, 21), MinGRUCell(3, 21)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = torch.randn(12, 2, 3)
    whole, last = layer(x)
    state = None
    for t, chunk in enumerate(x.split(steps)):
        outputs, state = layer(chunk, state)
        assert torch.equal(outputs, whole[t * steps : (t + 1) * steps])
    assert torch.equal(state, last)
    h = None
    for t in range(12):
        h = cell(x[t], h)
        assert torch.equal(h, whole[t])
    assert torch.equal(cell(x[0, 0]), whole[0, 0])


def test_derivatives_are_those_of_finite_differences():
    """In double precision the equations compute it; `tests/ops` holds the kernels to them."""
    torch.manual_seed(0)
    layer = MinGRU(2, 3, 2, bidirectional=True, dtype=torch.float64)
    x = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    h = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in layer.named_parameters()]

    def call(x, h, *weights):
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x, h), {"lengths": [4, 2]})

    assert torch.autograd.gradcheck(call, (x, h, *layer.parameters()))
    assert torch.autograd.gradgradcheck(call, (x, h, *layer.parameters()))


def test_the_gradients_of_the_kernels_are_those_of_the_equations_over_many_steps():
    torch.manual_seed(0)
    layer = MinGRU(3, 50)
    double = copy.deepcopy(layer).double()
    x, h = torch.randn(700, 3, 3), torch.randn(1, 3, 50)
    found = []
    for module, forward in ((layer, layer), (double, double.by_reference)):
        own = [t.to(module.weight_ih_l0.dtype).requires_grad_() for t in (x.clone(), h.clone())]
        outputs, final = forward(*own)
        loss = (outputs * torch.linspace(-1, 1, 50)).sum() + final.square().sum()
        found.append(torch.autograd.grad(loss, [*own, *module.parameters()]))
    for mine, right in zip(*found, strict=True):
        assert (mine - right).abs().max() <= 1e-5 * right.abs().max()


def test_draws_weights_within_pytorchs_bounds_and_anew_on_request():
    layer, cell = MinGRU(3, 5), MinGRUCell(3, 5)
    assert {name: tuple(p.shape) for name, p in layer.named_parameters()} == {
        "weight_ih_l0": (10, 3),
        "bias_ih_l0": (10,),
    }
    for module in (layer, cell):
        before = [p.clone() for p in module.parameters()]
        module.reset_parameters()
        for old, new in zip(before, module.parameters(), strict=True):
            assert not torch.equal(old, new)
            assert new.abs().max() <= 5**-0.5
    assert list(MinGRUCell(3, 5, bias=False).state_dict()) == ["weight_ih"]


def test_says_what_it_is():
    assert repr(MinGRU(3, 5, 2, dropout=0.5, batch_first=True)) == (
        "MinGRU(3, 5, num_layers=2, batch_first=True, dropout=0.5)"
    )
    assert repr(MinGRUCell(3, 5, bias=False)) == "MinGRUCell(3, 5, bias=False)"


@pytest.mark.parametrize("module", [MinGRU(3, 5, 2), MinGRUCell(3, 5)], ids=["layer", "cell"])
def test_survives_copies_pickles_and_files(module):
    x = torch.randn(4, 2, 3) if isinstance(module, MinGRU) else torch.randn(2, 3)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    others = [copy.deepcopy(module), pickle.loads(pickle.dumps(module)), torch.load(file, weights_only=False)]
    others.append(copy.deepcopy(module).double().float())
    expected = module(x)
    expected = expected[0] if isinstance(expected, tuple) else expected
    for other in others:
        assert repr(other) == repr(module)
        found = other(x)
        assert torch.equal(found[0] if isinstance(found, tuple) else found, expected)


def test_is_no_business_of_accelerate(caplog):
    model = torch.nn.ModuleList([MinGRU(3, 5), MinGRUCell(3, 5), torch.nn.GRU(3, 5)])
    assert [str(swap) for swap in plan(model)] == ["2 (GRU)"]
    assert [type(layer) for layer in sluicegate.accelerate(model)] == [MinGRU, MinGRUCell, nn.GRU]
    assert [type(layer) for layer in restore(model)] == [MinGRU, MinGRUCell, torch.nn.GRU]
    assert "MinGRU" not in caplog.text


def test_dropout_lies_between_its_layers():
    torch.manual_seed(0)
    layer = MinGRU(3, 5, 2, dropout=1.0)
    outputs, _ = layer(torch.randn(4, 2, 3))
    upper = MinGRU(5, 5)
    upper.load_state_dict({f"{n}_l0": layer.state_dict()[f"{n}_l1"] for n in ("weight_ih", "bias_ih")})
    assert torch.equal(outputs, upper(torch.zeros(4, 2, 5))[0])


@pytest.mark.parametrize(
    ("x", "hx", "error", "message"),
    [
        (torch.zeros(3), None, ConfigError, r"`input` has 1 axes, but must have 3, or 2"),
        (torch.zeros(4, 2, 3), torch.zeros(2, 5), ConfigError, r"`hx` \(of 2 axes\) must be a tensor of 3 axes"),
        (torch.zeros(4, 3), torch.zeros(1, 1, 5), ConfigError, r"`hx` \(of 3 axes\) must be a tensor of 2 axes"),
        (torch.zeros(4, 2, 3), (torch.zeros(1, 2, 5),) * 2, ConfigError, r"`hx` \(of type tuple\) must be a tensor"),
        (torch.zeros(4, 2, 3), torch.zeros(1, 3, 5), RuntimeError, "Expected hidden size"),
        (torch.zeros(4, 2, 4), None, RuntimeError, "must be equal to input_size"),
        (torch.zeros(4, 2, 3).double(), None, ValueError, "does not match weight dtype"),
    ],
)
def test_refuses_what_does_not_fit(unchecked, x, hx, error, message):
    with pytest.raises(error, match=message):
        MinGRU(3, 5)(x, hx)


def test_its_cell_refuses_what_does_not_fit(unchecked):
    with pytest.raises(ConfigError, match=r"`input` has shape \(2, 4\)"):
        MinGRUCell(3, 5)(torch.zeros(2, 4))
    with pytest.raises(ConfigError, match=r"`hx` has shape \(3, 5\)"):
        MinGRUCell(3, 5)(torch.zeros(2, 3), torch.zeros(3, 5))


def test_learns_to_hold_a_number():
    """To tell at the end what was marked: it has to open its gate at the mark and keep it shut after."""
    torch.manual_seed(0)
    x = torch.rand(12, 64, 2)
    x[..., 1] = 0
    marked = torch.randint(6, (64,))
    x[marked, torch.arange(64), 1] = 1
    target = x[marked, torch.arange(64), 0]
    layer, head = MinGRU(2, 32), torch.nn.Linear(32, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 2e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (head(layer(x)[1][0]).squeeze(-1) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.1 * target.var()
