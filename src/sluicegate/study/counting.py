"""Counting: who reads a^n b^n and a^n b^n c^n beyond the lengths trained on.

A network reads a string letter by letter and predicts what may come next. During the a's that is open; from the first b
on every letter is determined, the end of the string too, and a string counts as read when all of those are predicted
right.

Papers: Gers & Schmidhuber 2001, "LSTM recurrent networks learn simple context-free and context-sensitive languages";
Weiss et al. 2018, "On the practical computational power of finite precision RNNs for language recognition".
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from sluicegate.tasks.report.drawing import BLUE, GREEN, ORANGE, PURPLE, Picture, drawn
from sluicegate.types import Cell

from .finding import Finding, judged, listed
from .network import Network

OPEN = -100  # what `cross_entropy` passes over
LANGUAGES = {"aⁿbⁿ": 2, "aⁿbⁿcⁿ": 3}
"""Each with how many letters it has."""


class Contender(NamedTuple):
    """A kind of layer and how it begins."""

    kind: Cell
    colour: str
    options: dict[str, Any] = {}  # noqa: RUF012 - read only


CONTENDERS = {
    "RNN, tanh": Contender("rnn", ORANGE),
    "RNN, ReLU": Contender("rnn", PURPLE, {"nonlinearity": "relu", "recurrent_init": "identity"}),
    "GRU": Contender("gru", BLUE),
    "LSTM": Contender("lstm", GREEN, {"forget_bias": 1.0}),
}
COUNTERS = ("RNN, ReLU", "LSTM")
"""Those that can count, as Weiss et al. say."""


class Size(NamedTuple):
    """How large the experiment is."""

    longest: int = 30
    """The largest n in training."""
    tested: int = 300
    """The largest n in the test."""
    hidden: int = 10
    steps: int = 2500
    seeds: int = 3


QUICK = Size(longest=4, tested=8, hidden=4, steps=20, seeds=2)


def strings(counts: Sequence[int], letters: int) -> tuple[Float[Tensor, "time batch marks"], Int[Tensor, "time batch"]]:
    """The strings a^n b^n (c^n) for each n, as one-hot letters, and what comes next where that is determined.

    Args:
        counts: The n's.
        letters: 2 for a^n b^n, 3 for a^n b^n c^n.

    Returns:
        The letters, zeros past a string's end; and the number of the next letter, `letters` for the end of the string,
        `OPEN` during the a's and past the end.

    Example:
        >>> x, following = strings([2], 2)
        >>> x.argmax(-1).flatten().tolist(), following.flatten().tolist()
        ([0, 0, 1, 1], [-100, -100, 1, 2])
    """
    longest = max(counts) * letters
    x = torch.zeros(longest, len(counts), letters)
    following = torch.full((longest, len(counts)), OPEN)
    for row, n in enumerate(counts):
        word = [letter for letter in range(letters) for _ in range(n)]
        x[range(len(word)), row, word] = 1.0
        following[n : len(word), row] = torch.tensor([*word[n + 1 :], letters])
    return x, following


def read_right(outputs: Float[Tensor, "time batch letters"], following: Int[Tensor, "time batch"]) -> list[bool]:
    """For each string, whether all that is determined was predicted right."""
    right: list[bool] = ((outputs.argmax(-1) == following) | (following == OPEN)).all(0).tolist()
    return right


def reach(right: list[bool]) -> int:
    """The largest n up to which all strings, in order of n from 1, were read right.

    Example:
        >>> reach([True, True, False, True])
        2
    """
    return right.index(False) if False in right else len(right)


def trained(contender: Contender, letters: int, size: Size, seed: int) -> Network:
    """Train a network on all n up to the longest, the same strings at each step."""
    torch.manual_seed(seed)
    network = Network(contender.kind, letters, size.hidden, letters + 1, **contender.options)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=size.steps)
    x, following = strings(range(1, size.longest + 1), letters)
    for _ in range(size.steps):
        optimiser.zero_grad()
        loss = F.cross_entropy(network(x).flatten(0, 1), following.flatten(), ignore_index=OPEN)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network


def examine(size: Size = Size()) -> Finding:  # noqa: B008 - a tuple, immutable
    """Train all contenders on both languages, and see how far each one counts."""
    right: dict[tuple[str, str], list[list[bool]]] = {}
    for language, letters in LANGUAGES.items():
        x, following = strings(range(1, size.tested + 1), letters)
        for name, contender in CONTENDERS.items():
            for seed in range(size.seeds):
                network = trained(contender, letters, size, seed)
                with torch.no_grad():
                    outputs = network(x)
                right.setdefault((language, name), []).append(read_right(outputs, following))
    reaches = {key: [reach(one) for one in found] for key, found in right.items()}
    table = [["layer", *(f"{language}: all read up to n, each seed" for language in LANGUAGES)]]
    for name in CONTENDERS:
        table.append([name, *(", ".join(map(str, reaches[language, name])) for language in LANGUAGES)])
    return _finding(size, table, reaches, right)


def _finding(
    size: Size, table: list[list[str]], reaches: dict[tuple[str, str], list[int]], right: dict[tuple[str, str], Any]
) -> Finding:
    beyond = 1.5 * size.longest
    counts = {
        name: [language for language in LANGUAGES if max(reaches[language, name]) >= beyond] for name in CONTENDERS
    }
    can = all(len(counts[name]) == len(LANGUAGES) for name in COUNTERS)
    cannot = not any(counts[name] for name in CONTENDERS if name not in COUNTERS)
    parts = [f"the {name} {'for ' + listed(counts[name]) if counts[name] else 'for neither'}" for name in CONTENDERS]
    furthest = max(max(found) for found in reaches.values())
    outcome = (
        f"Counting on to half as far again as trained, n = {beyond:.0f}, with at least one of {size.seeds} seeds: "
        f"{'; '.join(parts)}. The furthest that any came without a mistake is n = {furthest}. "
        "Whether it can is one thing, whether training finds it another: see the seeds."
    )
    return Finding(
        "counting",
        "Counting",
        "An LSTM and an RNN with ReLU can count, a GRU and an RNN with tanh cannot (Weiss et al. 2018).",
        f"Next-letter prediction on all strings with n from 1 to {size.longest}, {size.hidden} units, {size.steps:,} "
        f"steps of Adam; tested on n from 1 to {size.tested}. A string is read when all letters from the first b on, "
        "and its end, are predicted right. The RNN with ReLU begins with the identity, the LSTM with a forget "
        "bias of 1.",
        table,
        judged(can, cannot),
        outcome,
        (_picture(size, right),),
    )


def _picture(size: Size, right: dict[tuple[str, str], list[list[bool]]]) -> Picture:
    title = "Strings read right beyond the lengths trained on"
    caption = "The share of seeds that read the string right; to the left of the grey line are the lengths of training."
    with drawn(title, caption, (8.0, 2.6)) as (figure, made):
        axes = figure.subplots(1, len(LANGUAGES), sharey=True)
        for axis, language in zip(axes, LANGUAGES, strict=True):
            for shift, (name, contender) in enumerate(CONTENDERS.items()):
                shares = [statistics.mean(map(float, of_n)) for of_n in zip(*right[language, name], strict=True)]
                lifted = [share + 0.015 * shift for share in shares]  # lines that coincide lie beside each other
                axis.plot(range(1, size.tested + 1), lifted, color=contender.colour, label=name, lw=1.2)
            axis.axvline(size.longest, color="#c9ced4", lw=1)
            axis.set_title(language, fontsize=9)
            axis.set_xlabel("n")
            axis.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return made[0]
