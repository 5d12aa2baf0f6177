"""What the stream of an action recognizer remembers, and its form in a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from sluicegate.data.skeletons import Skeletons
from sluicegate.streaming.snapshots import damaged, read, require, write

from .bodies import Normal, Sums
from .features import LAGS
from .rate import Place
from .running import Reading
from .trained import Trained


@dataclass(frozen=True)
class Memory:
    """What is remembered of a person.

    Args:
        steps: how many were pushed.
        time: of the last one, where times are told.
        number: of the action that is done, -1 before anybody was seen.
        since: when it began, a time or the number of a step.
        place: how far the steps were brought to the rate of training.
        sums: of the body.
        normal: the last normalised skeletons.
        reading: how far networks that read one way have read.
        values: the last skeletons, where networks read both ways.
        probabilities: the last ones of each action.
    """

    steps: int = 0
    time: float | None = None
    number: int = -1
    since: float | None = None
    place: Place | None = None
    sums: Sums | None = None
    normal: Normal | None = None
    reading: Reading | None = None
    values: Skeletons | None = None
    probabilities: Float64[np.ndarray, " classes"] | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, those that there are."""
        found: dict[str, np.ndarray | None] = {
            "normal": self.normal,
            "values": self.values,
            "probabilities": self.probabilities,
        }
        if self.place is not None:
            found["frame"] = self.place.frame
        if self.sums is not None:
            found |= {name: getattr(self.sums, name) for name in ("held", "middle", "lengths", "across")}
        if self.reading is not None:
            found |= {"mean": self.reading.mean, "largest": self.reading.largest}
            for k, parts in enumerate(self.reading.states):
                found |= {f"state.{k}.{i}": part for i, part in enumerate(parts)}
        return {name: array for name, array in found.items() if array is not None}


def taken(kind: str, fingerprint: str, memory: Memory, *, finished: bool) -> bytes:
    """Write a snapshot."""
    place = memory.place
    settings = {
        "finished": finished,
        "steps": memory.steps,
        "time": memory.time,
        "number": memory.number,
        "since": memory.since,
        "place": None if place is None else [place.time, place.begun, place.steps],
        "read": 0 if memory.reading is None else memory.reading.steps,
    }
    return write(kind, fingerprint, settings, memory.arrays())


def restored(kind: str, fingerprint: str, snapshot: bytes, trained: Trained) -> tuple[Memory, bool]:
    """Read it again.

    Raises:
        SnapshotError: it is none of such a stream.
    """
    settings, arrays = read(snapshot, kind, fingerprint)
    match settings:
        case {
            "finished": bool(finished),
            "steps": int(steps),
            "time": float() | int() | None as time,
            "number": int(number),
            "since": float() | int() | None as since,
            "place": [*_] | None as place,
            "read": int(done),
        }:
            pass
        case _:
            raise damaged("it does not say how far the stream was read")
    classes, shape = len(trained.labels.classes), trained.shape
    if steps < 0 or done < 0 or not -1 <= number < classes:
        raise damaged("the number of a step or of an action is none")
    body = (shape.joints, shape.dimensions)
    memory = Memory(steps, time, number, since, _place(place, arrays, body))
    if "probabilities" not in arrays:
        return memory, finished
    said = _finite(require(arrays, "probabilities", (classes,), np.float64), "probabilities")
    memory = replace(memory, probabilities=said)
    if not shape.causal:
        values = require(arrays, "values", (None, *body), np.float64)
        if not 1 <= len(values) <= trained.window:
            raise damaged(f"the array 'values' must hold from 1 to {trained.window} steps")
        return replace(memory, values=values), finished
    reading = _reading(arrays, trained, done)
    memory = replace(memory, normal=_last(arrays, body), sums=_sums(arrays, body), reading=reading)
    return memory, finished


def _place(place: list[Any] | None, arrays: Mapping[str, np.ndarray], body: tuple[int, int]) -> Place | None:
    if place is None:
        return None
    match place:
        case [float() | int() as time, float() | int() as begun, int(steps)]:
            return Place(require(arrays, "frame", (1, *body), np.float64), float(time), float(begun), steps)
    raise damaged("it does not say how far the steps were brought to the rate of training")


def _last(arrays: Mapping[str, np.ndarray], body: tuple[int, int]) -> Normal:
    normal = require(arrays, "normal", (None, *body), np.float32)
    if not 1 <= len(normal) <= max(LAGS):
        raise damaged(f"the array 'normal' must hold from 1 to {max(LAGS)} steps")
    return normal


def _sums(arrays: Mapping[str, np.ndarray], body: tuple[int, int]) -> Sums:
    sizes = {"middle": (4,), "lengths": (2,), "across": (4,)}
    sums = {name: _finite(require(arrays, name, size, np.float64), name) for name, size in sizes.items()}
    return Sums(require(arrays, "held", body, np.float64), **sums)


def _reading(arrays: Mapping[str, np.ndarray], trained: Trained, steps: int) -> Reading:
    shape = trained.shape
    parts = 2 if shape.cell == "lstm" else 1

    def take(name: str, sizes: tuple[int, ...], kind: Any) -> np.ndarray:
        return _finite(require(arrays, name, sizes, kind), name)

    states = tuple(
        tuple(take(f"state.{k}.{i}", (shape.layers, 1, shape.hidden), np.float32) for i in range(parts))
        for k in range(shape.members)
    )
    pooled = (shape.members, 1, shape.hidden)
    if steps < 1:
        raise damaged("nothing has been read yet")
    return Reading(steps, states, take("mean", pooled, np.float64), take("largest", pooled, np.float64))


def _finite(array: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(array).all():
        raise damaged(f"the array '{name}' holds numbers that are not finite")
    return array
