"""GRU, LSTM, RNN, MinGRU and LiGRU as equations: the page to read first, and what every faster path is held to.

A recurrent cell reads a sequence `x_1, x_2, ...` one step at a time and carries a hidden state `h`, its
memory. The plain **RNN** overwrites all of its state at each step, `φ` being tanh or ReLU:

    h' = φ(W_i x + b_i + W_h h + b_h)

so that what it knew soon fades. A **GRU** puts sluice gates before the state: numbers between 0 and 1, one per
unit, computed from the input and from the state itself:

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)    reset gate: how much of the state the candidate may see
    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)    update gate: how much of the state is kept
    n = φ(W_in x + b_in + r * (W_hn h + b_hn))    candidate, `reset="after"`: cuDNN, PyTorch, Keras' `reset_after=True`
    n = φ(W_in x + b_in + W_hn (r * h) + b_hn)    candidate, `reset="before"`: Cho et al. 2014
    h' = (1 - z) * n + z * h                      new state: part candidate, part old state

With z = 1 a unit keeps what it holds for as long as it takes; with z = 0 it takes the candidate; with r = 0 the
candidate is made from the input alone. The two published forms differ in what the reset gate multiplies: the
product of the state (after) or the state itself (before). They are different functions, and weights trained for
one do not fit the other; "before" has to wait for r before it can start its second product.

An **LSTM** keeps a cell state `c` apart from the hidden state `h`, its output, and has three gates:

    i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)    input gate: how much of the candidate is written
    f = sigmoid(W_if x + b_if + W_hf h + b_hf)    forget gate: how much of the cell state is kept
    g = φ(W_ig x + b_ig + W_hg h + b_hg)          candidate
    o = sigmoid(W_io x + b_io + W_ho h + b_ho)    output gate: how much of the cell state is put out
    c' = f * c + i * g                            new cell state
    h' = o * φ(c')                                new hidden state; W_hr (o * φ(c')) with a projection

A **MinGRU** is what remains of a GRU when its gates see the input alone, and nothing squashes the candidate:

    z = sigmoid(W_iz x + b_iz)                    update gate: how much of the candidate is written
    n = W_in x + b_in                             candidate
    h' = (1 - z) * h + z * n                      new state

Its state passes through gates that are known beforehand, a mean of candidates with weights that sum to 1 at most. That
takes a fraction of the time, and a second layer to do what a GRU does by looking at its state. As in its paper, z
writes: it is to the MinGRU what 1 - z is to the GRU above.

A **LiGRU** is a GRU without the reset gate, which for speech did little that the update gate does not, with a ReLU:

    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)    update gate: how much of the state is kept
    n = φ(W_in x + b_in + W_hn h + b_hn)          candidate
    h' = z * h + (1 - z) * n                      new state

Nothing holds a ReLU's candidate, so that the input's share `W_i x` is normalised over the batch and its steps:
`ops.normalization` says how that becomes other weights `W_i` and biases `b_i`.

The rows of a weight hold the gates one below the other, `r, z, n`, `i, f, g, o`, as PyTorch has them, and `z, n`.

Papers: Elman 1990 (RNN); Hochreiter & Schmidhuber 1997 and Gers et al. 2000 (LSTM); Cho et al. 2014 (GRU); Feng et al.
2024 (MinGRU); Ravanelli et al. 2018 (LiGRU).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, sigmoid

from sluicegate.types import Activation, Precision, Reset

from .affine import Map, affine

State: TypeAlias = tuple[Tensor, ...]
"""`(h,)`, or `(h, c)` for the LSTM, each `[batch hidden]`."""

ACTIVATIONS: dict[Activation, Map] = {"tanh": torch.tanh, "relu": torch.relu}


class Weights(NamedTuple):
    """One layer in one direction, under the names that `torch.nn` gives; the gains are there with layer norm only.

    A MinGRU has no recurrent weights and biases, whose names end in `hh`.
    """

    weight_ih: Float[Tensor, "gates input"]
    weight_hh: Float[Tensor, "gates hidden"] | None = None
    bias_ih: Float[Tensor, " gates"] | None = None
    bias_hh: Float[Tensor, " gates"] | None = None
    weight_hr: Float[Tensor, "projected hidden"] | None = None
    gain_ih: Float[Tensor, " gates"] | None = None
    gain_hh: Float[Tensor, " gates"] | None = None
    gain_c: Float[Tensor, " hidden"] | None = None
    bias_c: Float[Tensor, " hidden"] | None = None


class Form(NamedTuple):
    """Which of the published forms of the equations is meant."""

    reset: Reset = "after"
    activation: Activation = "tanh"
    precision: Precision = "fp32"


class Recurrence(NamedTuple):
    """One layer in one direction, ready to run."""

    project: Map
    """The input's share of all gates, `W_i x + b_i`, for any number of steps at once."""
    step: Callable[[Tensor, State], State]
    """From that share at one step, and the state, to the next state."""
    gates: Callable[[Tensor, State], tuple[Tensor, ...]]
    """From the same to the gates and the candidate that the step goes by, in their order; an RNN has none."""


def rnn_step(
    x: Float[Tensor, "*#batch hidden"],
    h: Float[Tensor, "*#batch hidden"],
    recurrent: Map,
    activation: Activation = "tanh",
) -> Float[Tensor, "*#batch hidden"]:
    """Take one step of the RNN.

    Args:
        x: The input's share, `W_i x + b_i`.
        h: The state.
        recurrent: The map `h -> W_h h + b_h`.
        activation: `"tanh"` or `"relu"`.

    Returns:
        The new state.

    Example:
        >>> rnn_step(torch.tensor([0.5, -2.0]), torch.tensor([1.0, 1.0]), lambda h: h, "relu")
        tensor([1.5000, 0.0000])
    """
    return ACTIVATIONS[activation](x + recurrent(h))


def gru_step(
    x: Float[Tensor, "*#batch gates"],
    h: Float[Tensor, "*#batch hidden"],
    gates: Map,
    candidate: Map,
    form: Form = Form(),  # noqa: B008 - a tuple, immutable
) -> Float[Tensor, "*#batch hidden"]:
    """Take one step of the GRU.

    Args:
        x: The input's share of r, z and n side by side, `W_i x + b_i`.
        h: The state.
        gates: The map to the state's share of r and z side by side, `h -> W_h h + b_h`.
        candidate: The map to the state's share of n.
        form: Where the reset gate acts, and the activation.

    Returns:
        The new state.

    Example:
        With z = sigmoid(0) = 0.5, the new state is half candidate, tanh(1) = 0.76, and half old state, 1.

        >>> nothing = lambda h: torch.zeros(2)
        >>> gru_step(torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0]), nothing, lambda h: 0 * h)
        tensor([0.8808])
    """
    _, z, n = _gru_gates(x, h, gates, candidate, form)
    return (1 - z) * n + z * h


def _gru_gates(x: Tensor, h: Tensor, gates: Map, candidate: Map, form: Form) -> tuple[Tensor, Tensor, Tensor]:
    x_r, x_z, x_n = x.chunk(3, dim=-1)
    h_r, h_z = gates(h).chunk(2, dim=-1)
    r = sigmoid(x_r + h_r)
    z = sigmoid(x_z + h_z)
    h_n = r * candidate(h) if form.reset == "after" else candidate(r * h)
    n = ACTIVATIONS[form.activation](x_n + h_n)
    return r, z, n


def lstm_step(
    x: Float[Tensor, "*#batch gates"],
    h: Float[Tensor, "*#batch shown"],
    c: Float[Tensor, "*#batch hidden"],
    gates: Map,
    activation: Activation = "tanh",
    normalise: Map | None = None,
    project: Map | None = None,
) -> tuple[Float[Tensor, "*#batch shown"], Float[Tensor, "*#batch hidden"]]:
    """Take one step of the LSTM.

    Args:
        x: The input's share of i, f, g and o side by side, `W_i x + b_i`.
        h: The hidden state.
        c: The cell state.
        gates: The map to the state's share of i, f, g and o side by side, `h -> W_h h + b_h`.
        activation: `"tanh"` or `"relu"`.
        normalise: With layer norm, the map that normalises the cell state before the output gate.
        project: With a projection, the map `h -> W_hr h`.

    Returns:
        The new `h` and `c`.

    Example:
        Every gate is half open: c = 0.5 * 1 + 0.5 * tanh(0), and h = 0.5 * tanh(0.5).

        >>> h, c = lstm_step(torch.zeros(4), torch.zeros(1), torch.ones(1), lambda h: torch.zeros(4))
        >>> h, c
        (tensor([0.2311]), tensor([0.5000]))
    """
    i, f, g, o = _lstm_gates(x, h, gates, activation)
    c = f * c + i * g
    h = o * ACTIVATIONS[activation](c if normalise is None else normalise(c))
    return (h if project is None else project(h)), c


def _lstm_gates(x: Tensor, h: Tensor, gates: Map, activation: Activation) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a_i, a_f, a_g, a_o = (x + gates(h)).chunk(4, dim=-1)
    return sigmoid(a_i), sigmoid(a_f), ACTIVATIONS[activation](a_g), sigmoid(a_o)


def mingru_step(
    x: Float[Tensor, "*#batch gates"], h: Float[Tensor, "*#batch hidden"]
) -> Float[Tensor, "*#batch hidden"]:
    """Take one step of the MinGRU.

    Args:
        x: The input's share of z and n side by side, `W_i x + b_i`: there is no other.
        h: The state.

    Returns:
        The new state.

    Example:
        With z = sigmoid(0) = 0.5, the new state is half old state, 1, and half candidate, 4.

        >>> mingru_step(torch.tensor([0.0, 4.0]), torch.tensor([1.0]))
        tensor([2.5000])
    """
    z, n = _mingru_gates(x)
    return (1 - z) * h + z * n


def _mingru_gates(x: Tensor) -> tuple[Tensor, Tensor]:
    x_z, n = x.chunk(2, dim=-1)
    return sigmoid(x_z), n


def ligru_step(
    x: Float[Tensor, "*#batch gates"],
    h: Float[Tensor, "*#batch hidden"],
    gates: Map,
    activation: Activation = "relu",
) -> Float[Tensor, "*#batch hidden"]:
    """Take one step of the LiGRU.

    Args:
        x: The input's share of z and n side by side, `W_i x + b_i`.
        h: The state.
        gates: The map to the state's share of z and n side by side, `h -> W_h h + b_h`.
        activation: `"relu"` or `"tanh"`.

    Returns:
        The new state.

    Example:
        With z = sigmoid(0) = 0.5, the new state is half old state, 1, and half candidate, 4.

        >>> ligru_step(torch.tensor([0.0, 4.0]), torch.tensor([1.0]), lambda h: torch.zeros(2))
        tensor([2.5000])
    """
    z, n = _ligru_gates(x, h, gates, activation)
    return z * h + (1 - z) * n


def _ligru_gates(x: Tensor, h: Tensor, gates: Map, activation: Activation) -> tuple[Tensor, Tensor]:
    a_z, a_n = (x + gates(h)).chunk(2, dim=-1)
    return sigmoid(a_z), ACTIVATIONS[activation](a_n)


def rnn(w: Weights, form: Form, mask: Float[Tensor, "batch hidden"] | None = None) -> Recurrence:
    """Put together an RNN from its weights, the form and a recurrent dropout mask."""
    recurrent = _recurrent(w, form, mask)
    return Recurrence(
        affine(w.weight_ih, w.bias_ih, w.gain_ih, precision=form.precision),
        lambda x, state: (rnn_step(x, state[0], recurrent, form.activation),),
        lambda _, __: (),
    )


def gru(w: Weights, form: Form, mask: Float[Tensor, "batch hidden"] | None = None) -> Recurrence:
    """Put together a GRU; layer norm takes r and z together and n apart, as in the paper."""
    hidden = w.weight_ih.shape[0] // 3
    gates = _recurrent(w, form, mask, slice(2 * hidden))
    candidate = _recurrent(w, form, mask, slice(2 * hidden, None))
    return Recurrence(
        affine(w.weight_ih, w.bias_ih, w.gain_ih, parts=[2 * hidden, hidden], precision=form.precision),
        lambda x, state: (gru_step(x, state[0], gates, candidate, form),),
        lambda x, state: _gru_gates(x, state[0], gates, candidate, form),
    )


def lstm(w: Weights, form: Form, mask: Float[Tensor, "batch shown"] | None = None) -> Recurrence:
    """Put together an LSTM; layer norm also takes the cell state before the output gate, as in the paper."""
    gates = _recurrent(w, form, mask)
    project = None if w.weight_hr is None else affine(w.weight_hr, precision=form.precision)
    normalise = None
    if w.gain_c is not None:
        normalise = partial(F.layer_norm, normalized_shape=w.gain_c.shape, weight=w.gain_c, bias=w.bias_c)
    return Recurrence(
        affine(w.weight_ih, w.bias_ih, w.gain_ih, precision=form.precision),
        lambda x, state: lstm_step(x, state[0], state[1], gates, form.activation, normalise, project),
        lambda x, state: _lstm_gates(x, state[0], gates, form.activation),
    )


def mingru(w: Weights, form: Form, mask: Float[Tensor, "batch hidden"] | None = None) -> Recurrence:
    """Put together a MinGRU, of which there is but one form, and in which nothing reads a masked state."""
    assert mask is None, "there is no recurrent product"
    return Recurrence(
        affine(w.weight_ih, w.bias_ih, precision=form.precision),
        lambda x, state: (mingru_step(x, state[0]),),
        lambda x, _: _mingru_gates(x),
    )


def ligru(w: Weights, form: Form, mask: Float[Tensor, "batch hidden"] | None = None) -> Recurrence:
    """Put together a LiGRU, of which the input's share is normalised already."""
    gates = _recurrent(w, form, mask)
    return Recurrence(
        affine(w.weight_ih, w.bias_ih, precision=form.precision),
        lambda x, state: (ligru_step(x, state[0], gates, form.activation),),
        lambda x, state: _ligru_gates(x, state[0], gates, form.activation),
    )


EQUATIONS = {"gru": gru, "gru_reset_before": gru, "lstm": lstm, "rnn": rnn, "mingru": mingru, "ligru": ligru}
"""What puts a cell together, by the names that the kernels have."""


def _recurrent(w: Weights, form: Form, mask: Tensor | None, rows: slice = slice(None)) -> Map:
    assert w.weight_hh is not None, "only a MinGRU has no recurrent weights"
    bias, gain = (None if v is None else v[rows] for v in (w.bias_hh, w.gain_hh))
    return affine(w.weight_hh[rows], bias, gain, precision=form.precision, mask=mask)


def scan(
    cell: Recurrence,
    x: Float[Tensor, "time batch input"],
    state: State,
    *,
    valid: Bool[Tensor, "time batch"] | None = None,
    reverse: bool = False,
) -> tuple[Float[Tensor, "time batch output"], State]:
    """Run a cell over a sequence.

    Args:
        cell: What `rnn`, `gru`, `lstm`, `mingru` or `ligru` put together.
        x: The sequence.
        state: The state before the first step.
        valid: Which steps of each row are part of it: at the others the state stands still and the output is 0.
        reverse: Read the sequence from its end.

    Returns:
        The `h` of every step, in the order of `x`, and the state after the last one read.

    Example:
        >>> w = Weights(torch.ones(1, 1), torch.ones(1, 1))
        >>> total = rnn(w, Form(activation="relu"))
        >>> outputs, (h,) = scan(total, torch.tensor([[[1.0]], [[2.0]], [[3.0]]]), (torch.zeros(1, 1),))
        >>> outputs.flatten(), h
        (tensor([1., 3., 6.]), tensor([[6.]]))
    """
    xs = cell.project(x).unbind(0)
    outputs = list(xs)
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        after = cell.step(xs[t], state)
        if valid is not None:
            now = valid[t].unsqueeze(-1)
            after = tuple(torch.where(now, new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs[t] = state[0]
    stacked = torch.stack(outputs) if outputs else x.new_zeros((0, *state[0].shape))
    return (stacked if valid is None else stacked.masked_fill(~valid.unsqueeze(-1), 0)), state
