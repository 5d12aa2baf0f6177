"""Search for the text that networks would write: by beam, of which greedy search is the narrowest.

The sources of a batch go side by side and never compete. The hypotheses of a source share what was read of it; of what
goes on, states are picked anew at each step, and words are found at the end, back along the steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from .ensemble import Ensemble
from .subwords import BEGIN, END, PAD


class Hypothesis(NamedTuple):
    """A text that was found."""

    tokens: list[int]
    """Its sub-words, without the end."""
    score: float
    """The logarithm of its probability over a power of its length, the end counted: by this it was chosen."""
    chances: list[float]
    """The logarithm of the probability of each sub-word, and of the end."""


@dataclass(frozen=True)
class Beam:
    """How to search.

    Args:
        width: hypotheses of a source that go on side by side, and that are looked for.
        penalty: the power of the length that a log-probability is divided by: 0 prefers short texts, 1 takes the best
            mean of a sub-word.
        factor: sub-words of a text at most, for each of its source.
        further: and beside these.
    """

    width: int = 5
    penalty: float = 1.0
    factor: float = 2.0
    further: int = 10


class _Step(NamedTuple):
    """What a step decided of the sources that go on."""

    rows: dict[int, int]  # where each of them stands in the rest
    parents: Int64[Tensor, "open width"]
    tokens: Int64[Tensor, "open width"]
    chances: Float[Tensor, "open width"]


class _Over(NamedTuple):
    """A hypothesis that met its end: with what score, at which step, as which of the step before, and how probably."""

    score: float
    step: int
    parent: int
    chance: float


@torch.inference_mode()
def search(
    networks: Ensemble, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"], beam: Beam
) -> list[list[Hypothesis]]:
    """The most probable texts for each source, best first.

    A hypothesis that meets its end among the `width` best of its step is over, and a source is done with `width` of
    these. At a text's greatest length the best are ended where they are.

    Args:
        networks: write.
        tokens: of the sources, padded.
        lengths: of the sources.
        beam: how to search.
    """
    reading = networks.read(tokens, lengths)
    longest = ((lengths * beam.factor).long() + beam.further).tolist()
    over: list[list[_Over]] = [[] for _ in longest]
    steps: list[_Step] = []
    rows = list(range(len(longest)))  # that go on
    total, last = torch.zeros(len(rows), 1), torch.full((len(rows), 1), BEGIN)
    while rows:
        chances, _ = reading.follow(last)
        chances[..., PAD] = chances[..., BEGIN] = -torch.inf
        if not steps:  # no text is empty
            chances[..., END] = -torch.inf
        at_end = [longest[row] <= len(steps) for row in rows]
        if any(at_end):
            forced = chances[at_end]
            forced[..., :END], forced[..., END + 1 :] = -torch.inf, -torch.inf
            chances[at_end] = forced
        vocabulary = chances.shape[2]
        worth, places = (total[..., None] + chances).flatten(1).topk(min(2 * beam.width, vocabulary - 3), 1)
        parents, words = places // vocabulary, places % vocabulary
        chance, ends = chances.flatten(1).gather(1, places), words == END
        for at, place in (ends[:, : beam.width] & worth[:, : beam.width].isfinite()).nonzero().tolist():
            found = over[rows[at]]
            if len(found) < beam.width:
                score = float(worth[at, place]) / (len(steps) + 1) ** beam.penalty
                found.append(_Over(score, len(steps), int(parents[at, place]), float(chance[at, place])))
        order = ends.to(torch.int8).argsort(dim=1, stable=True)[:, : beam.width]
        goes_on = [not end and len(over[row]) < beam.width for row, end in zip(rows, at_end, strict=True)]
        sources = torch.tensor(goes_on).nonzero().flatten()
        parents, words, total, chance = (part.gather(1, order)[sources] for part in (parents, words, worth, chance))
        rows = [row for row, on in zip(rows, goes_on, strict=True) if on]
        steps.append(_Step({row: at for at, row in enumerate(rows)}, parents, words, chance))
        reading.pick((sources[:, None] * last.shape[1] + parents).flatten())
        if not all(goes_on):
            reading.leave(sources)
        last = words
    return [_texts(row, found, steps) for row, found in enumerate(over)]


def _texts(row: int, found: list[_Over], steps: list[_Step]) -> list[Hypothesis]:
    """The words of the hypotheses of a source that are over, best first."""
    texts = []
    for over in sorted(found, key=lambda one: -one.score):
        tokens, chances, place = [], [over.chance], over.parent
        for step in reversed(steps[: over.step]):
            at = step.rows[row]
            tokens.append(int(step.tokens[at, place]))
            chances.append(float(step.chances[at, place]))
            place = int(step.parents[at, place])
        texts.append(Hypothesis(tokens[::-1], over.score, chances[::-1]))
    return texts
