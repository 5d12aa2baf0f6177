"""What every contender computes: one layer over one batch of sequences, with the same weights and the same input.

A problem is written to a file that the contenders' processes read, together with the right answer, which
`torch.nn.GRU` or `torch.nn.LSTM` gives in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Mode: TypeAlias = Literal["forward", "training"]
MODES: tuple[Mode, ...] = ("forward", "training")
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
GATES = {"gru": 3, "lstm": 4}
TOLERANCE = 1e-4


class Case(NamedTuple):
    """The size of a problem."""

    input: int
    hidden: int
    batch: int
    steps: int

    def gigaflops(self, cell: str) -> float:
        """The multiplications and additions of the forward pass's two matrix products, in units of 1e9."""
        return 2e-9 * self.steps * self.batch * GATES[cell] * self.hidden * (self.input + self.hidden)


@dataclass(frozen=True)
class Problem:
    """A layer's weights in PyTorch's layout, its input, what its output is weighted with, and the right answer."""

    cell: str
    x: Array  # [time, batch, input]
    scale: Array  # [time, batch, hidden]; in training the loss is (output * scale).sum()
    weight_ih: Array  # [gates * hidden, input]
    weight_hh: Array  # [gates * hidden, hidden]
    bias_ih: Array
    bias_hh: Array
    right: dict[str, Array]  # the output, and the gradients under the names of the weights

    @property
    def hidden(self) -> int:
        """The width of the state."""
        return int(self.weight_hh.shape[1])

    def save(self, path: Path) -> None:
        """Write it for the other processes."""
        fields = asdict(self)
        right = fields.pop("right")
        np.savez(path, **fields, **{f"right_{name}": value for name, value in right.items()})

    @staticmethod
    def load(path: Path) -> Problem:
        """Read what `save` wrote."""
        with np.load(path) as file:
            fields: dict[str, Any] = dict(file.items())
        right = {name: fields.pop(f"right_{name}") for name in ("output", *WEIGHTS)}
        return Problem(**{**fields, "cell": str(fields["cell"])}, right=right)

    def deviation(self, found: dict[str, Array]) -> float:
        """The largest error of an answer, as a share of the largest right value where that is above one."""
        errors = []
        for name, value in found.items():
            right = self.right[name]
            if value.shape != right.shape:
                return float("inf")
            errors.append(np.abs(value - right).max() / max(1.0, np.abs(right).max()))
        return float(max(errors))


class Way(NamedTuple):
    """A way to compute a problem."""

    run: Callable[[], Any]  # once; it returns when the result is there
    read: Callable[
        [Any], dict[str, Array]
    ]  # the output, or the gradients in PyTorch's layout, from what `run` returned
    tolerance: float = TOLERANCE  # what that may be off, as `Problem.deviation` has it


class Peer(Protocol):
    """A library at work on a given number of threads."""

    version: str

    def __init__(self, threads: int) -> None: ...

    def ways(self, problem: Problem, mode: Mode) -> dict[str, Way]:
        """The ways worth trying, by name; the fastest one is measured."""


def reordered(rows: Array) -> Array:
    """Rows for the gates r, z, n, as PyTorch has them, in the order z, r, n of Keras and ONNX; and the other way."""
    r, z, n = np.split(rows, 3)
    return np.concatenate([z, r, n])
