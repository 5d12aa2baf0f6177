"""The reference computes the equations as written: here they are once more, number by number, in plain Python."""

import math

import jaxtyping
import numpy as np
import pytest
import torch

from sluicegate.ops.reference import (
    Form,
    Recurrence,
    Weights,
    gru,
    gru_step,
    ligru,
    lstm,
    lstm_step,
    mingru,
    rnn,
    rnn_step,
    scan,
)

INPUT, HIDDEN, TIME, BATCH = 3, 4, 5, 2
GATES = {"rnn": 1, "gru": 3, "lstm": 4, "mingru": 2, "ligru": 2}
BUILD = {"rnn": rnn, "gru": gru, "lstm": lstm, "mingru": mingru, "ligru": ligru}
ACT = {"tanh": math.tanh, "relu": lambda a: max(a, 0.0)}


def weights(kind: str, *, bias=True, layer_norm=False, projected=0, dtype=torch.float64, seed=0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    rows = GATES[kind] * HIDDEN

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).mul(0.6).to(dtype)

    return Weights(
        weight_ih=draw(rows, INPUT),
        weight_hh=draw(rows, projected or HIDDEN) if kind != "mingru" else None,
        bias_ih=draw(rows) if bias else None,
        bias_hh=draw(rows) if bias and kind != "mingru" else None,
        weight_hr=draw(projected, HIDDEN) if projected else None,
        gain_ih=1 + draw(rows) if layer_norm else None,
        gain_hh=1 + draw(rows) if layer_norm else None,
        gain_c=1 + draw(HIDDEN) if layer_norm and kind == "lstm" else None,
        bias_c=draw(HIDDEN) if layer_norm and kind == "lstm" else None,
    )


def data(*, projected=0, cell=False, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(TIME, BATCH, INPUT, generator=generator, dtype=torch.float64).to(dtype)
    h = torch.randn(BATCH, projected or HIDDEN, generator=generator, dtype=torch.float64).to(dtype)
    c = torch.randn(BATCH, HIDDEN, generator=generator, dtype=torch.float64).to(dtype)
    return x, ((h, c) if cell else (h,))


# The equations, one number at a time.


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def product(weight, v, rows: range, gain=None, bias=None) -> list[float]:
    """Rows of `W v + b`, or of `LN(W v) * gain + b` where the rows given are normalised together."""
    a = [sum(float(weight[i, k]) * v[k] for k in range(len(v))) for i in rows]
    if gain is not None:
        a = normalised(a)
        a = [float(gain[i]) * value for i, value in zip(rows, a, strict=True)]
    if bias is not None:
        a = [value + float(bias[i]) for i, value in zip(rows, a, strict=True)]
    return a


def normalised(a: list[float]) -> list[float]:
    mean = sum(a) / len(a)
    variance = sum((value - mean) ** 2 for value in a) / len(a)
    return [(value - mean) / math.sqrt(variance + 1e-5) for value in a]


def rnn_by_hand(w: Weights, form: Form, x, h, mask):
    rows = range(HIDDEN)
    seen = [m * v for m, v in zip(mask, h, strict=True)]
    from_x = product(w.weight_ih, x, rows, w.gain_ih, w.bias_ih)
    from_h = product(w.weight_hh, seen, rows, w.gain_hh, w.bias_hh)
    return ([ACT[form.activation](from_x[j] + from_h[j]) for j in rows],)


def gru_by_hand(w: Weights, form: Form, x, h, mask):
    gates, candidate = range(2 * HIDDEN), range(2 * HIDDEN, 3 * HIDDEN)
    seen = [m * v for m, v in zip(mask, h, strict=True)]
    gates_x = product(w.weight_ih, x, gates, w.gain_ih, w.bias_ih)
    gates_h = product(w.weight_hh, seen, gates, w.gain_hh, w.bias_hh)
    n_x = product(w.weight_ih, x, candidate, w.gain_ih, w.bias_ih)
    new = []
    r = [sigmoid(gates_x[j] + gates_h[j]) for j in range(HIDDEN)]
    z = [sigmoid(gates_x[HIDDEN + j] + gates_h[HIDDEN + j]) for j in range(HIDDEN)]
    if form.reset == "after":
        whole = product(w.weight_hh, seen, candidate, w.gain_hh, w.bias_hh)
        n_h = [r[j] * whole[j] for j in range(HIDDEN)]
    else:
        n_h = product(w.weight_hh, [r[j] * seen[j] for j in range(HIDDEN)], candidate, w.gain_hh, w.bias_hh)
    for j in range(HIDDEN):
        n = ACT[form.activation](n_x[j] + n_h[j])
        new.append((1 - z[j]) * n + z[j] * h[j])
    return (new,)


def lstm_by_hand(w: Weights, form: Form, x, h, c, mask):
    rows = range(4 * HIDDEN)
    act = ACT[form.activation]
    seen = [m * v for m, v in zip(mask, h, strict=True)]
    from_x = product(w.weight_ih, x, rows, w.gain_ih, w.bias_ih)
    from_h = product(w.weight_hh, seen, rows, w.gain_hh, w.bias_hh)
    a = [p + q for p, q in zip(from_x, from_h, strict=True)]
    memory, opened = [], []
    for j in range(HIDDEN):
        i, f, g, o = sigmoid(a[j]), sigmoid(a[4 + j]), act(a[8 + j]), sigmoid(a[12 + j])
        memory.append(f * c[j] + i * g)
        opened.append(o)
    shown = memory
    if w.gain_c is not None:
        shown = [float(w.gain_c[j]) * v + float(w.bias_c[j]) for j, v in enumerate(normalised(memory))]
    new = [o * act(v) for o, v in zip(opened, shown, strict=True)]
    if w.weight_hr is not None:
        new = product(w.weight_hr, new, range(len(w.weight_hr)))
    return new, memory


def mingru_by_hand(w: Weights, form: Form, x, h, mask):
    a = product(w.weight_ih, x, range(2 * HIDDEN), bias=w.bias_ih)
    z = [sigmoid(a[j]) for j in range(HIDDEN)]
    return ([(1 - z[j]) * h[j] + z[j] * a[HIDDEN + j] for j in range(HIDDEN)],)


def ligru_by_hand(w: Weights, form: Form, x, h, mask):
    rows, seen = range(2 * HIDDEN), [m * v for m, v in zip(mask, h, strict=True)]
    from_x, from_h = product(w.weight_ih, x, rows, bias=w.bias_ih), product(w.weight_hh, seen, rows, bias=w.bias_hh)
    z = [sigmoid(from_x[j] + from_h[j]) for j in range(HIDDEN)]
    n = [ACT[form.activation](from_x[j] + from_h[j]) for j in range(HIDDEN, 2 * HIDDEN)]
    return ([z[j] * h[j] + (1 - z[j]) * n[j] for j in range(HIDDEN)],)


BY_HAND = {
    "rnn": rnn_by_hand,
    "gru": gru_by_hand,
    "lstm": lstm_by_hand,
    "mingru": mingru_by_hand,
    "ligru": ligru_by_hand,
}


def scan_by_hand(kind, w, form, x, state, mask=None):
    outputs = np.zeros((TIME, BATCH, state[0].shape[1]))
    finals = [np.zeros(s.shape) for s in state]
    for b in range(BATCH):
        now = [s[b].tolist() for s in state]
        row_mask = [1.0] * len(now[0]) if mask is None else mask[b].tolist()
        for t in range(TIME):
            now = BY_HAND[kind](w, form, x[t, b].tolist(), *now, row_mask)
            outputs[t, b] = now[0]
        for final, value in zip(finals, now, strict=True):
            final[b] = value
    return outputs, finals


def check_by_hand(kind, form, *, mask=None, **options):
    w = weights(kind, **options)
    x, state = data(cell=kind == "lstm", projected=options.get("projected", 0))
    outputs, finals = scan(BUILD[kind](w, form, mask), x, state)
    expected, expected_finals = scan_by_hand(kind, w, form, x, state, mask)
    np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-12, atol=1e-13)
    for final, value in zip(finals, expected_finals, strict=True):
        np.testing.assert_allclose(final.numpy(), value, rtol=1e-12, atol=1e-13)


FORMS = [
    pytest.param(kind, Form(reset, activation), id=f"{kind}-{reset}-{activation}")
    for kind in ("rnn", "gru", "lstm")
    for reset in (("after", "before") if kind == "gru" else ("after",))
    for activation in ("tanh", "relu")
]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_computes_the_equations(kind, form, bias):
    check_by_hand(kind, form, bias=bias)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
def test_computes_the_equations_of_a_mingru(bias):
    check_by_hand("mingru", Form(), bias=bias)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_computes_the_equations_of_a_ligru(activation, bias):
    check_by_hand("ligru", Form(activation=activation), bias=bias)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "none"])
@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_computes_layer_norm(kind, form, bias):
    check_by_hand(kind, form, layer_norm=True, bias=bias)


@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_drops_what_the_recurrent_products_read(kind, form):
    mask = torch.tensor([[2.0, 0.0, 2.0, 2.0], [0.0, 2.0, 0.0, 2.0]], dtype=torch.float64)
    check_by_hand(kind, form, mask=mask)


def test_projects_what_the_lstm_shows():
    check_by_hand("lstm", Form(), projected=2)
    check_by_hand("lstm", Form(activation="relu"), projected=2, layer_norm=True)


def test_the_two_reset_forms_differ_where_they_should():
    x, h = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[2.0]], dtype=torch.float64)

    def half_open(_):  # r = z = sigmoid(0) = 0.5
        return torch.zeros(1, 2, dtype=torch.float64)

    def curved(v):  # a recurrent map that is not linear tells the two forms apart
        return 0.1 * v**2

    after = gru_step(x, h, half_open, curved, Form("after"))
    before = gru_step(x, h, half_open, curved, Form("before"))
    assert after.item() == pytest.approx(0.5 * math.tanh(0.5 * 0.1 * 4) + 0.5 * 2, rel=1e-14)
    assert before.item() == pytest.approx(0.5 * math.tanh(0.1 * 1) + 0.5 * 2, rel=1e-14)


def test_steps_take_a_single_row():
    h, c = lstm_step(torch.zeros(4), torch.zeros(1), torch.ones(1), lambda v: torch.zeros(4))
    assert (h.item(), c.item()) == pytest.approx((0.5 * math.tanh(0.5), 0.5))
    assert rnn_step(torch.tensor([1.0]), torch.tensor([2.0]), lambda v: -v).item() == pytest.approx(math.tanh(-1))


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("kind", BUILD)
def test_reads_each_row_as_if_it_were_alone(kind, reverse):
    cell: Recurrence = BUILD[kind](weights(kind), Form())
    x, state = data(cell=kind == "lstm")
    lengths = [2, 4]
    valid = torch.arange(TIME).unsqueeze(1) < torch.tensor(lengths)
    outputs, finals = scan(cell, x, state, valid=valid, reverse=reverse)
    for b, length in enumerate(lengths):
        row = x[:length, b : b + 1]
        alone, final = scan(cell, row.flip(0) if reverse else row, tuple(s[b : b + 1] for s in state))
        torch.testing.assert_close(outputs[:length, b : b + 1], alone.flip(0) if reverse else alone)
        assert (outputs[length:, b] == 0).all()
        for one, expected in zip(finals, final, strict=True):
            torch.testing.assert_close(one[b : b + 1], expected)


@pytest.mark.parametrize("layer_norm", [False, True], ids=["plain", "layer_norm"])
@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_derivatives_of_both_orders(kind, form, layer_norm, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # thousands of calls, each checked elsewhere
    w = weights(kind, layer_norm=layer_norm)
    names = [name for name in Weights._fields if getattr(w, name) is not None]
    x, state = data(cell=kind == "lstm")
    inputs = [x[:2, :1], *(s[:1] for s in state), *(getattr(w, name) for name in names)]
    flat = torch.cat([v.flatten() for v in inputs]).requires_grad_()  # one vector: a tenth of the time of ten tensors

    def run(flat):
        pieces = flat.split([v.numel() for v in inputs])
        x, *rest = (piece.view(v.shape) for piece, v in zip(pieces, inputs, strict=True))
        of, values = tuple(rest[: len(state)]), rest[len(state) :]
        outputs, finals = scan(BUILD[kind](Weights(**dict(zip(names, values, strict=True))), form), x, of)
        return torch.cat([v.flatten() for v in (outputs, *finals)])

    assert torch.autograd.gradcheck(run, flat, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, flat, fast_mode=True)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float16, 1e-2), (torch.bfloat16, 6e-2)], ids=str
)
@pytest.mark.parametrize("kind", BUILD)
def test_works_in_every_float_type(kind, dtype, tolerance):
    x, state = data(cell=kind == "lstm")
    exact, _ = scan(BUILD[kind](weights(kind), Form()), x, state)
    x, state = data(cell=kind == "lstm", dtype=dtype)
    outputs, finals = scan(BUILD[kind](weights(kind, dtype=dtype), Form()), x, state)
    assert {outputs.dtype, *(f.dtype for f in finals)} == {dtype}
    torch.testing.assert_close(outputs.double(), exact, rtol=0, atol=tolerance)


def rounded(v: torch.Tensor) -> torch.Tensor:
    return v.to(torch.bfloat16).to(v.dtype)


def test_bf16_rounds_the_operands_and_nothing_else():
    w = weights("gru", dtype=torch.float32)
    x, (h,) = data(dtype=torch.float32)
    outputs, _ = scan(gru(w, Form(precision="bf16")), x, (h,))
    w_ih, w_hh = rounded(w.weight_ih), rounded(w.weight_hh)
    for t in range(TIME):
        a_x = rounded(x[t]) @ w_ih.T + w.bias_ih
        a_h = rounded(h) @ w_hh.T + w.bias_hh
        r, z = torch.sigmoid(a_x + a_h)[:, : 2 * HIDDEN].chunk(2, dim=1)
        n = torch.tanh(a_x[:, 2 * HIDDEN :] + r * a_h[:, 2 * HIDDEN :])
        h = (1 - z) * n + z * h
        torch.testing.assert_close(outputs[t], h, rtol=1e-6, atol=1e-6)
    full, _ = scan(gru(w, Form()), *data(dtype=torch.float32))
    assert 0 < (outputs - full).abs().max() < 0.02
