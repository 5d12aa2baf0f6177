"""The best path of a recording through a row of states (Viterbi 1967)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

_BEYOND = np.float32(-1e30)


class Row(NamedTuple):
    """The states of a recording, in order.

    The path begins in the first one, or in the second if the first may be left out, and ends likewise.
    """

    states: Int64[np.ndarray, " _"]
    """The number of each, among all."""
    optional: Bool[np.ndarray, " _"]
    """Which may be left out; no two of them are neighbours."""


def paths(
    likelihoods: Sequence[Float32[np.ndarray, "_ _"]],
    rows: Sequence[Row],
    stay: Float32[np.ndarray, " states"],
) -> list[Int64[np.ndarray, " _"] | None]:
    """The place in its row of each frame of some recordings; None where a row has more states than fit in.

    Args:
        likelihoods: of each recording, the logarithm of the likelihood of each frame in each state of its row.
        rows: of each recording.
        stay: the logarithm of the probability that a state is followed by itself.
    """
    frames = max(len(part) for part in likelihoods)
    width = max(len(row.states) for row in rows)
    heard = np.full((frames, len(rows), width), _BEYOND, dtype=np.float32)
    remain, leave = (np.zeros((len(rows), width), np.float32) for _ in range(2))
    over = np.zeros((len(rows), width), bool)  # may be come to by leaving out the state before
    best = np.full((len(rows), width), _BEYOND, dtype=np.float32)
    for at, (part, row) in enumerate(zip(likelihoods, rows, strict=True)):
        size = len(row.states)
        heard[: len(part), at, :size] = part
        remain[at, :size] = stay[row.states]
        over[at, 2:size] = row.optional[1 : size - 1]
        best[at, 0] = 0.0
        best[at, 1 : 1 + int(row.optional[0] and size > 1)] = 0.0
    leave = np.log(-np.expm1(np.minimum(remain, -1e-4)))
    best += heard[0]
    steps = np.zeros((frames, len(rows), width), dtype=np.int8)
    scores = [best]
    for frame in range(1, frames):
        best, steps[frame] = _stepped(best, heard[frame], remain, leave, over)
        scores.append(best)
    return [
        _traced(steps[: len(part), at], scores[len(part) - 1][at], row)
        for at, (part, row) in enumerate(zip(likelihoods, rows, strict=True))
    ]


def _stepped(
    best: Float32[np.ndarray, "recordings row"],
    heard: Float32[np.ndarray, "recordings row"],
    remain: Float32[np.ndarray, "recordings row"],
    leave: Float32[np.ndarray, "recordings row"],
    over: Bool[np.ndarray, "recordings row"],
) -> tuple[Float32[np.ndarray, "recordings row"], np.ndarray]:
    """The best sums one frame later, and by how many places each path moved."""
    gone = best + leave
    found, moved = best + remain, np.zeros(best.shape, dtype=np.int8)
    for by, allowed in ((1, None), (2, over)):
        came = np.full_like(best, _BEYOND)
        came[:, by:] = gone[:, :-by]
        better = came > found if allowed is None else (came > found) & allowed
        found[better] = came[better]
        moved[better] = by
    return found + heard, moved


def _traced(steps: np.ndarray, score: Float32[np.ndarray, " row"], row: Row) -> Int64[np.ndarray, " frames"] | None:
    """The path that ends best, from its steps."""
    place = len(row.states) - 1
    if row.optional[place] and place and score[place - 1] > score[place]:
        place -= 1
    if score[place] < _BEYOND / 2:
        return None
    found = np.empty(len(steps), dtype=np.int64)
    for frame in range(len(steps) - 1, -1, -1):
        found[frame] = place
        place -= int(steps[frame, place])
    return found
