"""A layer as ONNX has it: the standard nodes `GRU`, `LSTM` and `RNN`.

A MinGRU becomes a `GRU` whose gates do not see the state: its recurrent weights are zero. A LiGRU becomes one whose
reset gate is open: its weights are zero, and its bias is so large that the gate is 1 to the bit.

`native.layer` comes here while `torch.onnx.export` writes a model down; so does its rule for autograd, if the program
was made by `torch.export` before. ONNX has the same equations. What differs is the order of the gates, and that the
directions have an axis of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .cells import CELLS
from .kernel_calls import Options

ORDER = {"gru": "zrn", "gru_reset_before": "zrn", "lstm": "iofg", "rnn": "n"}
"""The order of ONNX's gates, by our letters."""

_OPEN = 100.0

ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "none": "Affine"}


def layer(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    rows: tuple[Tensor | None, Tensor | None, Tensor | None],
    options: Options,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Put a node of ONNX in the place of a layer.

    Args:
        x: `[time batch input]`, or `[batch time input]` with `batch_first`.
        h0: The initial state, `[directions batch hidden]`; zeros when not given.
        c0: The initial cell state, of an LSTM.
        weights: Those of both directions in turn, as `native.layer` takes them.
        rows: How many steps each row has, and which row of the batch it is; lengths alone are in the batch's order.
        options: As `native.layer` takes them.

    Returns:
        The outputs, laid out like `x`, the final state and the final cell state, as `native.layer` returns them, and
        nothing for the backward pass.
    """
    (lengths, order, offsets), (cell, activation, biased, batch_first, *_) = rows, options
    assert offsets is None, "`nn` refuses a PackedSequence, which ONNX does not have"
    if lengths is not None and order is not None:
        lengths = torch.empty_like(lengths).scatter(0, order, lengths)
    if cell == "mingru":
        weights, cell, activation = _as_gru(weights, biased=biased), "gru", "none"
    if cell == "ligru":
        weights, cell, biased = _with_open_reset(weights, biased=biased), "gru", True
    x, *before = (t.to(weights[0].dtype) for t in (x, h0, c0) if t is not None)  # autocast may have rounded them
    steps = x.transpose(0, 1) if batch_first else x
    y, *after = _node(steps, before, weights, lengths, cell, activation, biased)
    if lengths is not None and before:
        # A row of no steps ends as it began: ONNX does not say so, and ONNX Runtime makes zeros of its state.
        empty = (lengths == 0).unsqueeze(-1)
        after = [torch.where(empty, b, a) for b, a in zip(before, after, strict=True)]
    nothing = x.new_empty((0,))
    return _laid_out(y, batch_first), after[0], after[1] if len(after) == 2 else nothing, nothing


def _node(
    steps: Tensor,
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    cell: str,
    activation: str,
    biased: bool,
) -> Sequence[Tensor]:
    """Write the node itself, whose outputs are `[time directions batch hidden]`."""
    per = 4 if biased else 2
    directions, hidden = len(weights) // per, weights[1].shape[1]
    w, r, *biases = (
        _in_order(weights[i::per], [CELLS[cell].gates.index(gate) for gate in ORDER[cell]]) for i in range(per)
    )
    gates = [] if cell == "rnn" else ["Sigmoid"]
    shown = [ACTIVATIONS[activation]] if cell == "lstm" else []
    plain = activation == "none"  # 1 x + 0
    time, batch = steps.shape[:2]
    state = (directions, batch, hidden)
    shapes = [(time, *state), *[state] * (2 if cell == "lstm" else 1)]
    return torch.onnx.ops.symbolic_multi_out(
        cell.removesuffix("_reset_before").upper(),
        [
            steps,
            w,
            r,
            torch.cat(biases, 1) if biased else None,
            None if lengths is None else lengths.to(torch.int32),
            *states,
        ],
        {
            "hidden_size": hidden,
            "direction": "bidirectional" if directions == 2 else "forward",
            "activations": [*gates, ACTIVATIONS[activation], *shown] * directions,
            **({"activation_alpha": [1.0] * directions, "activation_beta": [0.0] * directions} if plain else {}),
            **({"linear_before_reset": int(cell == "gru")} if cell.startswith("gru") else {}),
        },
        dtypes=[steps.dtype] * len(shapes),
        shapes=shapes,
    )


def _as_gru(weights: Sequence[Tensor], *, biased: bool) -> list[Tensor]:
    """Make the weights of a GRU that computes a MinGRU: its z keeps where the other's writes, and nothing reads h."""
    found: list[Tensor] = []
    per = 2 if biased else 1
    for first in range(0, len(weights), per):
        parts = [w.chunk(2) for w in weights[first : first + per]]
        w_ih, *b_ih = (torch.cat([torch.zeros_like(z), -z, n]) for z, n in parts)
        w_hh = w_ih.new_zeros((w_ih.shape[0], w_ih.shape[0] // 3))
        found += [w_ih, w_hh, *b_ih, *(torch.zeros_like(b) for b in b_ih)]
    return found


def _with_open_reset(weights: Sequence[Tensor], *, biased: bool) -> list[Tensor]:
    """Make the weights of a GRU that computes a LiGRU."""
    found: list[Tensor] = []
    per = 4 if biased else 2
    for first in range(0, len(weights), per):
        w_ih, w_hh, *biases = weights[first : first + per]
        hidden = w_hh.shape[1]
        b_ih, b_hh = biases or (w_hh.new_zeros(2 * hidden), w_hh.new_zeros(2 * hidden))
        w_ih, w_hh = (torch.cat([w.new_zeros(hidden, w.shape[1]), w]) for w in (w_ih, w_hh))
        found += [
            w_ih,
            w_hh,
            torch.cat([b_ih.new_full((hidden,), _OPEN), b_ih]),
            torch.cat([b_hh.new_zeros(hidden), b_hh]),
        ]
    return found


def _laid_out(y: Tensor, batch_first: bool) -> Tensor:
    """Bring `[time directions batch hidden]` to the layout of the input, the directions side by side."""
    _, directions, _, hidden = y.shape
    if directions == 1:
        return y.squeeze(1).transpose(0, 1) if batch_first else y.squeeze(1)
    y = y.permute(2, 0, 1, 3) if batch_first else y.transpose(1, 2)
    # As `y.flatten(2)`, for which PyTorch would write nodes that compute the two sizes; 0 leaves them as they are.
    shape = (*y.shape[:2], directions * hidden)
    return torch.onnx.ops.symbolic("Reshape", [y, _constant([0, 0, shape[2]])], dtype=y.dtype, shape=shape)


def _in_order(weights: Sequence[Tensor], gates: Sequence[int]) -> Tensor:
    """Put a weight or bias of each direction one behind the other, with ONNX's order of gates."""
    stacked = torch.stack(list(weights))
    if len(gates) == 1:
        return stacked
    hidden = stacked.shape[1] // len(gates)
    return stacked.index_select(1, _constant([gate * hidden + unit for gate in gates for unit in range(hidden)]))


def _constant(numbers: Sequence[int]) -> Tensor:
    """Write numbers into the graph: a program made before, when it is taken apart, takes in no tensor of ours."""
    return torch.onnx.ops.symbolic("Constant", [], {"value_ints": numbers}, dtype=torch.int64, shape=(len(numbers),))
