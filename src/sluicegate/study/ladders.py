"""The adding problem and the copy problem, ever longer: which layer, begun in which way, gets how far."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from sluicegate.tasks.report.drawing import BLUE, GREEN, ORANGE, PURPLE, Picture, drawn
from sluicegate.types import Cell

from .finding import Finding, judged
from .learning import FRESH, Learner, Outcome, Recipe
from .network import Network
from .problems import ADDING, COPYING, Problem


class Contender(NamedTuple):
    """A kind of layer, how it begins, and which problems it is tried on."""

    kind: Cell
    colour: str
    options: dict[str, Any] = {}  # noqa: RUF012 - read only
    shortened: bool = True
    """Whether it is trained on short sequences first."""
    copies: bool = True
    """Whether it is tried on the copy problem as well."""
    copy_rate: float = 3e-3
    """The learning rate there, at which the kind of layer learns most readily."""


class Size(NamedTuple):
    """How large the experiment is."""

    lengths: tuple[int, ...] = (100, 200, 500, 1000, 2000, 5000)
    budget: float = 40.0
    """Seconds of the processor's time for each length of the adding problem."""
    copy_budget: float = 150.0
    """The same for the copy problem, whose first length takes longest."""
    adding_hidden: int = 32
    copying_hidden: int = 128


_COPIED = 30  # the longest time scale that a GRU begins to copy with: of all signs but the blanks
_SLOWER = 1.5  # times as many sequences from which on one layer learns less readily than another
QUICK = Size(lengths=(20, 40), budget=1.0, copy_budget=1.0, adding_hidden=8, copying_hidden=8)


def contenders(problem: Problem, size: Size) -> dict[str, Contender]:
    """All that take part in a problem."""
    longest = _COPIED if problem is COPYING else size.lengths[-1]
    span, named = {"memory": (1, longest)}, f"memory=(1, {longest})"
    every = {
        "RNN": Contender("rnn", ORANGE, {"recurrent_init": "orthogonal"}),
        "LSTM": Contender("lstm", GREEN, {"recurrent_init": "orthogonal"}, copy_rate=5e-3),
        f"LSTM, {named}": Contender("lstm", GREEN, {"recurrent_init": "orthogonal"} | span, copies=False),
        "GRU": Contender("gru", BLUE, {"recurrent_init": "orthogonal"}),
        "GRU, full length at once": Contender(
            "gru", BLUE, {"recurrent_init": "orthogonal"}, shortened=False, copies=False
        ),
        f"GRU, {named}, full length at once": Contender(
            "gru", BLUE, {"recurrent_init": "orthogonal"} | span, shortened=False, copies=False
        ),
        f"GRU, {named}": Contender("gru", BLUE, {"recurrent_init": "orthogonal"} | span),
        f"MinGRU, {named}": Contender("mingru", PURPLE, span, copies=False),
    }
    return {name: contender for name, contender in every.items() if contender.copies or problem is ADDING}


def climb(problem: Problem, name: str, size: Size, seed: int = 0) -> list[Outcome]:
    """Train one of the contenders at one length after the other, up to the first that is not solved.

    One network goes up all lengths where it may train on short sequences first; else a new one begins at each.
    """
    contender = contenders(problem, size)[name]
    copying = problem is COPYING
    hidden = size.copying_hidden if copying else size.adding_hidden
    start = (5 if copying else 50) if contender.shortened else None
    recipe = Recipe(contender.copy_rate, 16, start) if copying else Recipe(3e-3, 32, start)
    found: list[Outcome] = []
    learner: Learner | None = None
    for length in size.lengths:
        if learner is None or not contender.shortened:
            torch.manual_seed(seed)
            network = Network(contender.kind, problem.inputs, hidden, problem.outputs, **contender.options)
            learner = Learner(network, problem, recipe, seed)
        found.append(learner.learn(length, size.copy_budget if copying else size.budget))
        if not found[-1].solved:
            break
    return found


def examine(problem: Problem, size: Size, found: dict[str, list[Outcome]]) -> Finding:
    """Compare how far the contenders climbed."""
    table = [["layer", *(f"T = {length:,}" for length in size.lengths)]]
    for name, climbed in found.items():
        table.append([name, *(_cell(problem, climbed, rung) for rung in range(len(size.lengths)))])
    return _finding(problem, size, table, found, _picture(problem, size, found, contenders(problem, size)))


def _fewest(found: dict[str, list[Outcome]], kind: str, length: int) -> int:
    """The fewest sequences with which a kind of layer, begun in one way or another, solved a length; 0 if none did."""
    taken = [
        outcome.sequences
        for name, climbed in found.items()
        for outcome in climbed
        if name.startswith(kind) and outcome.solved and outcome.length == length
    ]
    return min(taken, default=0)


def furthest(climbed: list[Outcome]) -> int:
    """The longest length that was solved, or 0."""
    return max((outcome.length for outcome in climbed if outcome.solved), default=0)


def _cell(problem: Problem, climbed: list[Outcome], rung: int) -> str:
    if rung >= len(climbed):
        return "not tried"
    outcome = climbed[rung]
    figure = f"{outcome.figure:.3f}" if problem is ADDING else f"{outcome.figure:.1%}"
    if not outcome.solved:
        return f"no ({figure})"
    return f"{figure}, {outcome.sequences / 1000:,.0f}k, {outcome.processor:.0f} s"


def _finding(
    problem: Problem, size: Size, table: list[list[str]], found: dict[str, list[Outcome]], picture: Picture
) -> Finding:
    reached = {name: furthest(climbed) for name, climbed in found.items()}
    best = max(reached, key=lambda name: reached[name])
    gru = max(length for name, length in reached.items() if name.startswith("GRU"))
    lstm = max(length for name, length in reached.items() if name.startswith("LSTM"))
    plain = reached.get("GRU, full length at once")
    lost = (gru if plain is None else plain) < 500
    outcome = (
        f"The longest length that any layer solved is {reached[best]:,} ({best}); the RNN came to {reached['RNN']:,}, "
        f"the LSTM to {lstm:,}, the GRU to {gru:,}."
    )
    if plain is not None:
        outcome += f" Trained as PyTorch begins it, and on the full length at once, the GRU came to {plain:,}: " + (
            "it is the training that gets lost, not the GRU." if plain < gru else "no less."
        )
    quickest = {kind: _fewest(found, kind, min(gru, lstm)) for kind in ("GRU", "LSTM")}
    weaker = gru < lstm or quickest["GRU"] > _SLOWER * quickest["LSTM"] > 0
    if gru and lstm:
        outcome += (
            f" For {min(gru, lstm):,} the LSTM took {quickest['LSTM'] / 1000:,.0f}k sequences at least, the GRU "
            f"{quickest['GRU'] / 1000:,.0f}k."
        )
    judge = judged(weaker, lost)
    short, what = ("50", "steps") if problem is ADDING else ("5", "blanks")
    goal = "a mean squared error below 0.01" if problem is ADDING else "all ten symbols right in 99 % of the sequences"
    budget = size.budget if problem is ADDING else size.copy_budget
    return Finding(
        problem.name,
        f"Long memory: the {'adding' if problem is ADDING else 'copy'} problem",
        "A GRU is weaker than an LSTM where long or exact memory is needed, and lost beyond a few hundred steps.",
        f"Solved is {goal}, on {FRESH} fresh sequences of the length in question; without memory it is "
        f"{problem.memoryless:.3g}. In a cell: the figure, the sequences and the seconds of the processor's time up to "
        f"there. One network goes up the ladder, from {short} {what} on, each length doubled until T is reached, for "
        f"{budget:.0f} seconds of the processor's time at each T at most; where `full length at once` is said, a new "
        "one begins at each T, at T. One seed; the first T that a layer fails at is the last that it is tried on. "
        f"{_recipe(problem, size)}; recurrent matrices orthogonal.",
        table,
        judge,
        outcome,
        (picture,),
    )


def _recipe(problem: Problem, size: Size) -> str:
    if problem is ADDING:
        return f"{size.adding_hidden} units, 32 sequences a step, a learning rate of 0.003"
    return (
        f"{size.copying_hidden} units, 16 sequences a step, a learning rate of 0.005 for the LSTM and of 0.003 for the "
        "others: with each other's, LSTM and GRU learn later or not at all"
    )


def _picture(
    problem: Problem, size: Size, found: dict[str, list[Outcome]], taking_part: dict[str, Contender]
) -> Picture:
    title = f"How long the {problem.name} problem may be"
    caption = "The longest length that each network solved; a missing bar stands for none."
    with drawn(title, caption, (8.0, 0.9 + 0.28 * len(found))) as (figure, made):
        axis = figure.subplots()
        rungs = [0, *size.lengths]
        for place, (name, climbed) in enumerate(found.items()):
            reached = furthest(climbed)
            axis.barh(place, rungs.index(reached), color=taking_part[name].colour, height=0.65)
        axis.set_yticks(range(len(found)), list(found))
        axis.set_xticks(range(len(rungs)), ["none", *(f"{length:,}" for length in size.lengths)])
        axis.set_xlabel("steps" if problem is ADDING else "blanks between the symbols and the answer")
        axis.invert_yaxis()
        axis.grid(axis="x")
    return made[0]
