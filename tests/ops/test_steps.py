"""A step of a cell in one call of the compiled module: to the bit what the layer's call has, or left to that call."""

import pytest
import torch

from sluicegate.ops import native, steps

CELLS = ("gru", "gru_reset_before", "lstm", "rnn")
INPUTS, UNITS = 5, 19
NO_ROWS = (None, None, None)


def arguments(cell, batch, *, biased=True, state=True):
    """Make an input, h, c of an LSTM, and weights, all of them to be differentiated."""
    torch.manual_seed(batch)
    gates = native.GATES[cell] * UNITS
    sizes = [(gates, INPUTS), (gates, UNITS), (gates,), (gates,)][: 4 if biased else 2]
    h, c = (torch.randn(batch, UNITS, requires_grad=True) if state else None for _ in range(2))
    weights = [torch.randn(size).requires_grad_() for size in sizes]
    return torch.randn(batch, INPUTS, requires_grad=True), h, c if cell == "lstm" else None, weights


def run(compute, x, h0, c0, weights):
    """Compute h, c and the gradients of all that was given."""
    results = [t for t in compute(x, h0, c0, weights) if t is not None]
    loss = sum((i + 1) * t.sin().sum() for i, t in enumerate(results))
    given = [t for t in (x, h0, c0, *weights) if t is not None]
    return [*results, *torch.autograd.grad(loss, given)]


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


# Rows that read the weights as they lie in both passes, in the first alone, and in neither.
@pytest.mark.parametrize("batch", [1, 3, 17, 65])
@pytest.mark.parametrize(("cell", "activation"), [*((c, "tanh") for c in CELLS), ("rnn", "relu"), ("lstm", "relu")])
def test_it_is_the_call_of_a_layer_to_the_bit(cell, activation, batch):
    for biased, state in ((True, True), (False, True), (True, False)):
        given = arguments(cell, batch, biased=biased, state=state)
        options = (cell, activation, biased, False, 0, "fp32")
        expected = run(lambda *a, o=options: native.layer(*a, NO_ROWS, o)[1 : 3 if o[0] == "lstm" else 2], *given)
        assert_equal(run(lambda *a, o=options: native.step(*a, o)[: 2 if o[0] == "lstm" else 1], *given), expected)
        with torch.no_grad():
            x, h0, c0, weights = given
            alone = native.step(x, h0, c0, weights, options)
            assert_equal([t for t in alone if t is not None], expected[: 2 if cell == "lstm" else 1])


def lying_apart(x):
    return torch.stack([x, x], -1)[..., 0]


def negated(x):
    return torch._neg_view(-x)


@pytest.mark.parametrize("change", [lying_apart, negated, torch.Tensor.double, lambda x: x[:-1]])
@pytest.mark.parametrize("place", range(7))
def test_what_is_not_plain_is_left_to_the_call_of_a_layer(place, change):
    x, h0, c0, weights = arguments("lstm", 4)
    given = [x, h0, c0, *weights]
    given[place] = change(given[place].detach())
    if place == 0 and len(given[0]) == 3:  # fewer rows are an input like another, but h0 has more
        given[0] = change(given[0].T).T
    assert steps.take(*given[:3], given[3:], "lstm", "tanh", False) is None
    if change not in (lying_apart, negated):
        with pytest.raises(native.Unfit):
            native.step(*given[:3], given[3:], ("lstm", "tanh", True, False, 0, "fp32"))
        return
    given = [t.requires_grad_() for t in given]
    options = ("lstm", "tanh", True, False, 0, "fp32")
    found = run(lambda *a: native.step(*a, options), *given[:3], given[3:])
    plain = [t.detach().resolve_neg().contiguous().requires_grad_() for t in given]
    assert_equal(found, run(lambda *a: native.step(*a, options), *plain[:3], plain[3:]))


def test_gradients_that_lie_apart_are_taken():
    x, h0, _, weights = arguments("gru", 3)
    options = ("gru", "tanh", True, False, 0, "fp32")
    h, _ = native.step(x, h0, None, weights, options)
    one = torch.autograd.grad(h, weights, torch.ones(()).expand(3, UNITS), retain_graph=True)
    assert_equal(one, torch.autograd.grad(h, weights, torch.ones(3, UNITS)))


def test_an_older_pytorch_goes_by_the_call_of_a_layer(monkeypatch):
    given, options = arguments("gru", 3), ("gru", "tanh", True, False, 0, "fp32")
    expected = run(lambda *a: native.step(*a, options)[:1], *given)
    monkeypatch.delattr(torch.Tensor, "__dlpack_c_exchange_api__", raising=False)
    monkeypatch.setitem(native._CAN_TAKE, "gru", steps.can_take("gru"))
    monkeypatch.setattr(steps, "take", None)
    assert_equal(run(lambda *a: native.step(*a, options)[:1], *given), expected)


def test_a_step_without_rows_is_left_to_the_call_of_a_layer():
    x, h0, _, weights = arguments("gru", 0)
    assert steps.take(x, h0, None, weights, "gru", "tanh", False) is None
    assert native.step(x, h0, None, weights, ("gru", "tanh", True, False, 0, "fp32"))[0].shape == (0, UNITS)


def test_a_step_can_be_differentiated_twice():
    x, h0, _, weights = arguments("gru", 2)
    h, _ = native.step(x, h0, None, weights, ("gru", "tanh", True, False, 0, "fp32"))
    (d_x,) = torch.autograd.grad(h.sum(), x, create_graph=True)
    double = [t.detach().double().requires_grad_() for t in (x, h0, *weights)]
    cell = torch.nn.GRUCell(INPUTS, UNITS, dtype=torch.float64)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    after = torch.func.functional_call(cell, dict(zip(names, double[2:], strict=True)), (double[0], double[1]))
    (expected,) = torch.autograd.grad(after.sum(), double[0], create_graph=True)
    for one, other in zip(
        torch.autograd.grad(d_x.sum(), [x, h0, weights[1]]),
        torch.autograd.grad(expected.sum(), [double[0], double[1], double[3]]),
        strict=True,
    ):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-5)
