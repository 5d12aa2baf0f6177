"""Networks that read recordings both ways, as `sluicegate.tasks.classify_series.model` has them at its top.

A window has the same bits in any company, and on one thread or several.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from sluicegate.runtime.attention import attended, mean_of
from sluicegate.runtime.both_ways import BothWays
from sluicegate.runtime.layers import Product

from .shape import Shape
from .windows import begins_of, beside

_STEPS = 16_384  # that are read side by side, at most


class Networks:
    """All networks of a model.

    Args:
        shape: their sizes.
        arrays: their weights, by the names of the task's networks.
        window: steps that are read at a time.
        threads: that compute them.

    Raises:
        ConfigError: the weights are not those of such networks.
        KeyError: one is missing.
    """

    def __init__(self, shape: Shape, arrays: Mapping[str, ndarray], window: int, *, threads: int = 1) -> None:
        self._window = window
        self._members = [_Member(shape, arrays, f"members.{number}.", threads) for number in range(shape.members)]

    def logits(self, recordings: list[ndarray]) -> ndarray:
        """The logits of recordings on the scale of training, `[steps features]` each, the mean over their windows.

        Returns:
            Doubles `[recordings classes]`.
        """
        return np.stack([self._of_one(values) for values in recordings])

    def _of_one(self, values: ndarray) -> ndarray:
        parts = [values[begin : begin + self._window] for begin in begins_of(len(values), self._window)]
        step, found = max(1, _STEPS // self._window), []
        for begin in range(0, len(parts), step):
            batch = beside(parts[begin : begin + step])
            found += list(mean_of([member.logits(*batch) for member in self._members]))
        total = np.zeros(len(found[0]))
        for logits in found:
            total += logits
        return total / len(found)


class _Member:
    """One of the networks."""

    def __init__(self, shape: Shape, arrays: Mapping[str, ndarray], own: str, threads: int) -> None:
        self._stride = shape.stride
        self._front, self._attention, self._output = (
            Product(arrays[f"{own}{name}.weight"], arrays[f"{own}{name}.bias"], threads=threads)
            for name in ("front", "attention", "output")
        )
        self._recurrent = BothWays(shape.cell, arrays, f"{own}recurrent.", shape.layers, threads=threads)
        found = [(made.inputs, made.outputs) for made in (self._front, self._attention, self._output)]
        seen = (2 * shape.stride + 1) * 2 * shape.channels
        expected = [(seen, shape.hidden), (2 * shape.hidden, 1), (4 * shape.hidden, shape.classes)]
        if found != expected or (self._recurrent.inputs, self._recurrent.hidden) != (shape.hidden, shape.hidden):
            raise ValueError("the networks are not those that config.json asks for")

    def logits(self, values: ndarray, lengths: ndarray) -> ndarray:
        """The logits of each class, 32-bit floats `[rows classes]`."""
        size = 2 * self._stride + 1
        around = np.pad(values, ((0, 0), (self._stride, self._stride), (0, 0)))
        frames = np.lib.stride_tricks.sliding_window_view(around, size, axis=1)[:, :: self._stride]
        read = np.maximum(self._front(frames.reshape(*frames.shape[:2], -1)), 0)
        counts = (lengths - 1) // self._stride + 1
        states = self._recurrent.run(read, counts)
        scores = self._attention(np.tanh(states))[..., 0]
        return self._output(np.concatenate(attended(states, scores, counts), 1))
