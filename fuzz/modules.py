"""Calls of layers and cells, PyTorch's accelerated and ours with options, some of whose arguments are then spoilt."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch
from case import Case
from hostile import NUMBERS, Random, plain
from hostile import spoil as spoil_any
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import sluicegate
from sluicegate.errors import ConfigError
from sluicegate.nn import GRU, LSTM, GRUCell, MinGRU, MinGRUCell

REFUSALS = (ConfigError, RuntimeError, ValueError, TypeError, IndexError, AttributeError)
LAYERS = (nn.GRU, nn.LSTM, nn.RNN)
CELLS = (nn.GRUCell, nn.LSTMCell, nn.RNNCell)
SIZES = ((1, 1), (3, 4), (5, 9), (2, 17))
ATTRIBUTES = ("hidden_size", "input_size", "num_layers", "bias", "batch_first", "bidirectional")
OTHERWISE = ("weight", "attribute", "batch_sizes", "sorted", "unsorted", "state: number")
"""What PyTorch may take and compute with, but the equations not."""
STATES = {"gru": 1, "lstm": 2, "rnn": 1, "mingru": 1}


@cache
def _made(number: int) -> nn.Module:
    """One of the modules that there are to call; made once, for that takes as long as ten calls."""
    rng = Random(number)
    inputs, hidden = rng.choice(SIZES)
    way = rng.choice(("layer", "layer", "layer", "cell", "cell", "ours"))
    if way == "cell":
        return sluicegate.accelerate(rng.choice(CELLS)(inputs, hidden, bias=rng.random() < 0.7))
    if way == "ours":
        return rng.choice((
            lambda: GRU(inputs, hidden, reset="before", batch_first=True),
            lambda: LSTM(inputs, hidden, activation="relu", bidirectional=True),
            lambda: GRU(inputs, hidden, checkpoint_every=2),
            lambda: MinGRU(inputs, hidden, bidirectional=rng.random() < 0.5),
            lambda: MinGRUCell(inputs, hidden),
            lambda: GRUCell(inputs, hidden, reset="before"),
        ))()  # fmt: skip
    shape = {name: rng.random() < 0.5 for name in ("bias", "batch_first", "bidirectional")}
    return sluicegate.accelerate(rng.choice(LAYERS)(inputs, hidden, rng.choice((1, 1, 2)), **shape))


def spoil(rng: Random, x: Any, told: list[str], name: str) -> Any:
    """Spoil one argument, but not so that PyTorch's own operators end the process, which some calls are handed to."""
    return spoil_any(rng, x, told, name, but=("freed", "huge elsewhere"))


def draw(rng: Random) -> Case:
    """Draw a call of a module."""
    module: Any = _made(rng.randrange(60))
    is_cell, told = isinstance(module, nn.RNNCellBase), [str(module)]
    x, hx, lengths = _for_cell(rng, module) if is_cell else _for_layer(rng, module)
    spoilt = rng.random() < 0.75
    if spoilt and rng.random() < 0.3:  # and nothing else: PyTorch, if it has to compute, looks at no such thing
        module = rng.choice((_with_another_weight, _with_another_attribute))(rng, module, told)
    elif spoilt:
        for way in rng.choices(("x", "state", "lengths"), k=rng.choice((1, 1, 2))):
            if way == "x":
                x = _spoil_input(rng, x, told)
            elif way == "state":
                hx = _spoil_state(rng, hx, told)
            elif isinstance(lengths, list) and lengths:
                lengths = _spoil_lengths(rng, lengths, told)
    learning, half = rng.random() < 0.5, rng.random() < 0.05
    told += ["learning"] * learning + ["autocast"] * half

    def call(x: Any, hx: Any, lengths: Any) -> Any:
        with torch.set_grad_enabled(learning), torch.autocast("cpu", torch.bfloat16, enabled=half):
            results = module(x, hx) if lengths is None else module(x, hx, lengths=lengths)
            if learning:
                _back(results)
        return results

    altered = any(word.startswith(OTHERWISE) for word in told)
    return Case(told, [x, hx, lengths], call, None if altered or half else _reference(module), REFUSALS)


def _for_cell(rng: Random, module: Any) -> tuple[Any, Any, None]:
    rows = () if rng.random() < 0.2 else (rng.choice((0, 1, 2, 5)),)
    states = tuple(torch.rand(*rows, module.hidden_size) for _ in range(STATES[module.kind]))
    hx = None if rng.random() < 0.3 else states if len(states) == 2 else states[0]
    return torch.rand(*rows, module.input_size), hx, None


def _for_layer(rng: Random, module: Any) -> tuple[Any, Any, Any]:
    steps, batch = rng.choice((1, 2, 3, 6)), rng.choice((1, 2, 3, 5))
    form = rng.choice(("batch", "batch", "single", "packed", "packed", "lengths"))
    x, lengths = torch.rand(steps, batch, module.input_size), [rng.randint(1, steps) for _ in range(batch)]
    rows = () if form == "single" else (batch,)
    count = module.num_layers * (2 if module.bidirectional else 1)
    states = tuple(torch.rand(count, *rows, module.hidden_size) for _ in range(STATES[module.kind]))
    hx = None if rng.random() < 0.3 else states if len(states) == 2 else states[0]
    if form == "packed":
        return pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False), hx, None
    if form == "single":
        return x[:, 0], hx, None
    return x.transpose(0, 1) if module.batch_first else x, hx, lengths if form == "lengths" else None


def _spoil_input(rng: Random, x: Any, told: list[str]) -> Any:
    if not isinstance(x, PackedSequence):
        return spoil(rng, x, told, "input")
    fields: list[Any] = list(x)
    at = rng.choice((0, 1, 1, 1, 2, 3))
    fields[at] = spoil(rng, fields[at], told, PackedSequence._fields[at])
    return tuple.__new__(PackedSequence, fields)  # as unpickling and `_replace` make one: nothing is checked


def _spoil_state(rng: Random, hx: Any, told: list[str]) -> Any:
    way = rng.choice(("one", "one", "one", "number", "list"))
    if way == "one" or not isinstance(hx, tuple | Tensor):
        if not isinstance(hx, tuple) or len(hx) != 2:
            return spoil(rng, hx, told, "state")
        parts, at = list(hx), rng.randrange(2)
        parts[at] = spoil(rng, parts[at], told, f"state {at}")
        return tuple(parts)
    told.append(f"state: {way}")
    parts = hx if isinstance(hx, tuple) else (hx,)
    if way == "list":
        return list(parts)
    return rng.choice((parts[:1], parts[-1], parts * 2, (*parts, *parts[:1]), ())) if parts else None


def _spoil_lengths(rng: Random, lengths: list[int], told: list[str]) -> Any:
    if rng.random() < 0.5 and all(isinstance(length, int) and length < 2**63 for length in lengths):
        return spoil(rng, torch.tensor(lengths), told, "lengths")
    told.append("lengths: others")
    lengths = list(lengths)
    lengths[rng.randrange(len(lengths))] = rng.choice((*NUMBERS, 2**70, 1.5, None, "x"))  # type: ignore[call-overload]
    return lengths if rng.random() < 0.8 else lengths[1:]


def _with_another_weight(rng: Random, module: Any, told: list[str]) -> Any:
    """Put a spoilt tensor where the module finds a weight, as adapters do."""
    module, name = copy.copy(module), rng.choice([name for name, _ in module.named_parameters()])
    weight = spoil(rng, getattr(module, name).detach().clone(), told, f"weight {name}")
    if isinstance(module, nn.RNNBase) and rng.random() < 0.5:
        module._flat_weights = list(module._flat_weights)
        module._flat_weights[rng.randrange(len(module._flat_weights))] = weight
    else:
        vars(module)[name] = weight
    return module


def _with_another_attribute(rng: Random, module: Any, told: list[str]) -> Any:
    module, name = copy.copy(module), rng.choice([name for name in ATTRIBUTES if name in vars(module)])
    before = vars(module)[name]
    vars(module)[name] = not before if isinstance(before, bool) else rng.choice((0, 1, 2, 3, 5, -1, 2**31, 2**62))
    told.append(f"attribute {name}: {before} -> {vars(module)[name]}")
    return module


def _back(results: Any) -> None:
    found = [t for t in _flat(results) if isinstance(t, Tensor) and t.requires_grad]
    if found:
        torch.autograd.backward([t.float().sum() for t in found])


def _flat(results: Any) -> list[Any]:
    if isinstance(results, PackedSequence):
        return [results.data]
    return [t for part in results for t in _flat(part)] if isinstance(results, tuple) else [results]


def _reference(module: Any) -> Any:
    """Compare with the equations."""

    def pairs(case: Case, results: Any) -> list[tuple[Any, Any]]:
        x, hx, lengths = case.arguments
        x = plain(x) if isinstance(x, Tensor) else x
        hx = tuple(map(plain, hx)) if isinstance(hx, tuple | list) else plain(hx)
        try:
            with torch.no_grad():
                if lengths is None:
                    expected = module.by_reference(x, hx)
                else:
                    expected = module._by_reference(x, hx, torch.as_tensor(lengths).long())
        except ConfigError:  # PyTorch has taken what is no state of these rows
            return []
        return list(zip(_flat(results), _flat(expected), strict=True))

    return pairs
