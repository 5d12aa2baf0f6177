"""What the gates of a layer do while it reads, computed by the equations beside whoever computes the layer.

Nothing is hooked into the layer and nothing kept on it: its weights are read, and the equations take every step again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Module
from torch.nn.modules.rnn import RNNBase

from sluicegate.errors import ConfigError, DataError
from sluicegate.ops.cells import CELLS
from sluicegate.ops.reference import EQUATIONS, Form, Recurrence, State, Weights
from sluicegate.types import Activation, Cell

from .made_classes import OURS, base_of
from .options import NOTHING, Options
from .stack import Stack

_NAMES = {"r": "reset", "z": "update", "n": "candidate", "i": "input", "f": "forget", "g": "candidate", "o": "output"}

PARTS: dict[Cell, tuple[str, ...]] = {
    kind: (
        *(_NAMES[letter] for letter in CELLS[kind].gates if kind != "rnn"),  # whose candidate is its new state
        *(("cell",) if "c" in CELLS[kind].state else ()),
        "state",
    )
    for kind in ("gru", "lstm", "rnn", "mingru", "ligru")
}
"""What there is to see of each kind, the gates in the order of the weights."""


class Seen(NamedTuple):
    """What was seen of a layer."""

    kind: Cell
    axes: tuple[str, ...]
    """Of every part: `time` and `unit`, with `batch` and `layer` where the layer has them."""
    parts: dict[str, Tensor]


def look(layer: Module, x: Tensor, h0: Any = None) -> Seen:
    """Read a sequence by the equations, and keep every part of every step.

    Args:
        layer: A recurrent layer or a cell, of `sluicegate.nn` or `torch.nn`.
        x: What a layer reads; of a cell, all steps of it, `[time batch input]` or `[time input]`.
        h0: The state before the first step, as the layer takes it; zeros when not given.

    Returns:
        The parts by name, laid out as `x` is, those of all layers and directions stacked in front as in PyTorch's
        `h_n`; without a gradient.

    Raises:
        ConfigError: `layer` is something else, or `h0` does not fit it.
        DataError: `x` does not fit it.
    """
    kind = _kind(layer)
    weight: Tensor = getattr(layer, "weight_ih_l0" if isinstance(layer, RNNBase) else "weight_ih")
    batched = _require_input(layer, x, weight)
    swapped = batched and isinstance(layer, RNNBase) and layer.batch_first
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        steps = (x.transpose(0, 1) if swapped else x) if batched else x.unsqueeze(1)
        states = _states(layer, kind, h0, steps, weight, batched=batched)
        parts = dict(zip(PARTS[kind], _read(layer, kind, steps, states), strict=True))
    axes = ["layer", "time", "batch", "unit"]
    for name, part in parts.items():
        part = part.transpose(1, 2) if swapped else part if batched else part.squeeze(2)
        parts[name] = part if isinstance(layer, RNNBase) else part.squeeze(0)
    if swapped:
        axes[1:3] = "batch", "time"
    gone = {*(() if batched else ("batch",)), *(() if isinstance(layer, RNNBase) else ("layer",))}
    return Seen(kind, tuple(axis for axis in axes if axis not in gone), parts)


def _kind(layer: Module) -> Cell:
    """Tell which equations a layer has, and refuse one of which they do not tell what it computes."""
    name = type(layer).__name__
    if not isinstance(layer, (Options, *OURS)):
        raise ConfigError(
            f"`layer` (a {name}) must be a recurrent layer or a cell of `sluicegate.nn` or `torch.nn`: pass the one "
            "within the model"
        )
    of = next(cls for cls in type(layer).__mro__ if "forward" in vars(cls)).__module__
    known = of.startswith(("torch.nn.modules.", "sluicegate.nn."))
    if not known or "forward" in vars(layer) or layer._forward_pre_hooks:
        raise ConfigError(
            f"`layer` (a {name}) has a `forward` or hooks before it of its own, of which the equations know nothing: "
            "pass a layer without them"
        )
    return layer.kind if isinstance(layer, Options) else OURS[base_of(layer)].kind


def _require_input(layer: Any, x: Any, weight: Tensor) -> bool:
    """Refuse what the layer cannot read; tell whether there is a batch axis."""
    if not isinstance(x, Tensor):
        raise DataError(
            f"`x` (a {type(x).__name__}) must be a tensor or an array: make lists and packed rows into padded ones"
        )
    first = getattr(layer, "batch_first", False)
    if x.dim() not in (2, 3) or x.shape[-1] != layer.input_size or 0 in x.shape:
        axes = "[batch time input]" if first else "[time batch input]"
        raise DataError(
            f"`x` has the shape {tuple(x.shape)}, and must be `{axes}` or `[time input]`, of a step and a row at "
            f"least, with an input of {layer.input_size}"
        )
    if weight.is_meta or x.device != weight.device or x.dtype != weight.dtype:
        raise DataError(
            f"`x` is of the type {x.dtype} on the device '{x.device}', and the layer of {weight.dtype} on "
            f"'{weight.device}': both must be of one type, and where there are numbers to read"
        )
    return x.dim() == 3


def _states(layer: Any, kind: Cell, h0: Any, x: Tensor, weight: Tensor, *, batched: bool) -> list[State]:
    """Find the state before the first step of every layer and direction, `[batch width]` each."""
    shown = getattr(layer, "proj_size", 0) or layer.hidden_size
    widths = (shown, layer.hidden_size) if kind == "lstm" else (shown,)
    count = layer.num_layers * (2 if layer.bidirectional else 1) if isinstance(layer, RNNBase) else 1
    shapes = [(count, x.shape[1], width) for width in widths]
    if h0 is None:
        return list(zip(*(x.new_zeros(shape).unbind(0) for shape in shapes), strict=True))
    given = tuple(h0) if isinstance(h0, tuple | list) and kind == "lstm" else (h0,)
    stacked = isinstance(layer, RNNBase)
    shapes_given = [tuple(shape[0 if stacked else 1 :]) for shape in shapes]
    if not batched:
        shapes_given = [(*shape[:-2], shape[-1]) for shape in shapes_given]
    found = [(tuple(h.shape), h.dtype, h.device) if isinstance(h, Tensor) else None for h in given]
    if found != [(shape, weight.dtype, weight.device) for shape in shapes_given]:
        form = "(h, c)" if kind == "lstm" else "one tensor"
        raise ConfigError(
            f"`h0` must be {form} of the shape {' and '.join(map(str, shapes_given))}, as the layer takes it with this "
            f"`x`, of {weight.dtype} on '{weight.device}': pass what it returned, or leave it out"
        )
    return list(zip(*(h.reshape(shape).unbind(0) for h, shape in zip(given, shapes, strict=True)), strict=True))


def _read(layer: Module, kind: Cell, x: Float[Tensor, "time batch input"], states: list[State]) -> list[Tensor]:
    """Run the layers one on top of the other, and give every part, `[layer time batch width]`."""
    before, found = iter(states), []
    for depth in range(layer.num_layers if isinstance(layer, RNNBase) else 1):
        directions = [
            _walk(cell, x, next(before), reverse=bool(number))
            for number, cell in enumerate(_recurrences(layer, kind, depth))
        ]
        x = torch.cat([parts[-1] for parts in directions], dim=-1)
        found += directions
    return [torch.stack(parts) for parts in zip(*found, strict=True)]


def _walk(cell: Recurrence, x: Float[Tensor, "time batch input"], state: State, *, reverse: bool) -> list[Tensor]:
    shares = cell.project(x).unbind(0)
    found: list[tuple[Tensor, ...]] = [()] * len(shares)
    for t in reversed(range(len(shares))) if reverse else range(len(shares)):
        gates = cell.gates(shares[t], state)
        state = cell.step(shares[t], state)
        found[t] = *gates, *reversed(state)  # the state is seen last
    return [torch.stack(part) for part in zip(*found, strict=True)]


def _recurrences(layer: Module, kind: Cell, depth: int) -> list[Recurrence]:
    """Put together the equations of one layer, in each of its directions."""
    suffixes = [""]
    if isinstance(layer, RNNBase):
        suffixes = [f"_l{depth}", f"_l{depth}_reverse"] if layer.bidirectional else [f"_l{depth}"]
    if isinstance(layer, Options):
        instead = layer.normalised(depth, None) if isinstance(layer, Stack) else NOTHING
        return [layer.equations(suffix, None, instead) for suffix in suffixes]
    form = Form(activation=_activation(layer))
    return [EQUATIONS[kind](Weights(*_weights(layer, suffix)), form, None) for suffix in suffixes]


def _activation(layer: Module) -> Activation:
    """Find that of a layer of PyTorch's, which only an RNN can choose."""
    word = getattr(layer, "mode", None) or getattr(layer, "nonlinearity", None)
    return "relu" if word in ("RNN_RELU", "relu") else "tanh"


def _weights(layer: Module, suffix: str) -> Iterator[Any]:
    """Find those of a layer of PyTorch's, which has no gains: parameters, or what stands in their places."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    return (getattr(layer, f"{name}{suffix}", None) for name in names)
