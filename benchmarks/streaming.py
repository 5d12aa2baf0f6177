"""What a stream costs beyond its layer's step, what thousands side by side do, and a million steps to the bit.

    python benchmarks/streaming.py [--only overhead slots million int8] [--threads 1] [--write docs/benchmarks.md]

Overhead: a push of one step, of an array and of a tensor, beside the calls of the kernels that it comes down to, made
with all addresses prepared. They take turns, a few steps each. The steps of a large layer vary by more than what a push
takes beyond them. So that is measured by itself: a push into a stream of a layer of one unit, each right after a step
of the kernels, which leaves as little in the caches as the layer's own. A step of PyTorch's layer is measured last.
Slots: a push of one step for so many slots of a `StreamBatch`, beside pushing each row into a stream of its own, and
beside a step of PyTorch's layer over a batch of the same rows, whose state needs no gathering.
A million steps: pushed step by step; in chunks of random lengths; in ten parts, each by a fresh stream that is restored
from the last one's snapshot; and in a slot between others. Compared with one call of the layer, bit by bit, in 32-bit
floats, bfloat16 and int8.
int8: see `streaming_int8.py`.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from document import machine, measure_sections
from streaming_int8 import KINDS, int8

from sluicegate import _core, nn
from sluicegate.streaming import LayerStream, StreamBatch
from sluicegate.streaming.models import ByKernels
from sluicegate.streaming.opening import model_of

ROUNDS, FEW = 401, 21
INPUTS = 64
UNITS = (64, 256, 1024)
SLOTS = (1_000, 10_000)
STEPS, PARTS = 1_000_000, 10


def in_turns(calls: list[Callable[[], object]], rounds: int, repeats: int = 1) -> list[np.ndarray]:
    """Microseconds that each takes in each round."""
    taken = np.zeros((rounds + 1, len(calls)))
    for round_ in taken:
        for number, call in enumerate(calls):
            begun = time.perf_counter()
            for _ in range(repeats):
                call()
            round_[number] = 1e6 * (time.perf_counter() - begun) / repeats
    return list(taken[1:].T) if calls else []  # the first round warms up


def prepared(layer: torch.nn.Module, x: np.ndarray) -> Callable[[], None]:
    """The bare calls of the kernels for one step, the state going from one place to another and back."""
    model = model_of(layer)
    assert isinstance(model, ByKernels)
    sides = [model.sizes.zeros(1) for _ in range(2)]
    output = np.empty((1, 1, layer.hidden_size), np.float32)
    calls = [
        model.call(0, x.reshape(1, 1, -1), [part[0] for part in before], output, [part[0] for part in after])
        for before, after in (sides, sides[::-1])
    ]
    forward, threads, here = _core.forward, torch.get_num_threads(), 0

    def step() -> None:
        nonlocal here
        forward(*calls[here], threads)
        here = 1 - here

    step.kept = sides, output, x  # type: ignore[attr-defined]  # the calls hold their addresses
    return step


def after_each(bare: Callable[[], None], stream: LayerStream, x: np.ndarray | torch.Tensor) -> list[float]:
    """Microseconds of pushes into a small stream, each after a step of the kernels."""
    taken = []
    for _ in range(ROUNDS):
        bare()
        begun = time.perf_counter()
        stream.push(x)
        taken.append(1e6 * (time.perf_counter() - begun))
    return taken


def overhead() -> Iterator[str]:
    """What a push takes beyond the calls of the kernels."""
    yield "| one step, us | kernels alone | push of an array | beyond | push of a tensor | beyond | PyTorch |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for kind in ("GRU", "LSTM", "MinGRU"):
        for units in UNITS:
            layer, x = getattr(nn, kind)(INPUTS, units), torch.randn(INPUTS)
            bare, stream, array = prepared(layer, x.numpy()), LayerStream(layer), x.numpy()
            one = LayerStream(getattr(nn, kind)(INPUTS, 1))
            pushes = [lambda s=stream, a=array: s.push(a), lambda s=stream, x=x: s.push(x)]
            repeats = max(1, 400_000 // (units * units))
            # PyTorch has a turn of its own: it would leave its weights in the caches, and the first after it pay.
            alone, *taken = in_turns([bare, *pushes], ROUNDS, repeats)
            found = [f"{np.median(alone):.2f}"]
            for push, given in zip(taken, (array, x), strict=True):
                found += [f"{np.median(push):.2f}", f"**{np.median(after_each(bare, one, given)):.2f}**"]
            peer = [step_of_pytorch(kind, units, x)] if kind != "MinGRU" else []
            found += [f"{np.median(t):.0f}" for t in in_turns(peer, FEW, repeats)] or ["none"]
            yield f"| {kind}, {INPUTS} → {units} | {' | '.join(found)} |"


def step_of_pytorch(kind: str, units: int, x: torch.Tensor) -> Callable[[], None]:
    """A step of PyTorch's layer, from a state and to the next."""
    layer, state = getattr(torch.nn, kind)(x.shape[-1], units), None
    x = x[None] if x.dim() == 2 else x[None, None]

    def step() -> None:
        nonlocal state
        with torch.inference_mode():
            _, state = layer(x, state)

    return step


def slots() -> Iterator[str]:
    """How many rows are stepped in a second."""
    yield "| one step for each, rows/s | `StreamBatch` | half of its slots | streams alone | PyTorch, one batch | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for kind, units in (("GRU", 64), ("GRU", 256), ("LSTM", 64), ("LSTM", 256)):
        for count in SLOTS:
            layer, x = getattr(nn, kind)(INPUTS, units), torch.randn(count, INPUTS)
            batch, order = StreamBatch(layer, count), np.random.default_rng(0).permutation(count)
            half, few = order[: count // 2], x[: count // 2]
            alone, rows = [LayerStream(layer) for _ in range(100)], x.numpy()[:100]

            def one_by_one(streams: list[LayerStream] = alone, rows: np.ndarray = rows) -> None:
                for stream, row in zip(streams, rows, strict=True):
                    stream.push(row)

            calls = [
                lambda b=batch, o=order, x=x: b.push(o, x),
                lambda b=batch, o=half, x=few: b.push(o, x),
                one_by_one,
                step_of_pytorch(kind, units, x),
            ]
            taken = map(np.median, in_turns(calls, FEW))
            rate = [1e6 * n / t for n, t in zip((count, count // 2, 100, count), taken, strict=True)]
            gains = f"**{rate[0] / rate[2]:.1f}x** alone, **{rate[0] / rate[3]:.1f}x** PyTorch"
            yield f"| {kind}, {INPUTS} → {units}, {count:,} slots | {' | '.join(f'{r:,.0f}' for r in rate)} | {gains} |"


def million() -> Iterator[str]:
    """Outputs of a million steps that are not those of the layer."""
    yield f"| {STEPS:,} steps, 16 → 32: of {32 * STEPS:,} outputs differ | pushed | chunks | restored | in a slot |"
    yield "| --- | --- | --- | --- | --- |"
    for kind in KINDS:
        x = np.random.default_rng(0).standard_normal((STEPS, 16), np.float32)
        for precision in ("fp32", "bf16", "int8"):
            layer = in_precision(getattr(nn, kind)(16, 32).eval(), x, precision)
            with torch.no_grad():
                whole = layer(torch.from_numpy(x))[0].numpy().view(np.int32)
            counts = [
                int((whole != cut(layer, x).view(np.int32)).sum()) for cut in (pushed, chunked, restored, slotted)
            ]
            yield f"| {kind}, {precision} | " + " | ".join(map(str, counts)) + " |"


def in_precision(layer: torch.nn.Module, x: np.ndarray, precision: str) -> torch.nn.Module:
    """The layer in 32-bit floats, in bfloat16, or in int8 by the ranges of the first steps."""
    if precision == "int8":
        return nn.quantize(layer, [torch.from_numpy(x[:1000])])
    layer.precision = precision  # type: ignore[assignment]
    return layer


def pushed(layer: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """The outputs of each step alone."""
    return np.stack(list(map(LayerStream(layer).push, x)))


def chunked(layer: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """Those of chunks of 0 to 2,000 steps."""
    stream, chance = LayerStream(layer), np.random.default_rng(1)
    ends = np.cumsum(chance.integers(2_001, size=len(x) // 500))
    return np.concatenate([stream.push(part) for part in np.split(x, ends[ends < len(x)])])


def restored(layer: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """Those of parts, each by a fresh stream."""
    snapshot, found = LayerStream(layer).snapshot(), []
    for part in np.split(x, PARTS):
        stream = LayerStream(layer)
        stream.restore(snapshot)
        found.append(stream.push(part))
        snapshot = stream.snapshot()
    return np.concatenate(found)


def slotted(layer: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """Those of each step beside those of two other slots, which read something else."""
    batch, slots = StreamBatch(layer, 3), np.array([2, 1, 0])
    rows = np.stack([x[::-1], x, np.roll(x, 7, 0)], 1)
    return np.stack([batch.push(slots, row)[1] for row in rows])


TABLES = {"overhead": overhead, "slots": slots, "million": million, "int8": partial(int8, in_turns, ROUNDS)}


def section(name: str, options: Namespace) -> Iterator[str]:
    """A table, and how it was measured."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    yield from (*TABLES[name](), "")
    rounds = {"overhead": ROUNDS, "slots": FEW, "int8": ROUNDS}.get(name)
    medians = f"Medians of {rounds} rounds of turns. " if rounds else ""
    yield f"{medians}Measured by `python benchmarks/streaming.py --only {name}` on {machine()}."


if __name__ == "__main__":
    measure_sections({f"streaming:{name}": partial(section, name) for name in TABLES}, __doc__, threads=1)
