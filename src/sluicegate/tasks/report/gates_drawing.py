"""The drawing of gates: a panel for each part, a line for each unit."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

from .drawing import AMBER, BLUE, GREEN, INK, ORANGE, PURPLE, drawn
from .picture import Picture

COLOURS = (ORANGE, GREEN, BLUE, PURPLE, AMBER, INK)
"""Of the units, in their order."""
_LETTERS = {
    "reset": "r", "update": "z", "input": "i", "forget": "f", "output": "o", "candidate": "n", "cell": "c",
    "state": "h",
}  # fmt: skip
_SAYS = {
    "reset": "how much of the state the candidate may see",
    "update": "how much of the state is kept",
    "input": "how much of the candidate is written",
    "forget": "how much of the cell state is kept",
    "output": "how much of the cell state is put out",
    "candidate": "the candidate",
    "cell": "the cell state",
    "state": "the state",
}


def draw(kind: Cell, parts: Mapping[str, Float[ndarray, "time _"]], units: Mapping[str, int]) -> Picture:
    """Draw what was seen of a sequence.

    Args:
        kind: Of the layer.
        parts: By name; a projected state, whose numbers are not those of units, is left out.
        units: Those to be drawn, by what they are called.

    Returns:
        The picture.
    """
    width = parts["cell" if kind == "lstm" else "state"].shape[1]
    shown = {name: part for name, part in parts.items() if part.shape[1] == width}
    letters = _LETTERS | ({"candidate": "g"} if kind == "lstm" else {})
    says = _SAYS | ({"update": "how much of the candidate is written"} if kind == "mingru" else {})
    caption = "; ".join(f"{letters[name]}: {says[name]}" for name in shown)
    title = f"The {'state' if kind == 'rnn' else 'gates'} of a layer: {LAYERS[kind].__name__}"
    with drawn(title, f"Step by step: {caption}.", (6.4, 0.8 + 1.05 * len(shown))) as (figure, made):
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, part) in zip(panels, shown.items(), strict=True):
            lines(axes, part, units)
            if name not in ("candidate", "cell", "state"):
                axes.set_ylim(-0.03, 1.03)
            axes.set_ylabel(f"{name} {letters[name]}")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[-1].set_xlabel("step")
        figure.align_ylabels()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)))
    return made[0]


def lines(axes: Axes, part: Float[ndarray, "time units"], units: Mapping[str, int]) -> None:
    """Draw a line for each of some units.

    Args:
        axes: Where.
        part: A gate or a state.
        units: By what they are called.
    """
    for (name, unit), colour in zip(units.items(), COLOURS, strict=False):
        axes.plot(range(len(part)), part[:, unit].tolist(), color=colour, label=name, lw=1.2)
    axes.grid(axis="y")
