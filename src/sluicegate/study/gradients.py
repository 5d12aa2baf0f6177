"""How much of a change in the state is left, so many steps later: the gradient that vanishes.

The derivative of the last state by the state at step t is a matrix; its size, the root of the mean of its squared
singular values, is 1 if a change comes through as it is. For an LSTM the state is h and c together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from sluicegate.tasks.report.drawing import BLUE, GREEN, ORANGE, PURPLE, Picture, drawn
from sluicegate.types import Cell

from .finding import Finding, judged
from .learning import Learner, Recipe
from .network import NAMES, Network
from .problems import ADDING

COLOURS: dict[Cell, str] = {"rnn": ORANGE, "lstm": GREEN, "gru": BLUE, "mingru": PURPLE}
LOST = 0.01
"""Of a change in the state, so that it counts as lost."""
_FLOOR = 1e-12  # what the picture shows at least


class Size(NamedTuple):
    """How large the experiment is."""

    steps: int = 1000
    hidden: int = 32
    rows: int = 2
    budget: float = 25.0
    """Seconds of the processor's time to train each network for."""


QUICK = Size(steps=40, hidden=6, rows=2, budget=0.5)


def sizes(network: Network, x: Float[Tensor, "time batch inputs"]) -> Float[Tensor, " time"]:
    """The size of the derivative of the last state by the state after 0, 1, ... steps fewer.

    Args:
        network: Whose layer reads the sequences, of one layer in one direction.
        x: The sequences; the sizes are root mean squares over them.

    Returns:
        1 for the last state itself, then for ever earlier ones, to the state after the first step.
    """
    cell = network.layer.equations("_l0", None)
    units = network.layer.hidden_size * (2 if network.kind == "lstm" else 1)
    x = x.repeat_interleave(units, dim=1)  # one row for each number of the state, whose derivative it gives
    parts = 2 if network.kind == "lstm" else 1
    state = tuple(x.new_zeros(x.shape[1], network.layer.hidden_size) for _ in range(parts))
    states = []
    for projected in cell.project(x).unbind(0):
        state = cell.step(projected, state)
        states.append(state)
    chosen = torch.eye(units, dtype=x.dtype).repeat(x.shape[1] // units, 1).chunk(parts, dim=1)
    wanted = [part for state in reversed(states) for part in state]
    found = torch.autograd.grad(states[-1], wanted, chosen)
    squares = torch.stack([g.square().sum() for g in found]).reshape(len(states), parts).sum(1)
    return (squares / x.shape[1]).sqrt()


def examine(size: Size = Size(), seed: int = 0) -> Finding:  # noqa: B008 - a tuple, immutable
    """Measure before and after training on the adding problem, with weights that begin as PyTorch's and otherwise."""
    draw = torch.Generator().manual_seed(seed)
    x = ADDING.draw(size.steps, size.rows, draw)[0].double()
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    solved: dict[str, bool] = {}
    colours: dict[str, str] = {}
    for kind, keeping in [(k, False) for k in COLOURS] + [("lstm", True), ("gru", True), ("mingru", True)]:
        name = NAMES[kind] + (", memory" if keeping else "")
        torch.manual_seed(seed)
        options = {"memory": (1, size.steps)} if keeping else {}
        network = Network(kind, 2, size.hidden, 1, **options)
        colours[name] = COLOURS[kind]
        before[name] = sizes(network.double(), x).detach()
        learner = Learner(network.float(), ADDING, Recipe(), seed)
        solved[name] = learner.learn(size.steps, size.budget).solved
        after[name] = sizes(network.double(), x).detach()
    return _finding(size, before, after, solved, colours)


def lost_after(found: Float[Tensor, " time"]) -> int | None:
    """Steps after which less than a hundredth of a change is left for good, or None where it never comes to that."""
    above = (found >= LOST).nonzero().flatten()
    last = int(above[-1]) + 1
    return None if last == len(found) else last


def _finding(
    size: Size, before: dict[str, Tensor], after: dict[str, Tensor], solved: dict[str, bool], colours: dict[str, str]
) -> Finding:
    table = [["network", "lost after, untrained", f"left of it after {size.steps - 1:,}"]]
    table[0] += ["lost after, trained", "left of it", f"solved the adding problem at {size.steps:,}"]
    for name in before:
        cells = [cell for found in (before[name], after[name]) for cell in (_steps(found), f"{float(found[-1]):.1e}")]
        table.append([name, *cells, "yes" if solved[name] else "no"])
    rnn, gru, lstm = (lost_after(before[NAMES[kind]]) for kind in ("rnn", "gru", "lstm"))
    gated = ("LSTM", "GRU")
    fades = rnn is not None
    kept = all(lost_after(after[name]) is None for name in gated if solved[name]) and any(solved[n] for n in gated)
    at_once = gru is None and lstm is None
    outcome = (
        f"Before training a change of the state is lost (less than 1 % is left) after {_words(before['RNN'])} in the "
        f"RNN, but with PyTorch's weights after {_words(before['GRU'])} in the GRU and {_words(before['LSTM'])} in "
        f"the LSTM as well: gates that are half open let nothing through either. With `memory=(1, {size.steps})` it "
        f"is lost after {_words(before['GRU, memory'])} in the GRU and {_words(before['LSTM, memory'])} in the LSTM. "
        f"Trained, after {_words(after['RNN'])} in the RNN, {_words(after['GRU'])} in the GRU, "
        f"{_words(after['LSTM'])} in the LSTM."
    )
    return Finding(
        "gradients",
        "Vanishing gradients",
        "In a plain RNN the gradient vanishes over long sequences; the gates of LSTM and GRU let it through.",
        f"The derivative of the state after {size.steps:,} steps of the adding problem by each earlier state, as the "
        f"root of the mean of its squared singular values, exact and in double precision, over {size.rows} sequences, "
        f"for {size.hidden} units; before training, and after {size.budget:.0f} seconds of it at most, on ever longer "
        f"sequences. `memory` is the chrono initialisation, `memory=(1, {size.steps})`.",
        table,
        judged(fades, kept, at_once),
        outcome,
        (_picture(before, after, colours),),
    )


def _steps(found: Tensor) -> str:
    steps = lost_after(found)
    return "never" if steps is None else f"{steps:,} steps"


def _words(found: Tensor) -> str:
    steps = lost_after(found)
    return f"more than {len(found) - 1:,} steps" if steps is None else f"{steps:,} steps"


def _picture(before: dict[str, Tensor], after: dict[str, Tensor], colours: dict[str, str]) -> Picture:
    title = "What is left of a change in the state, so many steps later"
    caption = (
        "Broken lines begin with memory=(1, T). The higher a line stays, the further back the network can learn. "
        f"Lines that fall below {_FLOOR:.0e} are cut there."
    )
    with drawn(title, caption, (8.0, 3.3)) as (figure, made):
        axes = figure.subplots(1, 2, sharey=True)
        for axis, found, when in zip(axes, (before, after), ("before training", "after training"), strict=True):
            for name, values in found.items():
                shown = values.clamp_min(_FLOOR).log10()
                keep = values >= _FLOOR
                end = int(keep.nonzero()[-1]) + 2
                style = "--" if name.endswith("memory") else "-"
                axis.plot(
                    range(len(values))[:end], shown[:end].tolist(), style, color=colours[name], label=name, lw=1.3
                )
            axis.set_title(when, fontsize=9)
            axis.set_xlabel("steps between")
            axis.set_ylim(math.log10(_FLOOR), 1.5)
            axis.set_yticks(range(-12, 1, 3), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"])
            axis.grid(axis="y")
        axes[0].set_ylabel("size of the derivative")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return made[0]
