"""Parameters, time and memory of a layer, beside what follows from its equations."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

from .finding import Finding, judged
from .network import CLAIMED, NAMES

GATES: dict[Cell, int] = {"rnn": 1, "gru": 3, "lstm": 4}
TORCH: dict[Cell, Any] = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


class Size(NamedTuple):
    """How large the experiment is."""

    inputs: int = 128
    hidden: int = 128
    rows: int = 32
    steps: int = 100
    rounds: int = 15


QUICK = Size(inputs=4, hidden=8, rows=2, steps=10, rounds=3)


def parameters(kind: Cell, inputs: int, hidden: int) -> int:
    """What the equations ask for: weights of the input, of the state, and two biases for each gate and candidate.

    A MinGRU has two parts, of the input alone and with one bias.

    Example:
        >>> parameters("gru", 1, 2), parameters("mingru", 1, 2)
        (30, 8)
    """
    if kind == "mingru":
        return 2 * hidden * (inputs + 1)
    return GATES[kind] * hidden * (inputs + hidden + 2)


def kept(layer: torch.nn.Module, size: Size) -> float:
    """Numbers for each step, row and unit that a layer keeps for the backward pass, beside its input and weights."""
    x = torch.randn(size.steps, size.rows, size.inputs)
    given = {tensor.untyped_storage().data_ptr() for tensor in (x, *layer.parameters())}
    found: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in given:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs, _ = layer(x)
    outputs.sum().backward()
    return sum(found.values()) / (4 * size.steps * size.rows * size.hidden)


def seconds(layers: dict[str, torch.nn.Module], size: Size) -> dict[str, float]:
    """Of a training step for each layer, forward and backward, the median of rounds in which they take turns."""

    def step_of(layer: torch.nn.Module) -> Callable[[], None]:
        x = torch.randn(size.steps, size.rows, size.inputs)
        gradient = torch.randn(size.steps, size.rows, size.hidden)

        def step() -> None:
            layer.zero_grad()
            layer(x)[0].backward(gradient)

        return step

    calls = {name: step_of(layer) for name, layer in layers.items()}
    taken: dict[str, list[float]] = {name: [] for name in layers}
    for round_ in range(size.rounds + 1):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if round_ > 0:  # the first warms up
                taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in taken.items()}


def examine(size: Size = Size(), seed: int = 0) -> Finding:  # noqa: B008 - a tuple, immutable
    """Count, weigh and time the layers, ours and PyTorch's."""
    torch.manual_seed(seed)
    ours = {NAMES[kind]: LAYERS[kind](size.inputs, size.hidden) for kind in CLAIMED}
    theirs = {_theirs(kind): TORCH[kind](size.inputs, size.hidden) for kind in TORCH}
    times = seconds(ours | theirs, size)
    memory = {name: kept(layer, size) for name, layer in ours.items()}
    table = [["layer", "parameters, as derived", "counted", "of the RNN's", "kept for each step and unit"]]
    table[0] += ["µs for a step of time", "of the RNN's", "PyTorch's layer, µs"]
    right = True
    for kind in CLAIMED:
        name = NAMES[kind]
        derived, counted = parameters(kind, size.inputs, size.hidden), _count(ours[name])
        right &= derived == counted
        other = f"{1e6 * times[_theirs(kind)] / size.steps:.0f}" if kind in TORCH else ""
        table.append(
            [
                name,
                f"{derived:,}",
                f"{counted:,}",
                f"{counted / _count(ours['RNN']):.2f}",
                f"{memory[name]:.1f}",
                f"{1e6 * times[name] / size.steps:.1f}",
                f"{times[name] / times['RNN']:.1f}",
                other,
            ]
        )
    share = times["GRU"] / times["LSTM"]
    torchs = times["PyTorch's GRU"] / times["PyTorch's LSTM"]
    fewer = memory["GRU"] < memory["LSTM"]
    outcome = (
        f"Parameters stand at 1 : {_count(ours['GRU']) / _count(ours['RNN']):.0f} : "
        f"{_count(ours['LSTM']) / _count(ours['RNN']):.0f} for RNN, GRU and LSTM, to the number as derived, so that "
        f"the GRU has a quarter fewer than the LSTM. A training step of our GRU takes {share:.0%} of our LSTM's time, "
        f"but PyTorch's GRU takes {torchs:.0%} of PyTorch's LSTM's: there the GRU is the "
        f"{'slower' if torchs > 1 else 'faster'} one. For the backward pass our GRU keeps {memory['GRU']:.1f} "
        f"numbers for each step and unit, our LSTM {memory['LSTM']:.1f}: {'less' if fewer else 'no less'}."
    )
    return Finding(
        "costs",
        "Parameters, time and memory",
        "A GRU has fewer parameters than an LSTM, 3 to its 4 where an RNN has 1, trains faster and takes less memory.",
        f"{size.inputs} inputs, {size.hidden} units, {size.rows} sequences of {size.steps} steps; a training step is "
        f"forward and backward, the median of {size.rounds} rounds in which all layers take turns, one thread. What is "
        "kept is counted from the tensors that autograd saves, beside the input and the weights.",
        table,
        judged(right, share < 1, torchs < 1, fewer),
        outcome,
    )


def _theirs(kind: Cell) -> str:
    return f"PyTorch's {NAMES[kind]}"


def _count(layer: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())
