"""What the networks that judge are trained on: what the tracker itself meets on the training sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional as F

from sluicegate.metrics.tracking import overlaps

from .following import frames_of
from .geometry import Centres, cornered
from .labelling import Lesson
from .running import Follower

_SAME = 0.5  # overlap of what is one object
_RATE = 2e-2  # the highest learning rate
_BATCH = 1024


class Met(NamedTuple):
    """Values, and whether what they tell of is so."""

    values: np.ndarray
    so: np.ndarray


def met(follower: Follower, lessons: Sequence[Lesson]) -> tuple[Met, Met]:
    """Pairs of tracks and boxes, whether they are of one object; and tracks, whether an object is there."""
    pairs, tracks = [], []
    for lesson in lessons:
        ids, of_truth = lesson.seen.ids, dict(lesson.truth.by_frame())
        true_ids = lesson.truth.ids
        assert ids is not None and true_ids is not None
        objects = np.zeros(0, np.int64)  # of each track, the object that it was seen on last
        for frame, rows, now in frames_of(follower, lesson.seen):
            own = ids[rows]
            if now.pairs is not None:
                a, b = objects[now.pairs.own], own[now.pairs.others]
                told = (a >= 0) | (b >= 0)
                pairs.append(Met(now.pairs.values[told], (a == b)[told]))
            objects = np.append(objects, -1)[now.before]
            seen = now.rows >= 0
            new = own[now.rows[seen]]
            objects[seen] = np.where(new >= 0, new, objects[seen])  # a box that is off is no other object's
            others = of_truth.get(frame, slice(0, 0))
            tracks.append(Met(now.values, _real(now.boxes, seen, lesson.truth.boxes[others])))
    return _joined(pairs), _joined(tracks)


def _real(boxes: Centres, seen: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each track is on an object that no other is on: what was seen comes first."""
    overlap = overlaps(cornered(boxes), truth)
    gain = np.where(overlap >= _SAME, overlap + 10.0 * seen[:, None], 0)
    own, others = linear_sum_assignment(-gain)
    found = np.zeros(len(boxes), bool)
    found[own] = gain[own, others] > 0
    return found


def _joined(parts: list[Met]) -> Met:
    return Met(np.concatenate([part.values for part in parts]), np.concatenate([part.so for part in parts]))


def taught(network: nn.Sequential, examples: Met, seed: int, steps: int) -> float:
    """Train a network that judges; returns the mean loss at the end.

    Args:
        network: it is changed in place, the scaling of its values included.
        examples: to learn from.
        seed: of the order in which they come.
        steps: of AdamW.
    """
    values, so = torch.from_numpy(examples.values), torch.from_numpy(examples.so.astype(np.float32))
    mean, spread = values.mean(0), values.std(0).clamp(min=0.05)
    values = (values - mean) / spread
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-3)
    total = 0.0
    for step in range(steps):
        rows = torch.randint(len(values), (_BATCH,), generator=generator)
        loss = F.binary_cross_entropy_with_logits(network(values[rows])[:, 0], so[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (0.505 + 0.495 * np.cos(np.pi * step / steps))
        optimizer.step()
        total = 0.98 * total + 0.02 * float(loss.detach())
    first = network[0]
    with torch.no_grad():  # from now on it takes values as they are
        weight = first.weight / spread  # type: ignore[operator]
        first.bias -= weight @ mean  # type: ignore[operator]
        first.weight.copy_(weight)  # type: ignore[union-attr, operator]
    return total
