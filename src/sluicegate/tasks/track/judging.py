"""What the networks that judge are trained on: what the tracker itself meets on the training sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional as F

from sluicegate.metrics.tracking import overlaps

from .following import frames_of
from .geometry import Centres, cornered
from .labelling import Lesson
from .model import BESIDE, MEMBERS
from .running import Follower

_SAME = 0.5  # overlap of what is one object
_RATE = 2e-2  # the highest learning rate
_BATCH = 512  # examples of each network
_LEAST_SPREAD = 0.05


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
        assert ids is not None
        assert true_ids is not None
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
    return together(pairs), together(tracks)


def _real(boxes: Centres, seen: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each track is on an object that no other is on: what was seen comes first."""
    overlap = overlaps(cornered(boxes), truth)
    gain = np.where(overlap >= _SAME, overlap + 10.0 * seen[:, None], 0)
    own, others = linear_sum_assignment(-gain)
    found = np.zeros(len(boxes), bool)
    found[own] = gain[own, others] > 0
    return found


def together(parts: Sequence[Met]) -> Met:
    """All of several."""
    return Met(np.concatenate([part.values for part in parts]), np.concatenate([part.so for part in parts]))


def taught(network: nn.Sequential, examples: Met, seed: int, steps: int) -> None:
    """Train a network that judges: several at once, each on examples of its own, whose mean it then is.

    Args:
        network: it is changed in place.
        examples: to learn from.
        seed: of how it begins, and of the order in which examples come.
        steps: of AdamW.
    """
    values, so = torch.from_numpy(examples.values), torch.from_numpy(examples.so.astype(np.float32))
    mean, spread = values.mean(0), values.std(0).clamp(min=_LEAST_SPREAD)
    values = (values - mean) / spread
    generator = torch.Generator().manual_seed(seed)
    members = _Members(values.shape[1], generator)
    optimizer = torch.optim.AdamW(members.parameters(), lr=_RATE, weight_decay=1e-3)
    for step in range(steps):
        rows = torch.randint(len(values), (MEMBERS, _BATCH), generator=generator)
        loss = F.binary_cross_entropy_with_logits(members(values[rows]), so[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (0.505 + 0.495 * np.cos(np.pi * step / steps))
        optimizer.step()
    members.joined_into(network, mean, spread)


class _Members(nn.Module):
    """Networks of the same form side by side."""

    def __init__(self, values: int, generator: torch.Generator) -> None:
        super().__init__()
        first = torch.rand((MEMBERS, values, BESIDE), generator=generator) * 2 - 1
        last = torch.rand((MEMBERS, BESIDE, 1), generator=generator) * 2 - 1
        self.first, self.last = nn.Parameter(first * values**-0.5), nn.Parameter(last * BESIDE**-0.5)
        self.bias, self.last_bias = nn.Parameter(torch.zeros(MEMBERS, 1, BESIDE)), nn.Parameter(torch.zeros(MEMBERS, 1))

    def forward(self, values: Float[Tensor, "members rows values"]) -> Float[Tensor, "members rows"]:
        """The logits of each, of values of its own."""
        inner = torch.relu(torch.baddbmm(self.bias, values, self.first))
        return torch.bmm(inner, self.last)[..., 0] + self.last_bias

    @torch.no_grad()
    def joined_into(self, network: nn.Sequential, mean: Tensor, spread: Tensor) -> None:
        """Write the mean of all into one network, which takes values as they are."""
        first, last = network[0], network[2]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        weight = self.first.transpose(1, 2).reshape(MEMBERS * BESIDE, -1) / spread
        first.weight.copy_(weight)
        first.bias.copy_(self.bias.reshape(-1) - weight @ mean)
        last.weight.copy_(self.last.reshape(1, -1) / MEMBERS)
        last.bias.copy_(self.last_bias.mean(0))
