"""Causal networks read on and on: a state goes in, answers and the next state come out.

No bit hangs on how a recording is cut, nor on what is read beside it. The maps and the recurrent layers are computed by
the kernels, which promise that of every row; a map with relu is to them an RNN whose recurrent weights are 0. All else
is done place by place, in doubles, and summed along the last axis in an order that hangs on its length alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64
from numpy import ndarray

from sluicegate.nn import RNN
from sluicegate.streaming.models import Model, State
from sluicegate.streaming.opening import model_of

from .causal import CausalMember
from .shape import Shape

_AT_ONCE = 2**20  # products of the output layer


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
        self._networks = [(_dense(member), model_of(member.recurrent)) for member in members]
        weight, bias = (torch.stack([getattr(m.output, name).detach() for m in members]) for name in ("weight", "bias"))
        self._weight, self._bias = weight.double().numpy(), bias.double().numpy()

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
        pooled, mean, largest = self._pool(hidden, reading)
        after_all = Reading(reading.steps + features.shape[1], values[:, features.shape[1] :], states, mean, largest)
        return pooled, after_all

    def _pool(
        self, hidden: Float64[ndarray, "frames members rows hidden"], reading: Reading
    ) -> tuple[ndarray, ndarray, ndarray]:
        """What `causal.pool` does, from wherever the reading is."""
        memory, before = self.shape.memory, -(-reading.steps // self.shape.stride)
        pooled = np.empty((*hidden.shape[:-1], 3 * self.shape.hidden))
        mean, largest = reading.mean, reading.largest
        for j, (now, place) in enumerate(zip(hidden, pooled, strict=True), before + 1):
            mean = mean + (now - mean) / min(j, memory)
            sunk = largest + (mean - largest) / memory if j > memory else largest
            largest = np.maximum(now, sunk) if j > 1 else now.copy()
            np.concatenate([now, mean, largest], axis=-1, out=place)
        return pooled.swapaxes(1, 2), mean, largest

    def logits(self, pooled: Float64[ndarray, "places members pooled"]) -> Float64[ndarray, "places classes"]:
        """The mean of the networks' logits."""
        size = max(1, _AT_ONCE // self._weight.size)
        logits = np.empty((len(pooled), len(self._networks), self.shape.classes))
        for begin in range(0, len(pooled), size):
            part = slice(begin, begin + size)
            logits[part] = (pooled[part, :, None, :] * self._weight).sum(-1) + self._bias
        total = logits[:, 0]
        for k in range(1, logits.shape[1]):
            total = total + logits[:, k]
        return total / logits.shape[1]

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
            logits[some] = self.logits(pooled[last, np.arange(len(some))])
            begin += len(some)
        return logits


def _dense(member: CausalMember) -> Model:
    """The front layer as the kernels compute it."""
    weight, bias = member.front.weight.detach(), member.front.bias.detach()
    hidden, inputs = weight.shape
    layer = RNN(inputs, hidden, nonlinearity="relu")
    zeros = torch.zeros(hidden, hidden)
    layer.load_state_dict({"weight_ih_l0": weight, "weight_hh_l0": zeros, "bias_ih_l0": bias, "bias_hh_l0": zeros[0]})
    return model_of(layer)
