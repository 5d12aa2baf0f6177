"""Causal networks read on and on: a state goes in, answers and the next state come out.

No bit hangs on how a recording is cut, nor on what is read beside it. The maps and the recurrent layers are computed by
the kernels, which promise that of every row; a map with relu is to them an RNN whose recurrent weights are 0. All else
is done place by place, in doubles, and summed along the last axis in an order that hangs on its length alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from sluicegate.streaming.models import State
from sluicegate.streaming.opening import model_of
from sluicegate.tasks.classification.running_pool import Outputs, dense, pooled_onwards

from .causal import CausalMember
from .shape import Shape


@dataclass(frozen=True)
class Reading:
    """How far recordings were read, side by side."""

    steps: int  # how many, of each
    seen: Float32[ndarray, "rows steps features"]  # the features that the next frame still looks at
    states: tuple[State, ...]  # of each network's recurrent layer
    mean: Float64[ndarray, "members rows hidden"]  # the running mean
    largest: Float64[ndarray, "members rows hidden"]  # the running maximum


class Reader:
    """Networks of one shape, with the weights that they have now."""

    def __init__(self, members: list[CausalMember]) -> None:
        self.shape: Shape = members[0].shape
        self._networks = [(dense(member.front), model_of(member.recurrent)) for member in members]
        self._outputs = Outputs(member.output for member in members)

    def begin(self, rows: int) -> Reading:
        """Nothing was read yet."""
        shape = self.shape
        pooled = np.zeros((len(self._networks), rows, shape.hidden))
        return Reading(
            0,
            np.zeros((rows, 2 * shape.stride, 2 * shape.channels), np.float32),
            tuple(recurrent.sizes.zeros(rows) for _, recurrent in self._networks),
            pooled,
            pooled,
        )

    def read(
        self, features: Float32[ndarray, "rows steps features"], reading: Reading
    ) -> tuple[Float64[ndarray, "frames rows members pooled"], Reading]:
        """Read the next steps of each recording.

        Returns:
            What the output layer is given after each frame that ends here, and how far they are read then.
        """
        stride = self.shape.stride
        values = np.concatenate([reading.seen, features], axis=1)
        first = -reading.steps % stride  # of the new steps, at which a frame ends
        ends = range(first, features.shape[1], stride)
        frames = [values[:, end : end + 2 * stride + 1].transpose(0, 2, 1).reshape(len(values), -1) for end in ends]
        hidden, states = np.empty((len(frames), len(self._networks), len(values), self.shape.hidden)), reading.states
        if frames:
            stacked, states = np.stack(frames), ()
            for k, (front, recurrent) in enumerate(self._networks):
                x, _ = front.run(stacked, front.sizes.zeros(len(values)))
                hidden[:, k], after = recurrent.run(x, reading.states[k])
                states = (*states, after)
        before = -(-reading.steps // stride)
        pooled, mean, largest = pooled_onwards(hidden, reading.mean, reading.largest, before, self.shape.memory)
        after_all = Reading(reading.steps + features.shape[1], values[:, features.shape[1] :], states, mean, largest)
        return pooled, after_all

    def logits(self, pooled: Float64[ndarray, "places members pooled"]) -> Float64[ndarray, "places classes"]:
        """The mean of the networks' logits."""
        return self._outputs.logits(pooled)

    def at_the_end(
        self, recordings: list[Float32[ndarray, "_ features"]], most: int
    ) -> Float64[ndarray, "recordings classes"]:
        """The logits after the last step of each recording, `most` steps of several side by side at a time."""
        order = np.argsort([-len(part) for part in recordings], kind="stable")
        logits, begin = np.empty((len(recordings), self.shape.classes)), 0
        while begin < len(order):
            longest = len(recordings[order[begin]])
            some = order[begin : begin + max(1, most // longest)]
            values = np.zeros((len(some), longest, 2 * self.shape.channels), np.float32)
            for row, number in enumerate(some.tolist()):
                values[row, : len(recordings[number])] = recordings[number]
            pooled, _ = self.read(values, self.begin(len(some)))
            last = [(len(recordings[number]) - 1) // self.shape.stride for number in some.tolist()]
            logits[some] = self._outputs.logits(pooled[last, np.arange(len(some))])
            begin += len(some)
        return logits
