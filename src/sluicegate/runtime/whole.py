"""Recurrent layers in int8, computed by the kernels from arrays of NumPy's; see `sluicegate.nn.quantize`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy import ndarray

from sluicegate import _core
from sluicegate.errors import ConfigError
from sluicegate.ops.cells import CELLS, GATES
from sluicegate.ops.compiled import require_same

from .layers import Stack, State, weights_of

NAMES = ("weight_ih", "scale_ih", "factor_ih", "bias", "weight_hh", "scale_hh", "factor_hh", "bias_hh")
"""Of the arrays of a layer, as `sluicegate.ops.quantized` has them."""


class WholeStack:
    """Layers of one cell in int8, each of which reads what the one before it puts out; as `Stack` else.

    Args:
        cell: as of `Stack`.
        weights: of each layer, the arrays that there are of `NAMES`.
        threads: that compute it; no bit hangs on how many.

    Raises:
        ConfigError: the arrays are not those of such layers.
    """

    def __init__(self, cell: str, weights: Sequence[Mapping[str, ndarray]], *, threads: int = 1) -> None:
        self.threads, self._isa, self._parts = threads, _core.isa(), len(CELLS[cell].state)
        self.hidden, self.inputs = len(weights[0]["bias"]) // GATES[cell], weights[0]["weight_ih"].shape[1]
        try:
            self._layers = [_laid_out(cell, own, self.hidden) for own in weights]
        except (TypeError, ValueError) as error:
            raise ConfigError(f"the weights in int8 are not those of layers of a cell {cell!r} ({error})") from error

    def begin(self, rows: int) -> State:
        """Make the state before the first step: zeros."""
        return tuple(np.zeros((len(self._layers), rows, self.hidden), np.float32) for _ in range(self._parts))

    def run(self, x: ndarray, state: State) -> tuple[ndarray, State]:
        """Read a chunk, as `Stack.run` does."""
        return self.read(x, state, None)

    def read(self, x: ndarray, state: State, lengths: ndarray | None) -> tuple[ndarray, State]:
        """The same of rows of these lengths, which fall: the outputs beyond the end of a row are 0.

        Raises:
            ConfigError: the kernels of another instruction set are in use now.
        """
        require_same(self._isa)
        after = tuple(np.empty_like(part) for part in state)
        for depth, layer in enumerate(self._layers):
            x, output = np.ascontiguousarray(x), np.zeros((*x.shape[:2], self.hidden), np.float32)
            (h0, *c0), (h, *c) = ([np.ascontiguousarray(part[depth]) for part in parts] for parts in (state, after))
            layer.forward(x, h0, c0[0] if c0 else None, output, h, c[0] if c else None, lengths, self.threads)
            for part, new in zip(after, (h, *c), strict=True):
                part[depth] = new
            x = output
        return x, after


def stack_of(
    cell: str, arrays: Mapping[str, ndarray], prefix: str, layers: int, *, way: str = "", threads: int = 1
) -> Stack | WholeStack:
    """Lay the layers of a network out, in the precision in which it was saved.

    Args:
        cell: as of `Stack`.
        arrays: of the network, by name.
        prefix: what the names of the layers begin with.
        layers: how many there are.
        way: what the names end with: `_reverse` for those that read from the end.
        threads: that compute it.

    Raises:
        ConfigError: the weights are not those of such layers.
    """
    if not is_whole(arrays, prefix):
        return Stack(cell, weights_of(arrays, prefix, layers, way), threads=threads)
    return WholeStack(cell, whole_of(arrays, prefix, layers, way), threads=threads)


def is_whole(arrays: Mapping[str, ndarray], prefix: str) -> bool:
    """Whether layers were saved in int8."""
    return f"{prefix}bias_l0" in arrays


def whole_of(arrays: Mapping[str, ndarray], prefix: str, layers: int, way: str = "") -> list[dict[str, ndarray]]:
    """The arrays of each layer in int8 among those of a network; the arguments are those of `weights_of`."""
    suffixes = [f"_l{depth}{way}" for depth in range(layers)]
    return [{name: arrays[key] for name in NAMES if (key := f"{prefix}{name}{end}") in arrays} for end in suffixes]


def _laid_out(cell: str, own: Mapping[str, ndarray], hidden: int) -> _core.QuantizedLayer:
    whole, weight = "scale_ih" in own, np.ascontiguousarray(own["weight_ih"])
    recurrent = own.get("weight_hh")
    factor = own.get("factor_hh")
    return _core.QuantizedLayer(
        cell,
        "relu" if cell == "ligru" else "tanh",
        weight.shape[1],
        hidden,
        input_weight=weight if whole else None,
        input_floats=None if whole else weight,
        input_scale=own.get("scale_ih"),
        input_factor=own.get("factor_ih"),
        bias=own["bias"],
        hidden_weight=None if recurrent is None else np.ascontiguousarray(recurrent),
        hidden_scale=own.get("scale_hh"),
        hidden_factor=0.0 if factor is None else float(factor[0]),
        hidden_bias=own.get("bias_hh"),
    )
