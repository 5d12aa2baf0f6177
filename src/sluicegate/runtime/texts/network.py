"""The networks that read texts, as `sluicegate.tasks.classify_text.model` has them at its top, computed by the kernels.

A text has the same bits in any company, and on one thread or several.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from sluicegate.runtime.attention import attended, mean_of
from sluicegate.runtime.both_ways import BothWays
from sluicegate.runtime.layers import Product, plain

from .corpus import Batch
from .linear import summed
from .shape import FILTERS, Shape


class Networks:
    """All networks of a model.

    Args:
        shape: their sizes.
        arrays: their weights, by the names of the task's networks.
        threads: that compute them.

    Raises:
        ConfigError: the weights are not those of such networks.
        KeyError: one is missing.
    """

    def __init__(self, shape: Shape, arrays: Mapping[str, ndarray], *, threads: int = 1) -> None:
        self._members = [_Member(shape, arrays, f"members.{number}.", threads) for number in range(shape.members)]

    def logits(self, batch: Batch) -> ndarray:
        """The mean of the networks' logits, 32-bit floats `[rows classes]`."""
        return mean_of([member.logits(batch) for member in self._members])


class _Member:
    """One of the networks."""

    def __init__(self, shape: Shape, arrays: Mapping[str, ndarray], own: str, threads: int) -> None:
        self._embedding = plain(arrays[f"{own}embedding.weight"])
        self._capitals = plain(arrays[f"{own}capitals.weight"]) if shape.capitals else None
        self._recurrent = BothWays(shape.cell, arrays, f"{own}recurrent.", shape.layers, threads=threads)
        self._attention, self._output, *self._convolutions = (
            Product(arrays[f"{own}{name}.weight"], arrays[f"{own}{name}.bias"], threads=threads)
            for name in ("attention", "output", *(f"convolutions.{number}" for number in range(len(shape.windows))))
        )
        self._windows, self._wide = shape.windows, plain(arrays[f"{own}wide"])
        self._require(shape)

    def logits(self, batch: Batch) -> ndarray:
        """The logits of each class, 32-bit floats `[rows classes]`."""
        x = self._embedding[batch.tokens]
        if self._capitals is not None:
            x = x + self._capitals[batch.capitals]
        states = self._recurrent.run(x, batch.lengths)
        pooled = attended(states, self._attention(states)[..., 0], batch.lengths)
        found = [self._filtered(x, batch.lengths, number) for number in range(len(self._windows))]
        logits = self._output(np.concatenate([*pooled, *found], 1))
        logits += summed(self._wide, batch.grams, batch.bounds)
        return logits

    def _filtered(self, x: ndarray, lengths: ndarray, number: int) -> ndarray:
        """The largest of what a convolution makes of the words around each word, `[rows filters]`."""
        size, steps = self._windows[number], x.shape[1]
        around = np.pad(x, ((0, 0), ((size - 1) // 2, size // 2), (0, 0)))
        seen = np.concatenate([around[:, begin : begin + steps] for begin in range(size)], 2)
        filtered = np.maximum(self._convolutions[number](seen), 0)
        filtered[np.arange(steps) >= lengths[:, None]] = 0
        largest: ndarray = filtered.max(1)
        return largest

    def _require(self, shape: Shape) -> None:
        found = [
            self._embedding.shape,
            self._wide.shape,
            (self._recurrent.inputs, self._recurrent.hidden),
            *((made.inputs, made.outputs) for made in (self._attention, self._output, *self._convolutions)),
        ]
        expected = [
            (shape.tokens, shape.embedding),
            (shape.grams + 1, shape.classes),
            (shape.embedding, shape.hidden),
            (2 * shape.hidden, 1),
            (shape.pooled, shape.classes),
            *((size * shape.embedding, FILTERS) for size in shape.windows),
        ]
        if found != expected:
            raise ValueError("the networks are not those that config.json asks for")
