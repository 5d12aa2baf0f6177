"""The kernels' sigmoid and tanh, and what layers do at the ends of the range of numbers."""

import pytest
import torch

from sluicegate import _core, nn

pytestmark = pytest.mark.usefixtures("unchecked")

MAX = torch.finfo(torch.float32).max
SPECIAL = [0.0, -0.0, 1e-45, -1e-45, 1e-40, -1e-40, 1.2e-38, MAX, -MAX, torch.inf, -torch.inf]


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def apply(function, x):
    out = torch.full_like(x, -7.0)
    _core.activate(function, x.data_ptr(), out.data_ptr(), len(x))
    return out


def every_so_many_floats():
    """One float in a thousand of all there are, from -NaN over -inf to -0 and from 0 to NaN."""
    return torch.arange(-(2**31), 2**31, 1021, dtype=torch.int64).to(torch.int32).view(torch.float32)


@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
def test_is_exact_everywhere(isa, function):
    x = torch.cat([torch.linspace(-40, 40, 400_001), torch.tensor(SPECIAL), every_so_many_floats()])
    out, exact = apply(function, x), getattr(torch, function)(x.double())
    assert torch.equal(out.isnan(), x.isnan())
    number = ~x.isnan()
    assert (out[number] - exact[number]).abs().max() < 4e-7  # as the kernels promise
    if function == "tanh":  # near 0 it is exact relative to itself, and odd to the bit
        small = number & (x.abs() < 1e-3) & (x.abs() > 1e-30)
        assert ((out[small] - exact[small]) / exact[small]).abs().max() < 1e-6
        assert torch.equal(apply(function, -x)[number], -out[number])
        assert torch.equal(out[x == 0].signbit(), x[x == 0].signbit())


@pytest.mark.parametrize(("function", "low", "beyond"), [("tanh", -1.0, 9.2), ("sigmoid", 0.0, 18.4)])
def test_a_gate_that_is_shut_is_exactly_shut(isa, function, low, beyond):
    x = torch.cat([torch.linspace(beyond, 100, 10_001), torch.tensor([1e4, 1e30, MAX, torch.inf])])
    assert (apply(function, x) == 1).all()
    assert (apply(function, -x) == low).all()
    sweep = apply(function, torch.linspace(-beyond, beyond, 1_000_001))
    assert sweep.min() == low
    assert sweep.max() == 1
    # It falls by no more than twice what it may be off.
    assert (sweep.cummax(0).values - sweep).max() < 8e-7


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33])
@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
def test_writes_no_more_than_it_was_asked_for(isa, function, count):
    x, out = torch.randn(count + 40), torch.full((count + 40,), -7.0)
    _core.activate(function, x.data_ptr() + 4, out.data_ptr() + 4, count)
    assert out[0] == -7
    assert (out[1 + count :] == -7).all()
    assert torch.equal(out[1 : 1 + count], apply(function, x)[1 : 1 + count])


@pytest.mark.parametrize("hidden", [5, 16, 50])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_number_stays_in_its_row_and_can_be_seen(isa, build, state_for, bad, hidden):
    layer = build(3, hidden)
    x, state = torch.randn(6, 9, 3), state_for(layer, 9)
    clean = x.clone().requires_grad_()
    expected, final = layer(clean, state)
    (gradient,) = torch.autograd.grad(expected.sum(), clean)
    ill = x.clone()
    ill[2, 4, 1] = bad
    ill.requires_grad_()
    outputs, state_after = layer(ill, state)
    (found,) = torch.autograd.grad(outputs.sum(), ill)
    others = [row for row in range(9) if row != 4]
    assert torch.equal(outputs[:, others], expected[:, others])
    assert torch.equal(found[:, others], gradient[:, others])
    for one, other in zip(parts(state_after), parts(final), strict=True):
        assert torch.equal(one[:, others], other[:, others])
    assert torch.equal(outputs[:2, 4], expected[:2, 4])
    if bad != bad:
        assert outputs[2:, 4].isnan().all()
        assert all(s[:, 4].isnan().all() for s in parts(state_after))
    follows_the_equations(layer, outputs, layer.by_reference(ill, state)[0])


def follows_the_equations(layer, outputs, exact):
    """Check that the same numbers are none; PyTorch's GRU too makes a NaN of an infinite candidate, in `h - n`."""
    nan = exact.isnan()
    if isinstance(layer, nn.GRU) and layer.activation == "relu":
        assert (outputs.isnan() | exact.isfinite()).all()
        nan = outputs.isnan()
    if isinstance(layer, nn.LiGRU) and layer.activation == "relu":  # which may keep an infinite state beside it
        assert (outputs.isnan() | ~nan).all()
        assert not exact[outputs.isnan() & ~nan].isfinite().any()
        nan = outputs.isnan()
    assert torch.equal(outputs.isnan(), nan)
    torch.testing.assert_close(outputs[~nan], exact[~nan], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_state_that_is_no_number_stays_in_its_row(isa, build, state_for, value):
    layer = build(3, 21)
    x, state = torch.randn(4, 5, 3), state_for(layer, 5)
    expected, _ = layer(x, state)
    for s in parts(state):
        s[0, 2, 7] = value
    outputs, _ = layer(x, state)
    others = [0, 1, 3, 4]
    assert torch.equal(outputs[:, others], expected[:, others])
    follows_the_equations(layer, outputs, layer.by_reference(x, state)[0])


@pytest.mark.parametrize("size", [1e4, 1e30, torch.inf])
def test_a_saturated_layer_is_exact_and_can_be_differentiated(isa, build, size):
    if "relu" in (layer := build(1, 20)).nonlinear():
        pytest.skip("a ReLU does not saturate")
    if isinstance(layer, nn.MinGRU):
        pytest.skip("its candidate does not saturate: see below")
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.fill_(1.0 if name == "weight_ih_l0" else 0.0)
    x = torch.tensor([size, -size]).reshape(1, 2, 1).requires_grad_()
    h0 = torch.full((1, 2, 20), 0.25)
    outputs, final = layer(x, (h0, h0) if isinstance(layer, nn.LSTM) else h0)
    opened, shut = outputs[0].unbind()
    if isinstance(
        layer, nn.GRU | nn.LiGRU
    ):  # z is 1 and the state stays; z is 0 and the candidate, -1, takes its place
        assert (opened == 0.25).all()
        assert (shut == -1).all()
    elif isinstance(layer, nn.LSTM):  # c = c + 1, and nothing is shown
        assert (final[1][0, 0] == 1.25).all()
        torch.testing.assert_close(opened, torch.full_like(opened, 1.25).tanh(), rtol=0, atol=1e-6)
        assert (final[1][0, 1] == 0).all()
        assert (shut == 0).all()
    else:
        assert (opened == 1).all()
        assert (shut == -1).all()
    if size != torch.inf:
        gradients = torch.autograd.grad(outputs.sum(), [x, layer.weight_hh_l0, layer.bias_hh_l0])
        assert all(g.isfinite().all() for g in gradients)
        assert (gradients[0] == 0).all()


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_a_saturated_mingru_is_exact_and_can_be_differentiated(isa, size):
    layer = nn.MinGRU(1, 20)
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.bias_ih_l0.zero_()
    x = torch.tensor([size, -size]).reshape(1, 2, 1).requires_grad_()
    h0 = torch.full((1, 2, 20), 0.25, requires_grad=True)
    outputs, _ = layer(x, h0)
    opened, shut = outputs[0].unbind()  # z is 1 and the candidate takes its place; z is 0 and the state stays
    assert (opened == size).all()
    assert (shut == 0.25).all()
    of_x, of_h, of_weight, of_bias = torch.autograd.grad(outputs.sum(), [x, h0, layer.weight_ih_l0, layer.bias_ih_l0])
    assert of_x.flatten().tolist() == [20, 0]
    assert of_h[0, :, 0].tolist() == [0, 1]
    assert (of_weight[20:] == x[0, 0]).all()
    assert of_weight.isfinite().all()
    assert of_bias[:20].count_nonzero() == 0


def test_the_smallest_numbers_are_kept(isa, build):
    """Nobody turns on flush-to-zero, here or for the rest of the program."""
    layer = build(2, 20)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "bias" in name:
                parameter.zero_()
    x = torch.full((3, 2, 2), 1e-40)
    outputs, _ = layer(x)
    exact, _ = layer.double().by_reference(x.double())
    torch.testing.assert_close(outputs.double(), exact, rtol=1e-3, atol=1e-43)
    assert (torch.tensor([1e-40]) * 0.5).item() > 0
    if layer.nonlinear() == "tanh":
        assert (outputs != 0).any()
