"""Streams: what they are pushed and restored from, and what the compiled module makes them of."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import torch
from case import Case, Find
from hostile import NUMBERS, Random, plain, spoil
from torch import Tensor

from sluicegate import _core, nn
from sluicegate.errors import DataError, SnapshotError
from sluicegate.ops.cells import CELLS
from sluicegate.streaming.layers import LayerStream

ARRAYS = (np.float64, np.float16, np.int32, np.complex64, np.bool_, ">f4", "V4", "O", "S4")
REFUSALS = (ValueError, TypeError, RuntimeError)


@cache
def _layer(number: int) -> Any:
    rng = Random(number)
    kind = rng.choice((nn.GRU, nn.LSTM, nn.RNN, nn.MinGRU))
    return kind(rng.choice((1, 3, 8)), rng.choice((1, 4, 9)), num_layers=rng.choice((1, 2)))


def draw(rng: Random) -> Case:
    """Draw a push, a restoration, or a stream made of numbers and arrays."""
    return rng.choice((_push, _push, _restore, _make))(rng)


def _push(rng: Random) -> Case:
    layer = _layer(rng.randrange(16))
    stream, told = LayerStream(layer), ["push", str(layer)]
    x: Any = torch.rand(layer.input_size) if rng.random() < 0.7 else torch.rand(rng.choice((0, 1, 3)), layer.input_size)
    if rng.random() < 0.7:
        x = spoil(rng, x, told, "x") if rng.random() < 0.6 else _array(rng, x.numpy(), told)
    elif rng.random() < 0.5:
        x = x.numpy()
    state = stream.snapshot()

    def push(x: Any) -> Any:
        try:
            return stream.push(x)
        except DataError:
            if stream.snapshot() != state:
                raise Find("a push that was refused changed the state") from None
            raise

    def pairs(case: Case, results: Any) -> list[tuple[Any, Any]]:
        x = case.arguments[0]
        x = torch.from_numpy(x.copy()) if isinstance(x, np.ndarray) else plain(x)
        with torch.no_grad():
            expected = layer.by_reference(x.reshape(-1, layer.input_size))[0]
        return [(torch.as_tensor(results).reshape(expected.shape), expected)]

    too_large = (ValueError,) if "x: huge" in told else ()  # NumPy's, for outputs of more than 2^63 bytes
    return Case(told, [x], push, pairs, (DataError, *too_large))


def _array(rng: Random, x: np.ndarray[Any, Any], told: list[str]) -> Any:
    """An array that is not what was asked for."""
    way = rng.choice(
        ("typed", "strided", "back", "broadcast", "read-only", "masked", "matrix", "sizes", "unaligned", "buffer")
    )
    told.append(f"x: an array, {way}")
    if way == "typed":
        return x.astype(rng.choice(ARRAYS))
    if way == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if way == "back":
        return x[::-1]
    if way == "broadcast":
        return np.broadcast_to(np.float32(0.5), x.shape)
    if way == "read-only":
        x.flags.writeable = False
        return x
    if way == "masked":
        return np.ma.masked_array(x, x > 0.5)
    if way == "matrix":
        return x.view(np.recarray)
    if way == "unaligned":
        return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
    if way == "buffer":
        return rng.choice((x.tobytes(), bytearray(x.tobytes()), memoryview(x), x.tolist()))
    return np.broadcast_to(np.float32(0.5), rng.choice(((2**31,), (2**33, 0), (0,), (), (1, 1, 1), (7,))))


def _restore(rng: Random) -> Case:
    layer = _layer(rng.randrange(16))
    stream, other = LayerStream(layer), LayerStream(_layer(rng.randrange(16)))
    for each in (stream, other):
        each.push(torch.rand(2, each._model.sizes.inputs))
    saved = bytearray(rng.choice((stream, other)).snapshot())
    told = ["restore", str(layer)]
    for _ in range(rng.choice((0, 1, 1, 3))):
        at = rng.randrange(len(saved))
        way = rng.choice(("altered", "cut", "longer"))
        told.append(f"{way} at {at}")
        if way == "altered":
            saved[at] = rng.randrange(256)
        elif way == "cut":
            del saved[at : at + rng.choice((1, 4, len(saved)))]
            saved = saved or bytearray(b"\0")
        else:
            saved[at:at] = bytes(rng.choice((1, 4, 64)))
    return Case(told, [bytes(saved)], stream.restore, None, (SnapshotError, TypeError))


def _make(rng: Random) -> Case:
    """`_core.Layers` and `_core.Step`, as `LayerStream` makes them, of something else."""
    hidden, inputs, depth = rng.choice((1, 4, 9)), rng.choice((1, 3)), rng.choice((1, 1, 2))
    traits = rng.choice(list(CELLS.values()))
    precision = rng.choice((0, 0, 1))
    shapes = [[traits.number, 0, inputs if i == 0 else hidden, hidden, precision] for i in range(depth)]
    panels = [np.zeros(_core.panel_floats(False, tuple(shape)), np.float32) for shape in shapes]
    state = [np.zeros((depth, 1, hidden), np.float32) for _ in traits.state]
    kinds: list[tuple[Any, Any]] = [(np.ndarray, partial(_rows, hidden))]
    told, threads = ["make"], _one
    for _ in range(rng.choice((0, 1, 1, 2))):
        way = rng.choice(("shape", "shape", "panels", "state", "states", "kinds", "rows", "threads"))
        told.append(way)
        if way == "shape":
            rng.choice(shapes)[rng.randrange(5)] = rng.choice((*NUMBERS, 4, 5))
        elif way == "panels":
            panels[-1] = rng.choice(
                (panels[-1][:-1], np.zeros(0, np.float32), panels[-1].astype(np.float64), np.repeat(panels[-1], 2)[::2])
            )
        elif way == "state" and state and state[0].ndim == 3:
            state[0] = _other_state(rng, state[0])
        elif way == "states":
            state = rng.choice((state[:-1], state + state[:1], []))
        elif way == "kinds":
            kinds = rng.choice(
                (
                    [],
                    [(3, _one)],
                    [("x", None)],
                    [(object, _one)],
                    [(Tensor, _one)],
                    [(np.ndarray, None)],
                    [(bytes, _one)],
                )
            )
        elif way == "rows":
            kinds = [(np.ndarray, partial(_rows, rng.choice((0, hidden + 1, 2**31))))]
        else:
            threads = rng.choice((_none, _many, _negative))
    x = rng.choice(
        (np.zeros(inputs, np.float32), torch.zeros(inputs), b"\0" * 4 * inputs, None, np.zeros((), np.float32))
    )

    def make(x: Any) -> Any:
        layers = _core.Layers([(tuple(shape), p) for shape, p in zip(shapes, panels, strict=True)], threads, kinds)
        return _core.Step(layers, state).push(x)

    return Case([*told, str(shapes)], [x], make, None, (*REFUSALS, MemoryError))


def _other_state(rng: Random, h: Any) -> Any:
    depth, _, hidden = h.shape
    sizes = rng.choice(((depth, 2, hidden), (0, 1, hidden), (depth, 1, hidden - 1), (depth, hidden)))
    return rng.choice((np.zeros(sizes, np.float32), h.astype(np.float64), np.broadcast_to(np.float32(0), h.shape)))


def _rows(width: int) -> list[Any]:
    return [
        np.broadcast_to(np.float32(0), (width,)) if width > 2**20 else np.empty(width, np.float32) for _ in range(2)
    ]


def _one() -> Any:
    return 1


def _none() -> Any:
    return None


def _many() -> Any:
    return 2**40


def _negative() -> Any:
    return -3
