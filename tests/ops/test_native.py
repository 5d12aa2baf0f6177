"""The fused kernels against the equations in double precision, and what a row's bits do not depend on."""

import copy
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sluicegate import _core, nn

KINDS = [
    (nn.GRU, {}),
    (nn.GRU, {"reset": "before"}),
    (nn.GRU, {"activation": "relu"}),
    (nn.LSTM, {}),
    (nn.LSTM, {"activation": "relu"}),
    (nn.RNN, {}),
    (nn.RNN, {"nonlinearity": "relu"}),
]
ISAS = ["avx512", "avx2", "scalar"]


def has(isa):
    before = _core.isa()
    try:
        _core.use_isa(isa)
    except ValueError:
        return False
    _core.use_isa(before)
    return True


@pytest.fixture(params=[pytest.param(isa, marks=pytest.mark.skipif(not has(isa), reason=f"no {isa}")) for isa in ISAS])
def isa(request):
    before = _core.isa()
    _core.use_isa(request.param)
    yield request.param
    _core.use_isa(before)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def gradients(layer, forward, x, state):
    leaves = [t.requires_grad_() for t in (x, *parts(state))]
    outputs, final = forward(x, state)
    results = (outputs, *parts(final))
    generator = torch.Generator().manual_seed(1)
    loss = sum((r * torch.randn(r.shape, generator=generator).to(r.dtype)).sum() for r in results)
    return results, torch.autograd.grad(loss, [*leaves, *layer.parameters()])


@pytest.mark.parametrize("hidden", [1, 2, 3, 15, 16, 17, 50, 63, 64, 65, 100, 257])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_computes_the_equations(isa, kind, options, hidden):
    torch.manual_seed(hidden)
    size, batch, steps = (hidden % 7) + 1, (hidden % 19) + 1, 4
    layer = kind(size, hidden, bidirectional=hidden % 2 == 1, bias=hidden != 16, **options)
    double = copy.deepcopy(layer).double()
    x = torch.randn(steps, batch, size)
    state = tuple(torch.rand(2 if layer.bidirectional else 1, batch, hidden) - 0.5 for _ in range(2))
    state = state if kind is nn.LSTM else state[0]
    exact_state = tuple(s.double() for s in state) if kind is nn.LSTM else state.double()
    assert nn.backend_of(layer, x) == isa
    results, found = gradients(layer, layer, x, state)
    exact, exact_found = gradients(double, double.by_reference, x.double(), exact_state)
    for mine, right in zip(results, exact, strict=True):
        assert (mine - right).abs().max() <= 2e-6 * max(1.0, right.abs().max())
    for mine, right in zip(found, exact_found, strict=True):
        assert (mine - right).abs().max() <= 1e-5 * right.abs().max() + 1e-12


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_bits_of_a_row_do_not_depend_on_its_company(isa, kind, options):
    @given(
        st.integers(1, 70), st.integers(1, 20), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**16), st.data()
    )
    def check(hidden, size, batch, steps, seed, data):
        torch.manual_seed(seed)
        layer, x = kind(size, hidden, **options), torch.randn(steps, batch, size)
        row, cut = data.draw(st.integers(0, batch - 1)), data.draw(st.integers(0, steps))
        with torch.no_grad():
            whole, final = layer(x)
            alone, alone_final = layer(x[:, row : row + 1])
            first, state = layer(x[:cut])
            second, state = layer(x[cut:], state)
            lengths = torch.full((batch,), steps)
            lengths[row] = max(cut, 1)
            ragged, _ = layer(x, lengths=lengths)
        assert torch.equal(alone[:, 0], whole[:, row])
        assert torch.equal(torch.cat([first, second]), whole)
        assert torch.equal(ragged[: max(cut, 1), row], whole[: max(cut, 1), row])
        for a, b, c in zip(parts(final), parts(alone_final), parts(state), strict=True):
            assert torch.equal(a[:, row : row + 1], b)
            assert torch.equal(a, c)

    check()


@pytest.mark.parametrize(("batch", "hidden"), [(1, 130), (3, 50), (1, 257), (40, 420)])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_two_threads_compute_the_same_bits(isa, kind, options, batch, hidden):
    torch.manual_seed(0)
    layer, x = kind(5, hidden, **options), torch.randn(6, batch, 5, requires_grad=True)
    seen = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        outputs, _ = layer(x)
        seen.append((outputs, *torch.autograd.grad(outputs.sum(), x)))
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_checkpoints_change_nothing(isa, kind, options):
    torch.manual_seed(0)
    layer, x = kind(3, 20, **options), torch.randn(11, 4, 3, requires_grad=True)
    sparing = kind(3, 20, checkpoint_every=4, **options)
    sparing.load_state_dict(layer.state_dict())
    lengths = [11, 3, 7, 1]
    found = []
    for each in (layer, sparing):
        outputs, _ = each(x, lengths=lengths)
        found.append((outputs, *torch.autograd.grad(outputs.square().sum(), [x, *each.parameters()])))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    for a, b in zip(found[0][2:], found[1][2:], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
def test_activations(isa, function):
    x = torch.cat(
        [torch.linspace(-40, 40, 100_001), torch.tensor([0.0, -0.0, 1e-40, 3e38, -3e38, torch.inf, -torch.inf])]
    )
    out = torch.empty_like(x)
    _core.activate(function, x.data_ptr(), out.data_ptr(), len(x))
    assert (out - getattr(torch, function)(x.double())).abs().max() < 1e-6
    assert out.min() == (-1 if function == "tanh" else 0)
    assert out.max() == 1
    nan = torch.tensor([torch.nan])
    _core.activate(function, nan.data_ptr(), nan.data_ptr(), 1)
    assert nan.isnan().all()


@pytest.mark.parametrize("write", ["data", "numpy", "copy", "step"])
def test_notices_every_change_of_the_weights(write):
    layer, x = nn.GRU(3, 20), torch.randn(5, 2, 3)
    with torch.no_grad():
        before = layer(x)[0]
        assert torch.equal(layer(x)[0], before)
        weight = layer.weight_hh_l0
        if write == "data":
            weight.data[7, 3] += 1
        elif write == "numpy":
            weight.detach().numpy()[7, 3] += 1
        elif write == "copy":
            weight.copy_(weight + 1)
    if write == "step":
        layer(x)[0].sum().backward()
        torch.optim.SGD(layer.parameters(), 0.1).step()
    with torch.no_grad():
        after = layer(x)[0]
    assert not torch.equal(after, before)
    torch.testing.assert_close(after, layer.by_reference(x)[0].detach(), rtol=2e-6, atol=2e-6)


COMPILED = """
import torch
from sluicegate import nn

layer, x = nn.GRU(3, 8, num_layers=2, bidirectional=True), torch.randn(5, 2, 3)
expected, _ = layer(x)
compiled, _ = torch.compile(layer, backend="aot_eager")(x)
assert torch.equal(compiled, expected)
one, other = (torch.autograd.grad(y.sum(), list(layer.parameters())) for y in (compiled, expected))
assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
program = torch.export.export(layer, (x,))
assert "sluicegate.layer" in str(program.graph)
assert torch.equal(program.module()(x)[0], expected)
"""


def test_compiles_and_exports():
    """In a program of its own: the checks of types that tests run with are not for torch.compile."""
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_can_be_differentiated_twice():
    layer, x = nn.GRU(3, 5).double().float(), torch.randn(4, 2, 3, requires_grad=True)
    (first,) = torch.autograd.grad(layer(x)[0].square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    (expected,) = torch.autograd.grad(layer.by_reference(x)[0].square().sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad(expected.square().sum(), x)
    torch.testing.assert_close(second, expected, rtol=1e-4, atol=1e-5)


def test_an_empty_batch():
    layer = nn.GRU(3, 5)
    outputs, state = layer(torch.zeros(4, 0, 3, requires_grad=True))
    assert outputs.shape == (4, 0, 5)
    assert state.shape == (1, 0, 5)
    outputs.sum().backward()
    assert (layer.weight_hh_l0.grad == 0).all()


def test_keeps_five_numbers_a_unit_and_step():
    layer, x = nn.GRU(3, 32), torch.randn(50, 4, 3)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append((t.data_ptr(), t.numel())) or t, lambda t: t):
        layer(x)
    weights = {p.data_ptr() for p in layer.parameters()} | {x.data_ptr()}
    assert sum(n for address, n in set(kept) if address not in weights) <= 5 * 50 * 4 * 32
