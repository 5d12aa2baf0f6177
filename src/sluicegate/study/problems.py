"""Made-up problems whose answer lies far back, each with what a network without any memory would get.

All of them are drawn from a generator of the caller's, so that the same seed gives the same sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

Adding: TypeAlias = tuple[Float[Tensor, "time batch 2"], Float[Tensor, "1 batch 1"]]
Copying: TypeAlias = tuple[Float[Tensor, "time batch marks"], Int[Tensor, "symbols batch"]]

SYMBOLS, KINDS = 10, 8
"""The copy problem's: so many symbols to keep, each of so many kinds."""


def adding(steps: int, rows: int, draw: torch.Generator) -> Adding:
    """Draw sequences of the adding problem (Hochreiter & Schmidhuber 1997).

    Args:
        steps: Their length, from 2 up.
        rows: How many.
        draw: The random generator.

    Returns:
        At each step a value from 0 to 1, and a marker which is 1 at one step of each half, else 0; and the sum of the
        two marked values, which is asked for at the last step.
    """
    values = torch.rand(steps, rows, generator=draw)
    half = steps // 2
    first = torch.randint(half, (1, rows), generator=draw)
    second = torch.randint(half, steps, (1, rows), generator=draw)
    markers = torch.zeros(steps, rows).scatter_(0, torch.cat([first, second]), 1.0)
    return torch.stack([values, markers], dim=-1), (values * markers).sum(0)[None, :, None]


def copying(blank: int, rows: int, draw: torch.Generator) -> Copying:
    """Draw sequences of the copy problem (Arjovsky et al. 2016).

    Ten symbols of eight kinds, `blank - 1` blanks, a delimiter, and ten blanks, at which the symbols are to be said in
    their order. Inputs are one-hot: the kinds, then the blank, then the delimiter.

    Args:
        blank: Steps between the last symbol and the first answer, from 1 up; the sequence has 20 more.
        rows: How many.
        draw: The random generator.

    Returns:
        The inputs, and the kinds of the symbols, which are the answers at the last ten steps.
    """
    symbols = torch.randint(KINDS, (SYMBOLS, rows), generator=draw)
    marks = torch.full((blank + 2 * SYMBOLS, rows), KINDS)
    marks[:SYMBOLS] = symbols
    marks[SYMBOLS + blank - 1] = KINDS + 1
    return F.one_hot(marks, KINDS + 2).float(), symbols


def all_right(outputs: Float[Tensor, "symbols batch kinds"], answers: Int[Tensor, "symbols batch"]) -> float:
    """The share of sequences, from 0 to 1, in which the likeliest kind is the right one for all symbols."""
    return float((outputs.argmax(-1) == answers).all(0).float().mean())


class Problem(NamedTuple):
    """A problem that a network can be trained on at any length."""

    name: str
    draw: Callable[[int, int, torch.Generator], tuple[Tensor, Tensor]]
    """From the length, the rows and the random generator to the inputs and the answers."""
    inputs: int
    """Features of a step."""
    outputs: int
    """Numbers that an answer is read off."""
    answers: int
    """Steps at the end at which there is an answer."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """From outputs and answers to what is made small."""
    figure: Callable[[Tensor, Tensor], float]
    """From outputs and answers to the figure that is reported."""
    solved: Callable[[float], bool]
    """Whether the figure is good enough."""
    memoryless: float
    """The figure of the best answer without memory."""
    learnt: float
    """The loss at which the next length may come."""
    nearly: float
    """The loss at which a validation check whether it is solved is worth while."""


def _kinds_loss(outputs: Tensor, answers: Tensor) -> Tensor:
    return F.cross_entropy(outputs.flatten(0, 1), answers.flatten())


def _squares(outputs: Tensor, answers: Tensor) -> float:
    return float(F.mse_loss(outputs, answers))


ADDING = Problem(
    "adding", adding, 2, 1, 1, F.mse_loss, _squares, lambda error: error < 0.01, 1 / 6, learnt=0.006, nearly=0.008
)
"""Solved with a mean squared error below 0.01. To say 1 each time has 1/6, the variance of the sum of two numbers."""

COPYING = Problem(
    "copying",
    copying,
    KINDS + 2,
    KINDS,
    SYMBOLS,
    _kinds_loss,
    all_right,
    lambda share: share >= 0.99,
    KINDS**-SYMBOLS,
    learnt=0.05,
    nearly=0.004,
)
"""Solved with all symbols right in 99 % of the sequences. The loss counts at the answers alone: that the other steps
are blank is plain from the input. Without memory it is ln 8 = 2.08 nats, with one symbol in eight right."""
