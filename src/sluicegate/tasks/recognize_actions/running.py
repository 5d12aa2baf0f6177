"""Networks that read one way, read on and on: a state goes in, answers and the next state come out.

No bit hangs on how a clip is cut: kernels compute the maps and the recurrent layers, and all else goes place by place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from sluicegate.runtime.pooling import pooled_onwards
from sluicegate.streaming.models import State
from sluicegate.streaming.opening import model_of
from sluicegate.tasks.classification.running_pool import Outputs, dense

from .model import CausalMember
from .shape import Shape


@dataclass(frozen=True)
class Reading:
    """How far a clip was read."""

    steps: int
    states: tuple[State, ...]  # of each network's recurrent layer
    mean: Float64[ndarray, "members 1 hidden"]  # the running mean
    largest: Float64[ndarray, "members 1 hidden"]  # the running maximum


class Reader:
    """Networks of one shape, with the weights that they have now."""

    def __init__(self, members: list[CausalMember]) -> None:
        self.shape: Shape = members[0].shape
        self._networks = [(dense(m.front), dense(m.inner), model_of(m.recurrent)) for m in members]
        self._outputs = Outputs(member.output for member in members)

    def begin(self) -> Reading:
        """Nothing was read yet."""
        pooled = np.zeros((len(self._networks), 1, self.shape.hidden))
        states = tuple(recurrent.sizes.zeros(1) for *_, recurrent in self._networks)
        return Reading(0, states, pooled, pooled)

    def read(
        self, features: Float32[ndarray, "steps features"], reading: Reading
    ) -> tuple[Float64[ndarray, "steps classes"], Reading]:
        """The logits after each of the next steps, and how far the clip is read then."""
        if not len(features):
            return np.empty((0, self.shape.classes)), reading
        hidden = np.empty((len(features), len(self._networks), 1, self.shape.hidden))
        states: tuple[State, ...] = ()
        for k, (front, inner, recurrent) in enumerate(self._networks):
            x, _ = front.run(features[:, None], front.sizes.zeros(1))
            x, _ = inner.run(x, inner.sizes.zeros(1))
            hidden[:, k], after = recurrent.run(x, reading.states[k])
            states = (*states, after)
        pooled, mean, largest = pooled_onwards(hidden, reading.mean, reading.largest, reading.steps, self.shape.memory)
        logits = self._outputs.logits(np.ascontiguousarray(pooled[:, 0]))
        return logits, Reading(reading.steps + len(features), states, mean, largest)
