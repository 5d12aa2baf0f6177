"""Recurrent layers that read both ways, computed by the kernels from arrays of NumPy's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.arguments import AT, FORWARD, OUTPUT, Grid, Sequences

from .layers import Stack, address, weights_of


class BothWays:
    """Layers of one cell, each of which reads what both directions of the one before put out.

    A row has the same bits in any company, as in `sluicegate.nn`.

    Args:
        cell: as `Stack` takes it.
        arrays: of a network, by name.
        prefix: what the names of the layers begin with.
        layers: how many there are.
        threads: that compute it; no bit hangs on how many.

    Raises:
        ConfigError: the weights are not those of such layers.
    """

    def __init__(self, cell: str, arrays: Mapping[str, ndarray], prefix: str, layers: int, *, threads: int = 1) -> None:
        ways = [weights_of(arrays, prefix, layers, way) for way in ("", "_reverse")]
        # A stack for each layer and direction: what it was given is held to what such a layer has.
        self._layers = [tuple(Stack(cell, [way[depth]]) for way in ways) for depth in range(layers)]
        self.threads = threads
        self.inputs, self.hidden = self._layers[0][0].inputs, self._layers[0][0].hidden
        sizes = {(one.inputs, one.hidden) for depth in self._layers[1:] for one in depth}
        if sizes - {(2 * self.hidden, self.hidden)} or self._layers[0][1].inputs != self.inputs:
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
        (rows, steps, _), wide = x.shape, 2 * self.hidden
        sequences = Sequences(steps, rows, address(falling), address(order))
        for both in self._layers:
            x, output = np.ascontiguousarray(x), np.zeros((rows, steps, wide), np.float32)
            ends, directions = [], []
            for way, layer in enumerate(both):
                numbers = FORWARD.copy()
                shape, panels = layer.laid_out()
                numbers[AT.panels] = address(panels)
                numbers[OUTPUT] = address(output) + 4 * way * self.hidden, wide, steps * wide
                ends.append(layer.begin(rows))
                for name, after in zip(("h", "c"), ends[-1], strict=False):
                    numbers[getattr(AT, f"{name}_n")] = address(after)
                directions.append(numbers)
            grid = Grid(address(x), shape.input, steps * shape.input)
            _core.forward(shape, sequences, grid, directions, 0, self.threads)
            x = output
        return x
