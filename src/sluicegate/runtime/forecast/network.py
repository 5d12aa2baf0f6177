"""The forecaster's network as `sluicegate.tasks.forecast.model` has it at its top, computed by the kernels.

A window has the same bits in any company, and on one thread or several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from sluicegate.runtime.layers import Product, State, plain
from sluicegate.runtime.whole import stack_of

from .shape import Shape


@runtime_checkable
class Recurrent(Protocol):
    """What computes the recurrent layers, such as a `sluicegate.runtime.layers.Stack`."""

    def begin(self, rows: int) -> State:
        """Make the state before the first step."""

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Read `[time rows input]`: the outputs, and the state after it."""


class Network:
    """The network with these weights.

    Args:
        shape: its sizes.
        arrays: its weights, by the names of `SegmentForecaster`.
        threads: that compute it.

    Raises:
        ConfigError: the weights are not those of such a network.
        KeyError: one is missing.
    """

    def __init__(self, shape: Shape, arrays: Mapping[str, ndarray], *, threads: int = 1) -> None:
        self._shape = shape
        self._embed: Callable[[ndarray], ndarray] = Product(
            arrays["embed.weight"], arrays["embed.bias"], threads=threads
        )
        self._cell: Recurrent = stack_of(shape.cell, arrays, "cell.", shape.layers, threads=threads)
        self._place = plain(arrays["place"])
        self._query = Product(arrays["query.weight"], threads=threads) if "query.weight" in arrays else None
        self._head = Product(arrays["head.weight"], arrays["head.bias"], threads=threads)
        self._shortcut = Product(arrays["shortcut"], threads=threads)
        self._effect = plain(arrays["effect"])

    def with_layers(self, embed: Recurrent, cell: Recurrent) -> Network:
        """The same network with another map of segments, relu and all, and other recurrent layers."""
        other = copy(self)
        other._embed, other._cell = (lambda x: embed.run(x, embed.begin(len(x)))[0]), cell
        return other

    def __call__(self, context: ndarray, past: ndarray, known: ndarray, calendar: ndarray, padded: ndarray) -> ndarray:
        """Forecast; see `SegmentForecaster.forward`.

        Args:
            context: 32-bit floats `[batch context]`.
            past: `[batch past context]`.
            known: `[batch known window]`.
            calendar: `[batch segments calendar]`.
            padded: steps at the beginning of each context that no row stands for.

        Returns:
            32-bit floats `[batch horizon outputs]`, standardised as the context is.
        """
        shape = self._shape
        z, level = self._without_level(context, known)
        seen = np.concatenate([z[:, None], past, known[..., : shape.context]], 1)
        lacking = shape.before * shape.segment - shape.context
        segments = _segments(np.pad(seen, ((0, 0), (0, 0), (lacking, 0))), shape.segment)
        embedded = self._embed(np.concatenate([segments, calendar[:, : shape.before]], -1))
        state = self._read(np.maximum(embedded, 0), padded)
        decoded = self._decode(self._queries(known[..., shape.context :], calendar[:, shape.before :]), state)
        outputs = self._head(decoded).reshape(len(context), -1, shape.outputs)[:, : shape.horizon]
        found: ndarray = outputs + (self._shortcut(z) + level)[..., None]
        return found

    def _without_level(self, context: ndarray, known: ndarray) -> tuple[ndarray, ndarray]:
        """The context without its last value and the linear effects, and these two over the horizon."""
        size, last = self._shape.context, context[:, -1:]
        effect = np.zeros((len(context), size + self._shape.horizon), np.float32)
        for column, weight in enumerate(self._effect):
            effect += (known[:, column] - known[:, column, size - 1 : size]) * weight
        return context - last - effect[:, :size], last + effect[:, size:]

    def _read(self, embedded: ndarray, padded: ndarray) -> State:
        """The state after the segments, begun at the first of each window that holds a row."""
        lacking = self._shape.before * self._shape.segment - self._shape.context
        skipped = np.where(padded > 0, (padded + lacking) // self._shape.segment, 0)
        state = self._cell.begin(len(embedded))
        for count in np.unique(skipped).tolist():
            rows = np.flatnonzero(skipped == count)
            steps = np.ascontiguousarray(embedded[rows, count:].swapaxes(0, 1))
            _, after = self._cell.run(steps, self._cell.begin(len(rows)))
            for part, new in zip(state, after, strict=True):
                part[:, rows] = new
        return state

    def _queries(self, known: ndarray, calendar: ndarray) -> ndarray:
        """What is known of each future segment, `[batch after hidden]`."""
        shape = self._shape
        place = np.broadcast_to(self._place, (len(known), *self._place.shape))
        if self._query is None:
            return place
        lacking = shape.after * shape.segment - shape.horizon
        future = _segments(np.pad(known, ((0, 0), (0, 0), (0, lacking))), shape.segment)
        queries: ndarray = place + self._query(np.concatenate([future, calendar], -1))
        return queries

    def _decode(self, query: ndarray, state: State) -> ndarray:
        """One step of the cell from the same state for each query."""
        rows, after, hidden = query.shape
        repeated = tuple(np.repeat(part, after, axis=1) for part in state)
        decoded, _ = self._cell.run(plain(query).reshape(1, rows * after, hidden), repeated)
        return decoded.reshape(rows, after, hidden)


def _segments(values: ndarray, size: int) -> ndarray:
    """Cut `[batch columns steps]` into segments, each with all of its columns side by side."""
    batch, columns, steps = values.shape
    return values.reshape(batch, columns, steps // size, size).swapaxes(1, 2).reshape(batch, steps // size, -1)
