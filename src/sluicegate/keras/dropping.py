"""Keras' cells with dropout of each gate on its own: by their equations, step by step, in plain PyTorch.

With `recurrent_dropout` Keras drops other units of the state, and other features of the input, for each gate. The
kernels multiply all gates by one state; so each step is a product of its own for each gate, all of them at once. What
the input gives is computed for all steps beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .cells import Form
from .weights import Weights

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
_GATES = {"gru": 3, "gru_reset_before": 3, "lstm": 4, "rnn": 1}


def run(
    form: Form, x: Tensor, states: Sequence[Tensor], weights: Weights, masks: Sequence[Any], lengths: Tensor | None
) -> Sequence[Tensor]:
    """Compute a cell over sequences.

    Args:
        form: What it computes.
        x: `[batch time features]`.
        states: The initial state, `[batch units]` each: h, and c of an LSTM.
        weights: Keras' own.
        masks: The dropout masks of the input, `[batch features]`, and of the state, `[batch units]`: one for each gate,
            one for all, or None.
        lengths: How many steps of each row there are; None if all.

    Returns:
        The outputs, `[batch time units]`, zero past the lengths, and the final states.
    """
    kernel, recurrent, bias = weights
    gates, units = _GATES[form.cell], recurrent.shape[0]
    both = None if bias is None else bias.view(-1, gates, 1, units)
    shares = _dropped(x.transpose(0, 1), masks[0]) @ _by_gate(kernel, gates)
    if both is not None:
        shares = shares + both[0]
    step = _steps(form, _by_gate(recurrent, gates), both[1] if both is not None and len(both) == 2 else None)
    outputs, own = [], list(states)
    for time, share in enumerate(shares.unbind(0)):
        new = step(share, own, _dropped(own[0], masks[1]))
        if lengths is not None:
            valid = (time < lengths).unsqueeze(1)
            new = [torch.where(valid, after, before) for after, before in zip(new, own, strict=True)]
        outputs.append(new[0] if lengths is None else new[0] * valid)
        own = new
    return torch.stack(outputs, 1), *own


def _by_gate(weight: Tensor, gates: int) -> Tensor:
    """`[gates features units]` of Keras' matrix, in which gates stand side by side."""
    return weight.view(weight.shape[0], gates, -1).transpose(0, 1)


def _dropped(x: Tensor, mask: Any) -> Tensor:
    """What each gate sees of `[... batch features]`, or all of them: `[... gates batch features]`."""
    seen = x.unsqueeze(-3)
    if mask is None:
        return seen
    return seen * (torch.stack([*mask]) if isinstance(mask, list | tuple) else mask)


def _steps(
    form: Form, recurrent: Tensor, bias: Tensor | None
) -> Callable[[Tensor, list[Tensor], Tensor], list[Tensor]]:
    """The step of a cell: of the input's share, the state and what each gate sees of that, to the new state."""
    φ = _ACTIVATIONS[form.activation]

    def rnn(x: Tensor, state: list[Tensor], h: Tensor) -> list[Tensor]:  # noqa: ARG001 - of the signature of all
        return [φ(x + h @ recurrent)[0]]

    def lstm(x: Tensor, state: list[Tensor], h: Tensor) -> list[Tensor]:
        i, f, g, o = (x + h @ recurrent).unbind(0)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * φ(g)
        return [torch.sigmoid(o) * φ(c), c]

    def gru(x: Tensor, state: list[Tensor], h: Tensor) -> list[Tensor]:
        a = h @ recurrent if bias is None else h @ recurrent + bias
        z, r = torch.sigmoid(x[:2] + a[:2]).unbind(0)
        return [torch.lerp(φ(x[2] + r * a[2]), state[0], z)]

    def gru_reset_before(x: Tensor, state: list[Tensor], h: Tensor) -> list[Tensor]:
        h = h.expand(3, -1, -1)
        z, r = torch.sigmoid(x[:2] + h[:2] @ recurrent[:2]).unbind(0)
        return [torch.lerp(φ(x[2] + (r * h[2]) @ recurrent[2]), state[0], z)]

    return {"rnn": rnn, "lstm": lstm, "gru": gru, "gru_reset_before": gru_reset_before}[form.cell]
