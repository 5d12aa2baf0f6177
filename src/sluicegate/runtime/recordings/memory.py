"""What a stream of recordings remembers of each, and its form in a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from sluicegate.streaming.snapshots import damaged, read, require, write

from .reading import Reading
from .shape import Shape

Key: TypeAlias = tuple[str | int, ...]
"""What names a recording; nothing where rows do not say."""
Probabilities: TypeAlias = ndarray
"""Of each class, after each step: doubles `[time classes]`."""


@dataclass(frozen=True)
class Pushed:
    """Steps as they were pushed."""

    values: ndarray  # their numbers, doubles [time channels]
    keys: list[Key]  # of which recording each is
    times: list[Any]  # when each was, if rows say so
    several: bool  # whether they came as a chunk

    def parts(self) -> Iterator[tuple[Key, slice]]:
        """Each recording, and steps of it that follow one another."""
        begin = 0
        for end in range(1, len(self.keys) + 1):
            if end == len(self.keys) or self.keys[end] != self.keys[begin]:
                yield self.keys[begin], slice(begin, end)
                begin = end


@dataclass(frozen=True)
class Memory:
    """What is remembered of a recording."""

    # By name: the last `values`, or of causal networks the `last` step, its `logits`, and the parts of `reading`.
    arrays: Mapping[str, ndarray]
    time: Any  # of the last step
    reading: Reading | None = None  # how far causal networks have read

    @classmethod
    def of_reading(
        cls,
        reading: Reading,
        last: ndarray,
        logits: ndarray,
        time: Any,
    ) -> Memory:
        """Of causal networks: the last step, `[1 channels]`, and the last logits, `[1 classes]`."""
        states = {f"state.{k}.{i}": part for k, parts in enumerate(reading.states) for i, part in enumerate(parts)}
        arrays = {"last": last.copy(), "logits": logits.copy(), "seen": reading.seen.copy()}
        return cls(arrays | states | {"mean": reading.mean, "largest": reading.largest}, time, reading)


def taken(kind: str, fingerprint: str, memories: Mapping[Key, Memory], *, finished: bool) -> bytes:
    """Write a snapshot of all recordings."""
    about = [
        {"name": list(key), "time": memory.time, "steps": 0 if memory.reading is None else memory.reading.steps}
        for key, memory in memories.items()
    ]
    arrays = {
        f"{number}.{name}": array
        for number, memory in enumerate(memories.values())
        for name, array in memory.arrays.items()
    }
    return write(kind, fingerprint, {"finished": finished, "recordings": about}, arrays)


def restored(
    kind: str, fingerprint: str, snapshot: bytes, shape: Shape, window: int | None
) -> tuple[dict[Key, Memory], bool]:
    """Read it again; `window` is how many steps are kept, None where the networks are causal.

    Raises:
        SnapshotError: it is none of such a stream.
    """
    settings, arrays = read(snapshot, kind, fingerprint)
    match settings:
        case {"finished": bool(finished), "recordings": list(about)}:
            pass
        case _:
            raise damaged("it does not say whether the stream was finished, and of which recordings it is")
    memories: dict[Key, Memory] = {}
    for number, one in enumerate(about):
        match one:
            case {"name": list(name), "time": int() | float() | str() | None as time, "steps": int(steps)}:
                pass
            case _:
                raise damaged("it does not say what each recording is called and how far it was read")
        if not all(isinstance(part, str | int) for part in name) or tuple(name) in memories or steps < 0:
            raise damaged(f"the name of recording {number}, or how far it was read, is none")
        memories[tuple(name)] = (
            _reading(arrays, number, shape, steps, time)
            if window is None
            else _window(arrays, number, shape, window, time)
        )
    return memories, finished


def _window(arrays: Mapping[str, ndarray], number: int, shape: Shape, window: int, time: Any) -> Memory:
    values = require(arrays, f"{number}.values", (None, shape.channels), np.float64)
    if not 1 <= len(values) <= window or not np.isfinite(values).all():
        raise damaged(f"the array '{number}.values' must hold from 1 to {window} steps of finite numbers")
    return Memory({"values": values}, time)


def _reading(arrays: Mapping[str, ndarray], number: int, shape: Shape, steps: int, time: Any) -> Memory:
    def take(name: str, sizes: tuple[int, ...], kind: Any = np.float64) -> ndarray:
        array = require(arrays, f"{number}.{name}", sizes, kind)
        if not np.isfinite(array).all():
            raise damaged(f"the array '{number}.{name}' holds numbers that are not finite")
        return array

    if steps < 1:
        raise damaged(f"recording {number} has not been read at all")
    pooled = (shape.members, 1, shape.hidden)
    parts = 2 if shape.cell == "lstm" else 1
    states = tuple(
        tuple(take(f"state.{k}.{i}", (shape.layers, 1, shape.hidden), np.float32) for i in range(parts))
        for k in range(shape.members)
    )
    seen = take("seen", (1, 2 * shape.stride, 2 * shape.channels), np.float32)
    reading = Reading(steps, seen, states, take("mean", pooled), take("largest", pooled))
    return Memory.of_reading(reading, take("last", (1, shape.channels)), take("logits", (1, shape.classes)), time)
