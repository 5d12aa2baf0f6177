"""What the cells are, as the kernels say it: read here once, for whoever goes by it."""

from __future__ import annotations

from typing import NamedTuple

from sluicegate import _core


class Traits(NamedTuple):
    """What a cell is."""

    number: int
    """By which the kernels know it."""
    gates: str
    """A letter for each part of the rows of a weight, in their order."""
    saved: str
    """A letter for each number that training keeps of a unit and a step."""
    state: str
    """`"h"`, or `"hc"` of a cell with a cell state."""
    recurrent: bool
    """Whether the gates see the state: there are recurrent weights and biases."""
    activation: bool
    """Whether anything goes through the activation."""

    @property
    def by_output(self) -> bool:
        """Whether the backward pass finds h in the outputs, always and not only with `checkpoint_every`."""
        return not self.saved.endswith("h")


CELLS = {
    cell.name: Traits(number, cell.gates, cell.saved, cell.state, cell.recurrent, cell.activation)
    for number, cell in enumerate(_core.cells())
}
"""What the kernels compute; `"gru_reset_before"` is the GRU with `reset="before"`."""

GATES = {name: len(cell.gates) for name, cell in CELLS.items()}
"""Into how many parts the rows of a weight fall."""

WHOLE = 1
"""The version of the form of layers in int8, which a saved model says: what another one means is not known."""

BY_OUTPUT = frozenset(name for name, cell in CELLS.items() if cell.by_output)
"""The cells whose backward pass finds h in the outputs."""

ACTIVATIONS = ("tanh", "relu")
"""In the order of the kernels' numbers."""

PRECISIONS = ("fp32", "bf16")
"""What operands of products are rounded to, in the order of the kernels' numbers."""
