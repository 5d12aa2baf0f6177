"""A layer in int8, step by step, in NumPy: what the kernels, the runtime and the C export are held to, to the bit.

**What is stored.** A matrix `W [gates input]` becomes whole numbers `q` from -127 to 127 and one 32-bit float a row,
its scale. What it multiplies is rounded to whole numbers too, at factors that are known beforehand:

    u_k = round(factor_k x_k), held between -127 and 127

so that `W x` is nearly `scale_i * sum over k of q_ik u_k`, of which the sum is one of whole numbers and exact in
32 bits, in whatever order it is made. The factor of the state is 127 for every cell whose `|h|` is at most 1, which is
all but a MinGRU and those with a ReLU; each feature of a layer's input has a factor of its own, 127 over the largest
value that was seen in calibration. A first input of few features stays as it is, in 32-bit floats, with its weights.
Gates, state, the LSTM's cell state and biases are 32-bit floats.

**What is rounded, and when.** Every sum, product and quotient of 32-bit floats below is one operation of IEEE 754,
rounded to nearest, of two as near to the even one, and is done in the order written; none is fused with another, and
numbers too small to be normal are kept. In C that is `-ffp-contract=off` without `-ffast-math`, and on 32-bit x86
`-msse2 -mfpmath=sse`. So the same bits come out of scalar C, SSE, AVX2, AVX-512, NEON and a Cortex-M.

    u = whole(f x)     v = f * x;  v = v < 127 ? v : 127;  v = v > -127 ? v : -127;  u = v rounded to nearest, even
                       (a NaN becomes 127; |v| <= 127, so that `(v + 12582912) - 12582912` rounds it without libm)
    X  = input's share of a row: of int8   float(sum of q u) * scale + bias          a product, then a sum
                                 of floats ((bias + w_0 x_0) + w_1 x_1) + ...         k from 0 up, product, then sum
    Q  = state's share of a row:           float(sum of q u) * scale                  u = whole(factor h)

`float()` of a sum beyond 2^24 rounds as everything does. `bias` is `b_i + b_h` of every row but those of a GRU's
candidate with the reset after, which has `b_i` there, and `b_h` beside `Q`:

    GRU      r = sigmoid(X_r + Q_r);  z = sigmoid(X_z + Q_z);  n = φ(X_n + r * (Q_n + b_hn));  h' = (n - z * n) + z * h
    before   r = sigmoid(X_r + Q_r);  z = sigmoid(X_z + Q_z);  n = φ(X_n + Q_n), with u = whole(factor (r * h)) in Q_n;
             h' = (n - z * n) + z * h
    LSTM     i, f, o = sigmoid(X + Q);  g = φ(X_g + Q_g);  c' = f * c + i * g;  h' = o * φ(c')
    RNN      h' = φ(X + Q)
    MinGRU   z = sigmoid(X_z);  n = X_n;  h' = (1 - z) * h + z * n
    LiGRU    z = sigmoid(X_z + Q_z);  n = φ(X_n + Q_n);  h' = (n - z * n) + z * h

φ is tanh, or ReLU: `a < 0 ? 0 : a`. tanh and sigmoid are quotients of two polynomials, `tanh` and `sigmoid` below.

The rows of a matrix hold the gates in the order of `ops.reference`: `r, z, n`; `i, f, g, o`; `z, n`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float32, Int8
from numpy import ndarray

State: TypeAlias = tuple[Float32[ndarray, "rows hidden"], ...]
"""`(h,)`, or `(h, c)` of an LSTM."""

LARGEST = 127
"""The largest whole number that a weight, or what it multiplies, becomes."""

TANH = (
    (1.0, 1.342586875e-01, 3.549167886e-03, 2.150847649e-05, 1.464823285e-08),
    (1.0, 4.675919414e-01, 2.607994527e-02, 3.373948566e-04, 8.295097587e-07),
    8.7 * 8.7,
)
"""The polynomials above and below, from the constant up, and where the square is held: 32-bit floats all."""

SIGMOID = (
    (0.25, 8.391167969e-03, 5.545574822e-05, 8.401748630e-08, 1.430491489e-11),
    (1.0, 1.168979853e-01, 1.629996579e-03, 5.271794635e-06, 3.240272495e-09),
    17.4 * 17.4,
)
"""The same for sigmoid x - 1/2."""


class Matrix(NamedTuple):
    """Weights of one product: whole numbers with their scales, or 32-bit floats as they are."""

    weight: Int8[ndarray, "gates depth"] | Float32[ndarray, "gates depth"]
    scale: Float32[ndarray, " gates"] | None = None
    """What one unit of a row's sum is worth; None where the weights are floats."""
    factor: Float32[ndarray, " depth"] | Float32[ndarray, " 1"] | None = None
    """What each number that is multiplied is multiplied with before it is rounded."""


class Layer(NamedTuple):
    """One layer in one direction."""

    cell: str
    """One of `ops.cells.CELLS`: `"gru"`, `"gru_reset_before"`, `"lstm"`, `"rnn"`, `"mingru"` or `"ligru"`."""
    activation: str
    """`"tanh"` or `"relu"`."""
    input: Matrix
    bias: Float32[ndarray, " gates"]
    hidden: Matrix | None = None
    """None of a MinGRU."""
    hidden_bias: Float32[ndarray, " hidden"] | None = None
    """`b_hn` of a GRU with the reset after, else None."""


def whole(x: Float32[ndarray, "*rows depth"], factor: Float32[ndarray, " _"]) -> Int8[ndarray, "*rows depth"]:
    """Round what a matrix multiplies.

    Example:
        >>> whole(np.float32([0.5, -1.5, np.nan]), np.float32([127.0]))
        array([  64, -127,  127], dtype=int8)
    """
    v = x * factor
    v = np.where(v < LARGEST, v, np.float32(LARGEST))
    v = np.where(v > -LARGEST, v, np.float32(-LARGEST))
    rounded: ndarray = np.rint(v).astype(np.int8)
    return rounded


def _quotient(a: ndarray, curve: tuple[tuple[float, ...], tuple[float, ...], float]) -> ndarray:
    """Compute a P(s) / Q(s) with s = a², held at its limit; by Horner's rule, each product and each sum rounded."""
    p, q, limit = (np.asarray(part, np.float32) for part in curve)
    s = a * a
    s = np.where(limit < s, limit, s)
    above, below = p[4] * s + p[3], q[4] * s + q[3]
    for k in (2, 1, 0):
        above, below = above * s + p[k], below * s + q[k]
    found: ndarray = a * (above / below)
    return found


def tanh(a: Float32[ndarray, "*rows units"]) -> Float32[ndarray, "*rows units"]:
    """Compute a P(a²) / Q(a²), held between -1 and 1; within 4e-7 of the true value.

    Example:
        >>> tanh(np.float32([0.0, 20.0]))
        array([0., 1.], dtype=float32)
    """
    t = _quotient(a, TANH)
    t = np.where(t > 1, np.float32(1), t)
    held: ndarray = np.where(t < -1, np.float32(-1), t)
    return held


def sigmoid(a: Float32[ndarray, "*rows units"]) -> Float32[ndarray, "*rows units"]:
    """Compute 1/2 + a P(a²) / Q(a²), held between 0 and 1; within 3e-7 of the true value.

    Example:
        >>> sigmoid(np.float32([0.0, 40.0, -40.0]))
        array([0.5, 1. , 0. ], dtype=float32)
    """
    t = np.float32(0.5) + _quotient(a, SIGMOID)
    t = np.where(t > 1, np.float32(1), t)
    held: ndarray = np.where(t < 0, np.float32(0), t)
    return held


def _activate(a: ndarray, activation: str) -> ndarray:
    return np.where(a < 0, np.float32(0), a) if activation == "relu" else tanh(a)


def _sums(matrix: Matrix, x: ndarray) -> ndarray:
    """float(sum of q u) * scale."""
    assert matrix.scale is not None, "the weights are whole numbers"
    assert matrix.factor is not None, "they multiply whole numbers"
    u = whole(x, matrix.factor).astype(np.int32)
    exact = u @ matrix.weight.T.astype(np.int32)
    found: ndarray = exact.astype(np.float32) * matrix.scale
    return found


def input_share(layer: Layer, x: Float32[ndarray, "rows input"]) -> Float32[ndarray, "rows gates"]:
    """Compute the input's share X of all gates."""
    if layer.input.scale is not None:
        share: ndarray = _sums(layer.input, x) + layer.bias
        return share
    share = np.repeat(layer.bias[None], len(x), axis=0)
    for k in range(x.shape[1]):
        share = share + x[:, k : k + 1] * layer.input.weight[:, k]
    return share


def step(layer: Layer, x: Float32[ndarray, "rows input"], state: State) -> State:
    """Take a step.

    Args:
        layer: With its weights.
        x: The input.
        state: Before the step.

    Returns:
        The state after it, of which the first part, h, is the output.

    Example:
        >>> one = np.float32([127.0])
        >>> weights = Matrix(np.int8([[127]]), np.float32([1 / 127**2]), one)
        >>> layer = Layer("rnn", "tanh", weights, np.zeros(1, np.float32), weights)
        >>> step(layer, np.float32([[0.5]]), (np.float32([[0.25]]),))
        (array([[0.6386589]], dtype=float32),)
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        share = np.split(input_share(layer, x), GATES[layer.cell], axis=1)
        return _STEPS[layer.cell](layer, share, state)


def _gru(layer: Layer, share: list[ndarray], state: State) -> State:
    (h,), (x_r, x_z, x_n) = state, share
    assert layer.hidden is not None
    assert layer.hidden_bias is not None
    q_r, q_z, q_n = np.split(_sums(layer.hidden, h), 3, axis=1)
    r, z = sigmoid(x_r + q_r), sigmoid(x_z + q_z)
    n = _activate(x_n + r * (q_n + layer.hidden_bias), layer.activation)
    return (_mix(z, n, h),)


def _gru_before(layer: Layer, share: list[ndarray], state: State) -> State:
    (h,), (x_r, x_z, x_n) = state, share
    assert layer.hidden is not None
    q_r, q_z, _ = np.split(_sums(layer.hidden, h), 3, axis=1)
    r, z = sigmoid(x_r + q_r), sigmoid(x_z + q_z)
    _, _, q_n = np.split(_sums(layer.hidden, r * h), 3, axis=1)
    return (_mix(z, _activate(x_n + q_n, layer.activation), h),)


def _lstm(layer: Layer, share: list[ndarray], state: State) -> State:
    h, c = state
    assert layer.hidden is not None
    a_i, a_f, a_g, a_o = (x + q for x, q in zip(share, np.split(_sums(layer.hidden, h), 4, axis=1), strict=True))
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), _activate(a_g, layer.activation), sigmoid(a_o)
    c = f * c + i * g
    return o * _activate(c, layer.activation), c


def _rnn(layer: Layer, share: list[ndarray], state: State) -> State:
    assert layer.hidden is not None
    return (_activate(share[0] + _sums(layer.hidden, state[0]), layer.activation),)


def _mingru(layer: Layer, share: list[ndarray], state: State) -> State:  # noqa: ARG001 - it has no product of the state
    (h,), (x_z, n) = state, share
    z = sigmoid(x_z)
    return ((np.float32(1) - z) * h + z * n,)


def _ligru(layer: Layer, share: list[ndarray], state: State) -> State:
    (h,), (x_z, x_n) = state, share
    assert layer.hidden is not None
    q_z, q_n = np.split(_sums(layer.hidden, h), 2, axis=1)
    return (_mix(sigmoid(x_z + q_z), _activate(x_n + q_n, layer.activation), h),)


def _mix(z: ndarray, n: ndarray, h: ndarray) -> ndarray:
    mixed: ndarray = (n - z * n) + z * h
    return mixed


_STEPS = {
    "gru": _gru, "gru_reset_before": _gru_before, "lstm": _lstm, "rnn": _rnn, "mingru": _mingru, "ligru": _ligru,
}  # fmt: skip

GATES = {"gru": 3, "gru_reset_before": 3, "lstm": 4, "rnn": 1, "mingru": 2, "ligru": 2}
"""Into how many parts the rows of a matrix fall."""
