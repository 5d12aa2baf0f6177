"""The gates of a layer, as arrays with names and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn import Module

from sluicegate.errors import ConfigError
from sluicegate.nn.gates import look
from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

from .picture import Picture

_MOST = 6  # colours that can be told apart


@dataclass(frozen=True, eq=False, repr=False)
class Gates(Mapping[str, ndarray]):
    """What the gates of a layer did at every step: arrays by name, `seen["update"]` or `seen.update`.

    | kind | parts |
    | --- | --- |
    | GRU | `reset`, `update`, `candidate`, `state` |
    | LSTM | `input`, `forget`, `candidate`, `output`, `cell`, `state` |
    | RNN | `state` |
    | MinGRU, LiGRU | `update`, `candidate`, `state` |

    Gates are from 0 to 1. `state` is the state after the step, what the layer puts out.

    Args:
        kind: of the layer.
        axes: what the axes of every array are: `layer`, `time`, `batch` and `unit` in the order in which the layer has
            them. Along `layer` stand all layers and directions in the order of PyTorch's `h_n`; a cell has no such
            axis, and a single sequence no `batch`. The backward direction stands at the steps that it read.
        parts: the arrays.
    """

    kind: Cell
    axes: tuple[str, ...]
    parts: Mapping[str, ndarray]

    def __getitem__(self, name: str) -> ndarray:
        """Find a part by its name."""
        return self.parts[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self.parts)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.parts)

    def __getattr__(self, name: str) -> ndarray:
        """Find a part by its name."""
        parts = vars(self).get("parts", {})  # a copy in the making has none yet
        if name not in parts:
            raise AttributeError(f"there is no part {name!r} to see: there are {', '.join(parts)}")
        part: ndarray = parts[name]
        return part

    def __repr__(self) -> str:
        """Name the parts and their shape."""
        first = next(iter(self.parts.values()))
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, first.shape, strict=True))
        return f"<{LAYERS[self.kind].__name__}: {', '.join(self)}; {shape}>"

    def plot(self, *, row: int = 0, layer: int = 0, units: Sequence[int] | None = None) -> Picture:
        """Draw every part over time, one above the other.

        Args:
            row: Which row of the batch.
            layer: Which along the axis `layer`.
            units: Which units, six at most; when not given, the one whose state (of an LSTM the cell state) moves
                most from step to step, the one in the middle and the one that moves least.

        Returns:
            The picture: a notebook shows it, `on_white()` is it as SVG for a file.

        Raises:
            ConfigError: There is no such row, layer or unit.
        """
        from .gates_drawing import draw  # with matplotlib, half a second to load

        at = {"batch": ("row", row), "layer": ("layer", layer)}
        for axis, (name, number) in at.items():
            size = self.state.shape[self.axes.index(axis)] if axis in self.axes else 1
            _require_below(name, number, size)
        place = tuple(at[axis][1] if axis in at else slice(None) for axis in self.axes)
        parts = {name: part[place] for name, part in self.parts.items()}
        kept = parts.get("cell", parts["state"])
        return draw(self.kind, parts, _quick_and_slow(kept) if units is None else _asked(units, kept.shape[1]))


def gates(layer: Module, x: Float[Tensor, ...] | Float[ndarray, ...], h0: Any = None) -> Gates:
    """Look at the gates of a layer while it reads.

    The equations of `sluicegate.ops.reference` take every step again, as in evaluation: without dropout, and with the
    running statistics of batch normalisation. The layer itself does not run, nothing is hooked into it or kept on it.

    Args:
        layer: A recurrent layer or a cell of `sluicegate.nn` or `torch.nn`, of any depth, in one direction or both.
        x: What a layer reads, `[time batch input]`, `[batch time input]` with `batch_first`, or `[time input]`; of a
            cell, all steps of it, `[time batch input]` or `[time input]`. A tensor or an array, of the layer's type.
        h0: The state before the first step as the layer takes it, `h` or `(h, c)`; zeros when not given.

    Returns:
        The gates, the candidate and the state at every step, by name.

    Raises:
        ConfigError: `layer` is something else, or `h0` does not fit it.
        DataError: `x` does not fit it.

    Example:
        >>> layer = torch.nn.GRU(3, 5, num_layers=2)
        >>> seen = gates(layer, torch.zeros(7, 2, 3))
        >>> list(seen), seen.axes
        (['reset', 'update', 'candidate', 'state'], ('layer', 'time', 'batch', 'unit'))
        >>> seen.update.shape
        (2, 7, 2, 5)
    """
    state = tuple(map(_as_tensor, h0)) if isinstance(h0, tuple | list) else _as_tensor(h0)
    seen = look(layer, _as_tensor(x), state)
    return Gates(seen.kind, seen.axes, {name: _as_array(part) for name, part in seen.parts.items()})


def _as_tensor(value: Any) -> Any:
    return torch.tensor(value) if isinstance(value, ndarray) and value.dtype.kind in "biuf" else value


def _as_array(part: Tensor) -> ndarray:
    # NumPy has no bfloat16.
    found: ndarray = (part.float() if part.dtype == torch.bfloat16 else part).numpy(force=True)
    return found


def _quick_and_slow(kept: Float[ndarray, "time units"]) -> dict[str, int]:
    """Name the unit whose state moves most from step to step, the one in the middle and the one that moves least."""
    order = np.abs(np.diff(kept, axis=0)).sum(axis=0).argsort(kind="stable").tolist()
    places = {"quickest": -1, "middle": len(order) // 2, "slowest": 0}
    names = {order[place]: name for name, place in places.items()}  # of fewer than three units some are the same
    return {f"unit {unit}, {name}": unit for unit, name in names.items()}


def _asked(units: Sequence[int], count: int) -> dict[str, int]:
    if not 1 <= len(units) <= _MOST:
        raise ConfigError(f"`units` (={list(units)}) must name one to {_MOST} units: draw the others apart")
    for unit in units:
        _require_below("units", unit, count)
    return {f"unit {unit}": int(unit) for unit in units}


def _require_below(name: str, number: Any, size: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < size:
        raise ConfigError(f"`{name}` (={number!r}) must be a whole number from 0 to {size - 1}")
