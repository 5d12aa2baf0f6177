"""Calls of the operators `torch.ops.sluicegate`: a right one, some of whose arguments are then spoilt."""

from __future__ import annotations

import re
from typing import Any

import torch
from case import Case
from hostile import NUMBERS, Random, plain, spoil
from torch import Tensor

from sluicegate.ops import derivatives, kernel_calls
from sluicegate.ops.cells import ACTIVATIONS, CELLS, GATES

WORDS = ("gru", "lstm", "", "GRU", "no such cell", "tanh", "fp32", "bf16")
FORMS = ("whole", "ragged", "packed", "step")


def draw(rng: Random) -> Case:
    """Draw a call of the forward or of the backward operator."""
    arguments = _right(rng)
    way = rng.choice(("layer", "layer_backward"))
    if way == "layer_backward":
        arguments = _of_backward(rng, arguments)
    told = [way]
    if rng.random() < 0.75:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            _spoil_one(rng, arguments, told)
    return Case(told, arguments, getattr(torch.ops.sluicegate, way), _reference, (RuntimeError, TypeError))


def _right(rng: Random) -> list[Any]:
    """Draw what the operator `layer` takes."""
    cell = rng.choice(list(CELLS))
    steps, batch = rng.choice((0, 1, 1, 2, 3, 5, 8)), rng.choice((0, 1, 1, 2, 3, 4, 9))
    inputs, hidden = rng.choice((1, 2, 3, 5, 9)), rng.choice((1, 2, 3, 4, 7, 8, 9, 17))
    form, biased, first = rng.choice(FORMS), rng.random() < 0.7, rng.random() < 0.5
    directions = 1 if form == "step" else rng.choice((1, 2))
    lengths = order = offsets = None
    x = torch.rand(batch, steps, inputs) if first else torch.rand(steps, batch, inputs)
    if form == "step":
        x = torch.rand(batch, inputs)
    elif form in ("ragged", "packed"):
        lowest = 0 if form == "ragged" else min(1, steps)
        lengths = torch.tensor(sorted((rng.randint(lowest, steps) for _ in range(batch)), reverse=True)).long()
        if form == "packed":
            counts = (lengths > torch.arange(steps).unsqueeze(1)).sum(1)
            x, offsets = torch.rand(int(counts.sum()), inputs), counts.cumsum(0) - counts
        elif rng.random() < 0.7:
            order = torch.tensor(rng.sample(range(batch), batch)).long()
    states: Any = [torch.rand(batch, hidden) if form == "step" else torch.rand(directions, batch, hidden)] * 2
    h0 = None if rng.random() < 0.5 else states[0]
    c0 = states[1].clone() if CELLS[cell].state == "hc" and h0 is not None else None
    gates, weights = GATES[cell] * hidden, []
    for _ in range(directions):
        shapes = [(gates, inputs), (gates, hidden), (gates,), (gates,)]
        shapes = shapes if CELLS[cell].recurrent else shapes[::2]
        weights += [torch.rand(shape) - 0.5 for shape in shapes[: kernel_calls.per_direction(cell, biased=biased)]]
    if rng.random() < 0.2:
        weights = [w.requires_grad_() for w in weights]
    every = rng.choice((0, 0, 0, 1, 2, 3))
    activation, precision, keep = rng.choice(ACTIVATIONS), rng.choice(("fp32", "fp32", "bf16")), rng.random() < 0.5
    return [x, h0, c0, weights, lengths, order, offsets, cell, activation, biased, first, every, precision, keep]


def _of_backward(rng: Random, forward: list[Any]) -> list[Any]:
    """What `layer_backward` takes after that call."""
    forward = [t.detach() if isinstance(t, Tensor) else t for t in forward]
    forward[3], forward[-1] = [w.detach() for w in forward[3]], True
    output, h_n, c_n, saved = torch.ops.sluicegate.layer(*forward)
    gradients = [torch.rand(t.shape) if rng.random() < 0.7 else None for t in (output, h_n, c_n)]
    wanted = [rng.random() < 0.7 for _ in range(3 + len(forward[3]))]
    return [*gradients, *forward[:4], output, saved, *forward[4:-1], wanted]


def _spoil_one(rng: Random, arguments: list[Any], told: list[str]) -> None:
    i = rng.randrange(len(arguments))
    value = arguments[i]
    if isinstance(value, str):
        arguments[i] = rng.choice(WORDS)
    elif isinstance(value, bool):
        arguments[i] = not value
    elif isinstance(value, int):
        arguments[i] = rng.choice(NUMBERS)
    elif isinstance(value, list):
        arguments[i] = _spoil_list(rng, value, told, i)
        return
    elif isinstance(value, Tensor) and rng.random() < 0.05:
        arguments[i] = next((t for t in rng.sample(arguments, len(arguments)) if isinstance(t, Tensor)), value)
    else:
        arguments[i] = spoil(rng, value, told, f"argument {i}")
        return
    told.append(f"argument {i}: another")


def _spoil_list(rng: Random, values: list[Any], told: list[str], i: int) -> list[Any]:
    """Weights of another number or in another order, or one of them spoilt; of flags, another number."""
    values, way = list(values), rng.choice(("one", "one", "fewer", "more", "none", "order"))
    told.append(f"list {i}: {way}")
    if way == "fewer" and values:
        del values[rng.randrange(len(values)) :]
    elif way == "more" and values:
        values += values[: rng.randrange(1, len(values) + 1)]
    elif way == "none":
        values = []
    elif way == "order":
        rng.shuffle(values)
    elif values and isinstance(values[0], Tensor):
        at = rng.randrange(len(values))
        values[at] = spoil(rng, values[at], told, f"weight {at}")
    return values


def _reference(case: Case, results: Any) -> list[tuple[Any, Any]]:
    """Pair what was found with what the equations give; in bfloat16 a last bit may become a thousandth of a number."""
    if any(isinstance(a, str) and a == "bf16" for a in case.arguments):
        return []
    arguments = [[plain(w) for w in a] if isinstance(a, list) and a and isinstance(a[0], Tensor) else plain(a)
                 for a in case.arguments]  # fmt: skip
    if case.told[0] != "layer_backward":
        x, h0, c0, weights, lengths, order, offsets, *options, _ = arguments
        expected = derivatives._compute([x, h0, c0, *weights], (lengths, order, offsets), tuple(options))  # type: ignore[arg-type]
        return list(zip(results[:3], expected, strict=False))
    if any(re.match(r"argument ([3-9]|1.)|weight|list", word) for word in case.told):
        return []  # what the forward pass has kept is not of these
    gradients, (x, h0, c0, weights, _, _, lengths, order, offsets, *options, wanted) = arguments[:3], arguments[3:]
    inputs = [None if t is None else t.requires_grad_() for t in (x, h0, c0, *weights)]
    asked = [want and t is not None for want, t in zip(wanted, inputs, strict=True)]
    if not any(asked):
        return []
    expected = derivatives.by_equations(gradients, asked, inputs, (lengths, order, offsets), tuple(options))  # type: ignore[arg-type]
    return [(r, e) for r, e in zip((*results[:3], *results[3]), expected, strict=True) if e is not None]
