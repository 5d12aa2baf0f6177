"""How texts go on: by the most probable tokens, by search, or by chance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sluicegate.tasks.generation.scores import Scores
from sluicegate.tasks.generation.search import Beam, search
from sluicegate.tasks.generation.subwords import BEGIN, END, PAD

from .reading import Reading
from .trained import Trained

_TOKENS = 12  # of a word, at most: so that a text ends
_LIKELY = 512  # tokens that are looked at first
_BARRED = torch.tensor([PAD, BEGIN])


@dataclass(frozen=True)
class Chance:
    """How tokens are drawn.

    Args:
        temperature: what log-probabilities are divided by: below 1 what is probable becomes more so; 0 takes the most
            probable one.
        top_k: how many tokens may be drawn, the most probable ones; None for all.
        top_p: the probability that those which may be drawn have together, the most probable ones; 1 for all.
        seed: of the draws.
    """

    temperature: float
    top_k: int | None
    top_p: float
    seed: int


def drawn(trained: Trained, text: str, chance: Chance, words: int) -> list[int]:
    """What follows a text, token by token: to the end of the line, or so many words.

    Args:
        trained: the model.
        text: what stands before.
        chance: how tokens are drawn.
        words: at most, from 1 up.
    """
    generator = torch.Generator().manual_seed(chance.seed)
    reader, begun = trained.reader, 0
    written: list[int] = []
    push = reader.open()
    said = push(trained.prompt(text))
    while len(written) < words * _TOKENS:
        barred = _BARRED if written else torch.cat([_BARRED, torch.tensor([END])])
        if chance.temperature == 0:
            token = reader.most_probable(said, barred)
        else:
            token = _draw(reader.next(said), barred, chance, generator)
        begun += bool(trained.subwords.kinds.begins[token]) or not written
        if token == END or begun > words:
            break
        written.append(token)
        said = push(torch.tensor([token]))
    return written


def _draw(chances: Float[Tensor, " tokens"], barred: Tensor, chance: Chance, generator: torch.Generator) -> int:
    weights = chances.clone()
    weights[barred] = -torch.inf
    weights = (weights / chance.temperature).softmax(0)
    several = len(weights) if chance.top_k is None else min(chance.top_k, len(weights))
    best = weights.topk(min(several, _LIKELY))
    total = 1.0 if chance.top_k is None else float(weights.topk(several).values.sum())
    if len(best.values) < several and float(best.values.sum()) < chance.top_p * total:
        best = weights.topk(several)  # in few places: to sort them all takes longer than to compute them
    kept = int((best.values.cumsum(0) < chance.top_p * total).sum()) + 1
    return int(best.indices[torch.multinomial(best.values[:kept], 1, generator=generator)])


def searched(trained: Trained, text: str, width: int, words: int) -> list[int]:
    """The most probable that follows a text to the end of the line or for so many words, as far as a search finds it.

    Args:
        trained: the model.
        text: what stands before.
        width: hypotheses side by side.
        words: at most, from 1 up.
    """
    prompt = trained.prompt(text)
    beam = Beam(width, penalty=1.0, factor=0.0, further=words * _TOKENS, words=words)
    found = search(_Searched(trained), prompt[None], torch.tensor([len(prompt)]), beam, trained.subwords.kinds)
    return found[0][0].tokens


class _Searched:
    """What a search asks of a language model: a single prompt, and what follows it."""

    def __init__(self, trained: Trained) -> None:
        self._reader = trained.reader
        self._reading: Reading = ()
        self._said: Tensor | None = None

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> _Searched:
        del lengths
        said, self._reading = self._reader.read(tokens.T, self._reader.begin())
        self._said = said[-1]
        return self

    def follow(self, tokens: Int64[Tensor, "rows beam"]) -> Scores:
        if self._said is None:
            said, self._reading = self._reader.read(tokens, self._reading)
            self._said = said[0]
        chances = torch.stack([self._reader.next(one[None]) for one in self._said])
        self._said = None
        return Scores(chances[None], torch.zeros(1, len(chances)))

    def pick(self, hypotheses: Int64[Tensor, " picked"]) -> None:
        rows = hypotheses.numpy()
        self._reading = tuple(tuple(part[:, rows] for part in state) for state in self._reading)

    def leave(self, sources: Int64[Tensor, " left"]) -> None:
        del sources
