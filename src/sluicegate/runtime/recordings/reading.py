"""Causal networks read on and on: a state goes in, answers and the next state come out.

No bit hangs on how a recording is cut, nor on what is read beside it. The maps and the recurrent layers are computed by
the kernels, which promise that of every row; a map with relu is to them an RNN whose recurrent weights are 0. How the
rest is computed says `sluicegate.runtime.pooling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from sluicegate.runtime.layers import State
from sluicegate.runtime.pooling import mean_logits, pooled_onwards, pooled_steps

from .shape import Shape


@runtime_checkable
class Layer(Protocol):
    """What the kernels compute of a network, such as a `sluicegate.runtime.layers.Stack`."""

    def begin(self, rows: int) -> State:
        """Make the state before the first step."""

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Read `[time rows input]`: the outputs, and the state after it."""


@dataclass(frozen=True)
class Reading:
    """How far recordings were read, side by side."""

    steps: int  # how many, of each
    seen: ndarray  # the features that the next frame still looks at, floats [rows steps features]
    states: tuple[State, ...]  # of each network's recurrent layer
    mean: ndarray  # the running mean, doubles [members rows hidden]
    largest: ndarray  # the running maximum, likewise


class Reader:
    """Networks of one shape.

    Args:
        shape: their sizes.
        networks: of each the front, a map with relu, and the recurrent layers.
        weight: of their output layers, doubles `[members classes pooled]`.
        bias: likewise `[members classes]`.
    """

    def __init__(self, shape: Shape, networks: Sequence[tuple[Layer, Layer]], weight: ndarray, bias: ndarray) -> None:
        self.shape, self._networks, self._weight, self._bias = shape, list(networks), weight, bias

    def with_layers(self, networks: Sequence[tuple[Layer, Layer]]) -> Reader:
        """The same networks with other fronts and recurrent layers, such as quantised ones."""
        return Reader(self.shape, networks, self._weight, self._bias)

    def begin(self, rows: int) -> Reading:
        """Nothing was read yet."""
        shape = self.shape
        pooled = np.zeros((len(self._networks), rows, shape.hidden))
        return Reading(
            0,
            np.zeros((rows, 2 * shape.stride, 2 * shape.channels), np.float32),
            tuple(recurrent.begin(rows) for _, recurrent in self._networks),
            pooled,
            pooled,
        )

    def read(self, features: ndarray, reading: Reading) -> tuple[ndarray, Reading]:
        """Read the next steps of each recording.

        Args:
            features: standardised, floats `[rows steps features]`.
            reading: how far they were read before.

        Returns:
            What the output layer is given after each frame that ends here, doubles `[frames rows members pooled]`, and
            how far they are read then.
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
                x, _ = front.run(stacked, front.begin(len(values)))
                hidden[:, k], after = recurrent.run(x, reading.states[k])
                states = (*states, after)
        before = -(-reading.steps // stride)
        pooled, mean, largest = pooled_onwards(hidden, reading.mean, reading.largest, before, self.shape.memory)
        after_all = Reading(reading.steps + features.shape[1], values[:, features.shape[1] :], states, mean, largest)
        return pooled, after_all

    def step(self, frames: ndarray, frame: ndarray, reading: Reading) -> tuple[ndarray, Reading]:
        """Read one frame of each of several recordings, of which each may be at another place.

        Args:
            frames: what the front looks at, floats `[rows values]`.
            frame: the number of the frame in its recording, from 1, `[rows]`.
            reading: how far they were read; its `steps` and `seen` are not looked at, and left as they are.

        Returns:
            What the output layer is given then, doubles `[rows members pooled]`, and how far they are read.
        """
        hidden = np.empty((len(self._networks), len(frames), self.shape.hidden))
        states: tuple[State, ...] = ()
        for k, (front, recurrent) in enumerate(self._networks):
            x, _ = front.run(frames[None], front.begin(len(frames)))
            output, after = recurrent.run(x, reading.states[k])
            hidden[k], states = output[0], (*states, after)
        pooled, mean, largest = pooled_steps(hidden, reading.mean, reading.largest, frame, self.shape.memory)
        return pooled, replace(reading, states=states, mean=mean, largest=largest)

    def logits(self, pooled: ndarray) -> ndarray:
        """The mean of the networks' logits, `[places classes]`, of what the output layer is given at these places."""
        return mean_logits(pooled, self._weight, self._bias)

    def at_the_end(self, recordings: list[ndarray], most: int) -> ndarray:
        """The logits after the last step of each recording, `[steps features]`, `most` steps side by side at a time."""
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
