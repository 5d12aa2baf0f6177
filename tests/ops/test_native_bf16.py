"""Products in bfloat16: near the equations in double precision, whatever the size, the length and the numbers."""

import copy
import math

import pytest
import torch

from sluicegate import _core, nn

pytestmark = pytest.mark.usefixtures("unchecked")

SIZES = {2: (3, 3, 7), 15: (4, 5, 6), 17: (5, 3, 5), 50: (1, 9, 5), 64: (33, 8, 3), 100: (2, 65, 4)}
"""Units: inputs, rows and steps. Of one unit cancellation may leave any relative error of a gradient."""


@pytest.fixture
def precision():
    return "bf16"


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def rounded(layer):
    """Copy a layer in double precision, with its weights, but not its biases, rounded to bfloat16."""
    double = copy.deepcopy(layer).double()
    with torch.no_grad():
        for name, weight in double.named_parameters():
            if name.startswith("weight"):
                weight.copy_(weight.to(torch.bfloat16))
    return double


def derive(layer, forward, x, state):
    """Give the outputs, and the gradients of a weighted sum of outputs and states in all that went in."""
    x = x.detach().clone().requires_grad_()
    state = tuple(s.detach().to(x.dtype).requires_grad_() for s in parts(state))
    outputs, final = forward(x, state if len(state) == 2 else state[0])
    results = (outputs, *parts(final))
    chance = torch.Generator().manual_seed(1)
    loss = sum((r * torch.randn(r.shape, generator=chance).to(r.dtype)).sum() for r in results)
    return outputs.detach(), torch.autograd.grad(loss, [x, *state, *layer.parameters()])


def apart(one, other):
    """How far two tensors are apart, as a part of the length of the second."""
    return ((one.double() - other).norm() / other.norm()).item()


@pytest.mark.parametrize("hidden", SIZES)
def test_is_near_the_same_layer_with_rounded_weights_in_double_precision(isa, build, state_for, hidden):
    size, rows, steps = SIZES[hidden]
    layer = build(size, hidden, seed=hidden, bidirectional=hidden == 17)
    x, state = torch.randn(steps, rows, size), state_for(layer, rows)
    outputs, found = derive(layer, layer, x, state)
    exact = rounded(layer)
    exact.precision = "fp32"
    right, gradients = derive(exact, exact.by_reference, x.double(), state)
    assert outputs.dtype == torch.float32
    assert apart(outputs, right) <= 5e-3
    if layer.nonlinear() == "relu":
        return  # on which side of its kink a sum falls may depend on a bit
    names = ["x", "h0", "c0"][: 1 + len(parts(state))] + [name for name, _ in layer.named_parameters()]
    for name, one, other in zip(names, found, gradients, strict=True):
        assert apart(one, other) <= 5e-3, name


def test_rounds_both_factors_as_the_equations_do(isa, build, state_for):
    layer = build(3, 50)
    x, state = torch.randn(4, 7, 3), state_for(layer, 7)
    outputs, _ = derive(layer, layer, x, state)
    right, _ = derive(layer, layer.by_reference, x, state)
    layer.precision = "fp32"
    other, _ = derive(layer, layer, x, state)
    assert apart(outputs, right) < 0.1 * apart(outputs, other)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.MinGRU])
def test_stays_near_over_2000_steps(isa, kind):
    torch.manual_seed(0)
    layer, x = kind(8, 64), torch.randn(2000, 2, 8)
    layer.precision = "bf16"
    with torch.no_grad():
        outputs, _ = layer(x)
        exact = copy.deepcopy(layer).double()
        exact.precision = "fp32"
        right, _ = exact.by_reference(x.double())
    off = (outputs - right)[-500:]
    assert off.square().mean().sqrt() <= 1e-2 * right.std()


def trained(precision):
    """The losses of 200 steps of training on a sum that has to be remembered."""
    torch.manual_seed(0)
    layer, head = nn.GRU(2, 16, precision=precision), torch.nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 1e-2)
    chance, losses = torch.Generator().manual_seed(1), []
    for _ in range(200):
        x = torch.rand(12, 16, 2, generator=chance)
        loss = (head(layer(x)[0]).squeeze(-1) - (x[..., 0] * (x[..., 1] > 0.5)).cumsum(0)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_training_follows_the_loss_of_floats(isa):
    full, rounded = trained("fp32"), trained("bf16")
    assert full[-1] < 0.1 * full[0]
    for begin in range(0, 200, 20):
        one, other = (sum(losses[begin : begin + 20]) for losses in (rounded, full))
        assert abs(one - other) <= 0.02 * other


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3.4e38])
def test_what_is_no_number_shows_and_stays_in_its_row(isa, build, bad):
    layer, x = build(3, 20), torch.randn(4, 5, 3)
    with torch.no_grad():
        well, _ = layer(x)
        x[1, 2, 0] = bad
        ill, _ = layer(x)
    others = torch.arange(5) != 2
    assert torch.equal(ill[:, others], well[:, others])
    assert torch.equal(ill[0], well[0])
    assert not torch.equal(ill[1, 2], well[1, 2])
    if math.isnan(bad):
        assert ill[1:, 2].isnan().all()
    elif layer.nonlinear() == "tanh" and not isinstance(layer, nn.MinGRU):  # a gate is shut or open
        assert ill[1:, 2].isfinite().all()


@pytest.mark.parametrize("scale", [1e3, 1e30])
def test_saturates_as_floats_do(isa, scale):
    torch.manual_seed(0)
    layer, x = nn.LSTM(3, 20, precision="bf16"), scale * torch.randn(5, 2, 3)
    outputs, found = derive(layer, layer, x, (torch.zeros(1, 2, 20), torch.zeros(1, 2, 20)))
    layer.precision = "fp32"
    right, _ = derive(layer, layer, x, (torch.zeros(1, 2, 20), torch.zeros(1, 2, 20)))
    assert (outputs - right).abs().max() <= 2e-2
    assert all(gradient.isfinite().all() for gradient in found)


def test_weights_of_either_precision_are_laid_out_apart(isa):
    """One layer's weights, used in both, must not be taken for what was kept of them in the other."""
    layer, x = nn.GRU(3, 20), torch.randn(4, 2, 3)
    with torch.no_grad():
        full = layer(x)[0]
        layer.precision = "bf16"
        rounded = layer(x)[0]
        assert not torch.equal(full, rounded)
        layer.precision = "fp32"
        assert torch.equal(layer(x)[0], full)
        layer.precision = "bf16"
        assert torch.equal(layer(x)[0], rounded)
    assert nn.backend_of(layer, x) == _core.isa()


@pytest.mark.parametrize("steps", [1, 5])
def test_gradients_of_a_row_do_not_depend_on_its_company(isa, build, steps):
    """As in floats, of which a few rows and steps have another way."""
    layer, x = build(3, 20), torch.randn(steps, 70, 3)
    found = []
    for rows in (1, 3, 16, 70):
        some = x[:, :rows].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(layer(some)[0].square().sum(), some)
        found.append(gradient[:, :1])
    assert all(torch.equal(gradient, found[0]) for gradient in found)
