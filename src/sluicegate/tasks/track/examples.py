"""What the motion is learnt from: pieces of the paths of objects, as they are seen, and where these are then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from .geometry import changes
from .labelling import Lesson, Path, paths
from .values import step_values

LONGEST = 5.0  # seconds ahead
_STEPS = 32  # boxes of a piece
_STRIDES = (1, 1, 1, 2, 3, 6, 12)
_DROPPED = (0.0, 0.0, 0.15, 0.4)  # boxes that are left out beside
HORIZONS = 3  # now, at the next box, and at any time


@dataclass(frozen=True)
class Pieces:
    """Pieces of paths: what is read at each box, and where the object is then and later."""

    steps: Float32[Tensor, "pieces time values"]
    ahead: Float32[Tensor, "pieces time horizons"]
    truth: Float32[Tensor, "pieces time horizons 4"]
    weight: Float32[Tensor, "pieces time horizons"]

    def __len__(self) -> int:
        """How many pieces."""
        return len(self.steps)

    def take(self, rows: Tensor) -> Pieces:
        """Some of them."""
        return Pieces(self.steps[rows], self.ahead[rows], self.truth[rows], self.weight[rows])


def pieces_of(lessons: Sequence[Lesson], count: int, rng: np.random.Generator) -> Pieces:
    """Pieces drawn from all paths that are long enough, longer ones more often.

    Args:
        lessons: where the paths are.
        count: of pieces.
        rng: of what is drawn.
    """
    every = [path for lesson in lessons for path in paths(lesson) if len(path.places) >= 3]
    steps = np.zeros((count, _STEPS, 13), np.float32)
    ahead, weight = np.zeros((count, _STEPS, HORIZONS), np.float32), np.zeros((count, _STEPS, HORIZONS), np.float32)
    truth = np.zeros((count, _STEPS, HORIZONS, 4), np.float32)
    if every:
        share = np.sqrt([len(path.places) for path in every])
        for piece, number in enumerate(rng.choice(len(every), count, p=share / share.sum())):
            _draw(every[number], rng, steps[piece], ahead[piece], truth[piece], weight[piece])
    return Pieces(*(torch.from_numpy(part) for part in (steps, ahead, truth, weight)))


def _draw(
    path: Path, rng: np.random.Generator, steps: np.ndarray, ahead: np.ndarray, truth: np.ndarray, weight: np.ndarray
) -> None:
    """Fill in a piece."""
    stride = int(rng.choice(_STRIDES))
    own = np.flatnonzero(path.places % stride == rng.integers(stride))
    own = own[rng.random(len(own)) >= rng.choice(_DROPPED)]
    if len(own) < 2:
        own = np.arange(len(path.places))
    begin = int(rng.integers(0, max(1, len(own) - _STEPS // 2)))
    own = own[begin : begin + _STEPS]
    count, places = len(own), path.places[own]
    boxes, times = path.seen[own], path.times[places]
    first = np.concatenate([[0], np.arange(count - 1)])
    steps[:count] = step_values(boxes[first], boxes, times - times[first], path.scores[own])
    following = np.append(np.diff(times), 1 / 30)
    later = np.stack([np.zeros(count), following, rng.random(count) ** 1.5 * LONGEST], axis=1)
    wanted = np.searchsorted(path.times, times[:, None] + later - 1e-6)
    inside = wanted < len(path.times)
    wanted = np.minimum(wanted, len(path.times) - 1)
    later = path.times[wanted] - times[:, None]
    ahead[:count] = np.maximum(later, 0)
    truth[:count] = changes(boxes[:, None], path.boxes[wanted])
    weight[:count] = inside & (later <= LONGEST + 1)
