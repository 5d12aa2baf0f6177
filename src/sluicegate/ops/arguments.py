"""The numbers that the kernels take, in the order that they name themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from sluicegate import _core

_ORDER = _core.arguments()

FORWARD = [0] * len(_ORDER["forward"])
"""A direction in the forward pass, of which nothing is told yet."""

BACKWARD = [0] * (len(FORWARD) + len(_ORDER["backward"]))
"""The same in the backward pass."""

AT: Any = SimpleNamespace(**{name: place for place, name in enumerate(_ORDER["forward"] + _ORDER["backward"])})
"""Where in a direction a number has its place, by its name."""


def _group(first: str, count: int) -> slice:
    return slice(getattr(AT, first), getattr(AT, first) + count)


# Where those have their places that belong together.
WEIGHTS = _group("input_weight", len(_ORDER["weights"]))
WEIGHT_GRADIENTS = _group("input_weight_gradient", len(_ORDER["weights"]))
OUTPUT, OUTPUT_GRADIENT, INPUT_GRADIENT = (
    _group(name, len(_ORDER["grid"])) for name in ("output", "output_gradient", "input_gradient")
)


class Shape(NamedTuple):
    """A layer."""

    cell: int
    activation: int
    input: int
    hidden: int
    precision: int = 0


class Sequences(NamedTuple):
    """The rows of a call. Where `lengths`, `order` and `offsets` are, or 0 where there are none."""

    steps: int
    batch: int
    lengths: int = 0
    order: int = 0
    offsets: int = 0


class Grid(NamedTuple):
    """Rows of numbers, one for each step of each row of the batch."""

    data: int
    step: int
    """Floats from a step to the next."""
    row: int
    """Floats from a row of the batch to the next."""


for _name, _told in (("shape", Shape), ("sequences", Sequences), ("grid", Grid)):
    assert list(_told._fields) == _ORDER[_name], f"the kernels take the {_name} in another order: {_ORDER[_name]}"
