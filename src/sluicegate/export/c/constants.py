"""The weights of layers as constants of C."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from sluicegate.export.layers import inputs_of, units_of
from sluicegate.ops.cells import GATES
from sluicegate.ops.quantized_reference import Layer, Matrix

from .cells import LANES
from .numbers import constant


class Constants:
    """Constants as they come together, and how many bytes they are."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.nbytes = 0

    def add(self, name: str, array: ndarray | None) -> str:
        """Put an array down, and give its name; none is a null pointer."""
        if array is None:
            return "0"
        kind = {"float32": "float", "float64": "double", "int8": "int8_t"}[str(array.dtype)]
        self.texts.append(constant(kind, name, array))
        self.nbytes += array.nbytes
        return name

    def layer(self, name: str, layer: Layer) -> str:
        """Put a layer down, and give the name of its struct."""
        gates, hidden = GATES[layer.cell], layer.hidden
        given = self._matrix(f"{name}_w", layer.input, gates)
        kept = self._matrix(f"{name}_r", hidden, gates) if hidden is not None else ["0"] * 4
        bias = self.add(f"{name}_bias", by_unit(layer.bias, gates))
        apart = layer.hidden_bias
        apart = apart if apart is None else apart[-units_of(layer) :]
        sizes = [inputs_of(layer), units_of(layer), deep(inputs_of(layer)), deep(units_of(layer))]
        sizes += [_each(layer.input), 0 if hidden is None else _each(hidden)]
        pointers = [given[0], kept[0], given[1], kept[1], given[2], kept[2], given[3], kept[3], bias]
        pointers.append(self.add(f"{name}_state_bias", apart))
        self.texts.append(f"static const struct layer {name} = {{{', '.join([*map(str, sizes), *pointers])}}};")
        return name

    def _matrix(self, name: str, matrix: Matrix, gates: int) -> list[str]:
        """Floats, whole numbers, scales and factors."""
        weight = by_unit(matrix.weight, gates)
        if matrix.scale is None:
            return [self.add(name, weight.astype(np.float32)), "0", "0", "0"]
        assert matrix.factor is not None, "what is whole has factors"
        whole = np.zeros((len(weight), deep(weight.shape[1])), np.int8)
        whole[:, : weight.shape[1]] = weight
        together = whole.reshape(-1, gates, whole.shape[1] // LANES, LANES).swapaxes(1, 2)
        names = [
            self.add(name, np.ascontiguousarray(together)),
            self.add(f"{name}_scale", by_unit(matrix.scale, gates)),
        ]
        return ["0", *names, self.add(f"{name}_factor", np.asarray(matrix.factor, np.float32))]


def by_unit(rows: ndarray, gates: int) -> ndarray:
    """Put the gates of a unit one behind the other, which lie unit by unit in a matrix.

    >>> by_unit(np.array([10, 20, 11, 21]), 2).tolist()
    [10, 11, 20, 21]
    """
    found: ndarray = rows.reshape(gates, -1, *rows.shape[1:]).swapaxes(0, 1).reshape(rows.shape)
    return np.ascontiguousarray(found)


def deep(depth: int) -> int:
    """The depth of a row of whole numbers, filled up."""
    return -(-depth // LANES) * LANES


def _each(matrix: Matrix) -> int:
    return 0 if matrix.factor is None or np.size(matrix.factor) == 1 else 1
