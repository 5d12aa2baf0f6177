"""Search for the text that networks would write: by beam, of which greedy search is the narrowest.

The sources of a batch go side by side and never compete. The hypotheses of a source share what was read of it; of what
goes on, states are picked anew at each step, and words are found at the end, back along the steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from .scores import Best, Scores
from .subwords import BEGIN, END, PAD, Kinds


@runtime_checkable
class Follows(Protocol):
    """Where networks are in writing: hypotheses side by side for each source."""

    def follow(self, tokens: Int64[Tensor, "rows beam"]) -> Scores:
        """Go on by one sub-word of each hypothesis: how probable each is that may come then."""
        ...

    def pick(self, hypotheses: Int64[Tensor, " picked"]) -> None:
        """Go on with these hypotheses, numbered across the sources."""
        ...

    def leave(self, sources: Int64[Tensor, " left"]) -> None:
        """Go on with these sources alone."""
        ...


@runtime_checkable
class Reads(Protocol):
    """What reads sources, for which texts are searched."""

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> Follows:
        """Read sources."""
        ...


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
        unrepeated: of how many sub-words a run is that no text has twice; 0 for none (Paulus et al. 2018 take 3).
        words: of a text at most; None for any number.
    """

    width: int = 5
    penalty: float = 1.0
    factor: float = 2.0
    further: int = 10
    unrepeated: int = 0
    words: int | None = None


class _Step(NamedTuple):
    """What a step decided of the sources that go on."""

    rows: dict[int, int]  # where each of them stands in the rest
    parents: Int64[np.ndarray, "open width"]
    tokens: Int64[np.ndarray, "open width"]
    chances: Float[np.ndarray, "open width"]


class _Over(NamedTuple):
    """A hypothesis that met its end: with what score, at which step, as which of the step before, and how probably."""

    score: float
    step: int
    parent: int
    chance: float


@torch.inference_mode()
def search(
    networks: Reads,
    tokens: Int64[Tensor, "rows steps"],
    lengths: Int64[Tensor, " rows"],
    beam: Beam,
    kinds: Kinds,
) -> list[list[Hypothesis]]:
    """The most probable texts for each source, best first.

    A hypothesis that meets its end among the `width` best of its step is over. A source is done when `width` are over,
    none of which would make room for the best that is open, if that ended next for certain: with no length penalty no
    better text is missed. (With one, a text may become better yet by words that are certain. The bound for that is so
    loose that on 400 sentences no search ended sooner than at the greatest length.) A single hypothesis is greedy, and
    done at its end. At a text's greatest length the best are ended where they are.

    Args:
        networks: write.
        tokens: of the sources, padded.
        lengths: of the sources.
        beam: how to search.
        kinds: which sub-words begin a word, and the like.
    """
    found = _Search(networks, tokens, lengths, beam, kinds)
    while found.rows:
        found.go_on()
    return [found.texts(row) for row in range(len(tokens))]


class _Search:
    """Where a search is."""

    def __init__(self, networks: Reads, tokens: Tensor, lengths: Tensor, beam: Beam, kinds: Kinds) -> None:
        self._reading, self._beam, self._kinds = networks.read(tokens, lengths), beam, kinds
        never = kinds.spaces | (torch.arange(len(kinds.spaces)) == PAD)
        never[BEGIN] = True
        owed = (tokens[:, None, :, None] == kinds.slots).sum(2).numpy()
        self._owed = owed if owed.any() else None  # slots, `[rows width slots]`, that are still to be written
        if self._owed is None:
            never[kinds.slots] = True
        self._never = never.nonzero().flatten()
        self._longest = ((lengths * beam.factor).long() + beam.further).tolist()
        self._over: list[list[_Over]] = [[] for _ in self._longest]
        self._steps: list[_Step] = []
        self.rows = list(range(len(self._longest)))
        """The sources that go on."""
        self._total = np.zeros((len(self.rows), 1), np.float32)
        self._last = torch.full((len(self.rows), 1), BEGIN)
        self._words = torch.zeros(len(self.rows), 1, dtype=torch.int64)
        self._written: list[list[list[int]]] = [[[]] for _ in self.rows]  # where runs must not be repeated

    def go_on(self) -> None:
        """Take a step."""
        beam, width = self._beam, self._beam.width
        best = self._followed()
        ends = best.tokens == END
        for at, place in np.argwhere(ends[:, :width] & np.isfinite(best.worth[:, :width])).tolist():
            over = self._over[self.rows[at]]
            score = float(best.worth[at, place]) / (len(self._steps) + 1) ** beam.penalty
            over.append(_Over(score, len(self._steps), int(best.parents[at, place]), float(best.chances[at, place])))
            over.sort(key=lambda one: -one.score)
            del over[width:]
        best.worth[ends] = -np.inf  # where there is nothing but ends
        promised = best.worth.max(1) / (len(self._steps) + 2) ** beam.penalty
        goes_on = [
            len(self._steps) < self._longest[row] and promise > self._least(row)
            for row, promise in zip(self.rows, promised.tolist(), strict=True)
        ]
        sources = np.flatnonzero(goes_on)
        order = ends.argsort(axis=1, kind="stable")[sources, :width]
        self._pick(Best(*(part[sources[:, None], order] for part in best)), torch.from_numpy(sources))

    def _least(self, row: int) -> float:
        """What a hypothesis must be better than to be among those that are over."""
        over, width = self._over[row], self._beam.width
        if len(over) < width:
            return -np.inf
        return over[-1].score if width > 1 else np.inf

    def texts(self, row: int) -> list[Hypothesis]:
        """The hypotheses of a source that are over, best first."""
        texts = []
        for over in self._over[row]:
            tokens, chances, place = [], [over.chance], over.parent
            for step in reversed(self._steps[: over.step]):
                at = step.rows[row]
                tokens.append(int(step.tokens[at, place]))
                chances.append(float(step.chances[at, place]))
                place = int(step.parents[at, place])
            texts.append(Hypothesis(tokens[::-1], over.score, chances[::-1]))
        return texts

    def _followed(self) -> Best:
        """What may follow, as many as `width` of which may be ends."""
        scores = self._reading.follow(self._last)
        self._bar(scores.logits)
        if self._owed is not None:
            self._settle(scores.logits.numpy(), self._owed)
        return scores.best(self._total, 2 * self._beam.width)

    def _bar(self, chances: Float[Tensor, "open width tokens"]) -> None:
        """Take away what must not follow: nothing is blank, too long, or says a run of sub-words twice."""
        kinds, barred = self._kinds, -torch.inf
        chances.index_fill_(2, self._never, barred)
        # A mark alone stands before letters that no sub-word begins with; a space and nothing would be a blank text.
        begun = kinds.bare[self._last]
        chances[..., END].masked_fill_(begun | (self._last == BEGIN), barred)
        # Every mask of all sub-words takes as long as a pass of the softmax, and hardly a step needs one.
        begins_none = begun if self._beam.words is None else begun | (self._words >= self._beam.words)
        if begins_none.any():
            chances.masked_fill_(begins_none[..., None] & kinds.begins, barred)
        for at, written in enumerate(self._written if self._beam.unrepeated else ()):
            for place, tokens in enumerate(written):
                chances[at, place, _repeating(tokens, self._beam.unrepeated)] = barred
        most = [self._longest[row] - len(self._steps) for row in self.rows]
        if min(most) <= 1:
            left = torch.tensor(most)[:, None, None]
            chances.masked_fill_((left == 1) & kinds.bare, barred)
            chances.masked_fill_((left == 0) & (torch.arange(chances.shape[2]) != END), barred)

    def _settle(
        self, logits: Float32[np.ndarray, "open width tokens"], owed: Int64[np.ndarray, "open width slots"]
    ) -> None:
        """Let every slot of a source be written as often as the source has it, and before a text ends.

        Where a text would end, what it owes comes first: the chance of the end is shared by that.
        """
        slots, each, total = self._kinds.slots.numpy(), owed > 0, owed.sum(2)
        share = logits[..., END] - np.log(each.sum(2).clip(1), dtype=np.float32)
        # Number by number, as `logaddexp` of NumPy goes: the bits of a text do not hang on its company.
        logits[..., slots] = np.where(each, np.logaddexp(logits[..., slots], share[..., None]), -np.inf)
        logits[..., END][total > 0] = -np.inf
        left = np.array([self._longest[row] - len(self._steps) for row in self.rows])[:, None]
        if (late := (total >= left) & (total > 0)).any():
            others = np.ones(logits.shape[2], dtype=bool)
            others[slots] = False
            logits[late[..., None] & others] = -np.inf

    def _pick(self, best: Best, sources: Int64[Tensor, " open"]) -> None:
        """Go on with these hypotheses of these sources."""
        width, numbers = self._last.shape[1], sources.tolist()
        if self._beam.unrepeated:
            self._written = [
                [[*self._written[at][parent], token] for parent, token in zip(parents, tokens, strict=True)]
                for at, parents, tokens in zip(numbers, best.parents.tolist(), best.tokens.tolist(), strict=True)
            ]
        parents, tokens = torch.from_numpy(best.parents), torch.from_numpy(best.tokens)
        begun = self._kinds.begins[tokens] | (not self._steps)  # the first sub-word begins one in any case
        self._words = self._words[sources].gather(1, parents) + begun
        if self._owed is not None:
            written = best.tokens[..., None] == self._kinds.slots.numpy()
            self._owed = self._owed[sources.numpy()[:, None], best.parents] - written
        self._reading.pick((sources[:, None] * width + parents).flatten())
        if len(numbers) < len(self.rows):
            self._reading.leave(sources)
            self.rows = [self.rows[at] for at in numbers]
        places = {row: at for at, row in enumerate(self.rows)}
        self._steps.append(_Step(places, best.parents, best.tokens, best.chances))
        self._total, self._last = best.worth, tokens


def _repeating(tokens: list[int], size: int) -> list[int]:
    """What would end a run of so many sub-words that is there already."""
    last = tuple(tokens[len(tokens) - size + 1 :])
    if len(tokens) < size:
        return []
    return [tokens[at + size - 1] for at in range(len(tokens) - size + 1) if tuple(tokens[at : at + size - 1]) == last]
