"""Recurrent layers that read both ways, computed by the kernels from arrays of NumPy's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.arguments import AT, FORWARD, OUTPUT, Grid, Sequences

from .layers import Stack, address, weights_of
from .whole import WholeStack, is_whole, whole_of


class BothWays:
    """Layers of one cell, each of which reads what both directions of the one before put out.

    A row has the same bits in any company, as in `sluicegate.nn`.

    Args:
        cell: as `Stack` takes it.
        arrays: of a network, by name; in int8 where it was saved so.
        prefix: what the names of the layers begin with.
        layers: how many there are.
        threads: that compute it; no bit hangs on how many.

    Raises:
        ConfigError: the weights are not those of such layers.
    """

    def __init__(self, cell: str, arrays: Mapping[str, ndarray], prefix: str, layers: int, *, threads: int = 1) -> None:
        self.threads, self._whole = threads, is_whole(arrays, prefix)
        find, kind = (whole_of, WholeStack) if self._whole else (weights_of, Stack)
        ways = [find(arrays, prefix, layers, way) for way in ("", "_reverse")]
        # A stack for each layer and direction: what it was given is held to what such a layer has.
        self._layers = [[kind(cell, [way[depth]], threads=threads) for way in ways] for depth in range(layers)]
        self.inputs, self.hidden = self._layers[0][0].inputs, self._layers[0][0].hidden
        sizes = [(one.inputs, one.hidden) for both in self._layers for one in both]
        if sizes != [(self.inputs, self.hidden)] * 2 + [(2 * self.hidden, self.hidden)] * (len(sizes) - 2):
            raise ConfigError(f"the layers {prefix}* do not fit one another: save the model again")

    def run(self, x: ndarray, lengths: ndarray) -> ndarray:
        """Read rows from their beginning and from their end.

        Args:
            x: 32-bit floats `[rows steps input]`.
            lengths: how many steps each row has.

        Returns:
            Both directions' outputs side by side, `[rows steps 2 * hidden]`, which are 0 beyond the end of a row.
        """
        order = np.argsort(-lengths, kind="stable").astype(np.int64)
        falling = np.ascontiguousarray(lengths[order], np.int64)
        for depth in range(len(self._layers)):
            x = (self._in_int8 if self._whole else self._in_floats)(depth, x, order, falling)
        return x

    def _in_floats(self, depth: int, x: ndarray, order: ndarray, falling: ndarray) -> ndarray:
        """A layer, of both directions in one call of the kernels."""
        x, (rows, steps, inputs), wide = np.ascontiguousarray(x), x.shape, 2 * self.hidden
        output, held, directions = np.zeros((rows, steps, wide), np.float32), [], []
        for way, layer in enumerate(self._layers[depth]):
            assert isinstance(layer, Stack), "its weights are floats"
            numbers, (shape, panels), after = FORWARD.copy(), layer.laid_out(), layer.begin(rows)
            numbers[AT.panels] = address(panels)
            numbers[OUTPUT] = address(output) + 4 * way * self.hidden, wide, steps * wide
            for name, part in zip(("h", "c"), after, strict=False):
                numbers[getattr(AT, f"{name}_n")] = address(part)
            directions.append(numbers)
            held.append(after)
        sequences = Sequences(steps, rows, address(falling), address(order))
        _core.forward(shape, sequences, Grid(address(x), inputs, steps * inputs), directions, 0, self.threads)
        return output

    def _in_int8(self, depth: int, x: ndarray, order: ndarray, falling: ndarray) -> ndarray:
        """A layer, one direction after the other: rows that are read from their end are turned round, and back."""
        rows, (steps, wide) = x[order].swapaxes(0, 1), (x.shape[1], self.hidden)
        places = np.arange(steps)[:, None]
        turned = np.where(places < falling, falling - 1 - places, places)[..., None]  # [steps rows 1]
        output = np.empty((*x.shape[:2], 2 * wide), np.float32)
        for way, layer in enumerate(self._layers[depth]):
            assert isinstance(layer, WholeStack), "its weights are whole numbers"
            given = np.take_along_axis(rows, turned, axis=0) if way else rows
            found, _ = layer.read(given, layer.begin(len(x)), falling)
            found = np.take_along_axis(found, turned, axis=0) if way else found
            output[order, :, way * wide : (way + 1) * wide] = found.swapaxes(0, 1)
        return output
