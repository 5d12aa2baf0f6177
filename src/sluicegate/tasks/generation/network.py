"""The network that writes: a bidirectional encoder, and a conditional GRU that attends to it.

The decoder is that of Sennrich et al. 2017 ("Nematus"), in a form whose every product is batched over time: a first
layer reads all words written so far, attention answers all its states at once, and a second layer reads what was
found. What a step needs of the steps before it is in the states of the two layers, so that search goes word by word:
see `decoder.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sluicegate.nn.attention import AdditiveAttention
from sluicegate.nn.dropout import dropout_mask
from sluicegate.nn.layers import LAYERS
from sluicegate.nn.products import Linear, product
from sluicegate.types import Cell

from .subwords import PAD

State = Tensor | tuple[Tensor, Tensor]
"""Of a recurrent layer."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a network.

    Args:
        tokens: sub-words.
        embedding: the embedding dimension.
        hidden: units of the recurrent layers, in each direction.
        layers: recurrent layers of the encoder.
        cell: their kind.
        dropout: rate at which numbers of embedded words, of what the encoder read, of contexts and of the last layer
            are dropped in training.
        copies: whether the network may copy sub-words of the source (See et al. 2017).
    """

    tokens: int
    embedding: int
    hidden: int
    layers: int
    cell: Cell
    dropout: float
    copies: bool


class Memory(NamedTuple):
    """What the encoder read of some sources, and the states that the decoder begins with."""

    tokens: Int64[Tensor, "rows steps"]
    states: Float[Tensor, "rows steps memory"]
    keys: Float[Tensor, "rows steps hidden"]
    lengths: Int64[Tensor, " rows"]

    @property
    def beyond(self) -> Bool[Tensor, "rows steps"]:
        """Which steps are padding."""
        return torch.arange(self.tokens.shape[1])[None] >= self.lengths[:, None]


class States(NamedTuple):
    """The states of the decoder's two layers, `[rows units]` each; of an LSTM with its cell state."""

    first: State
    second: State

    def take(self, rows: Tensor) -> States:
        """Some of the rows."""
        return States(_taken(self.first, rows), _taken(self.second, rows))


class Written(NamedTuple):
    """What the decoder makes of the words so far, of which the probabilities of the next are made."""

    logits: Float[Tensor, "rows steps tokens"]
    weights: Float[Tensor, "rows steps memory_steps"]
    """Of the attention."""
    copying: Float[Tensor, "rows steps"] | None
    """The logit of copying from the source."""


class Network(nn.Module):
    """Reads sources, and writes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, units = shape.embedding, shape.hidden
        layer = LAYERS[shape.cell]
        self.embedding = nn.Embedding(shape.tokens, width, padding_idx=PAD)
        self.encoder = nn.ModuleList(
            layer(2 * units if number else width, units, batch_first=True, bidirectional=True)
            for number in range(shape.layers)
        )
        self.first = layer(width, units, batch_first=True)
        self.attention = AdditiveAttention(units, 2 * units, units)
        self.second = layer(3 * units, units, batch_first=True)
        self.begin = Linear(2 * units, 2 * units)
        self.last = Linear(3 * units + width, width)
        self.bias = nn.Parameter(torch.zeros(shape.tokens))
        self.copy = Linear(3 * units + width, 1) if shape.copies else None
        self.scale = 4.0  # embedded words have about unit size; as rows of the last product they are smaller
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        with torch.no_grad():
            self.embedding.weight[PAD] = 0.0

    def _dropped(self, x: Tensor, chance: torch.Generator | None) -> Tensor:
        if not self.training or self.shape.dropout == 0.0:
            return x
        return x * dropout_mask(tuple(x.shape), self.shape.dropout, chance)

    def _embedded(self, tokens: Int64[Tensor, "rows steps"], chance: torch.Generator | None) -> Tensor:
        return self._dropped(self.embedding(tokens) * self.scale, chance)

    def read(
        self,
        tokens: Int64[Tensor, "rows steps"],
        lengths: Int64[Tensor, " rows"],
        chance: torch.Generator | None = None,
    ) -> tuple[Memory, States]:
        """Read sources.

        Args:
            tokens: of each, padded.
            lengths: of each, from 1 up.
            chance: the source of dropout masks.
        """
        x = self.encoded(tokens, lengths, chance)
        memory = Memory(tokens, x, self.attention.keys(x), lengths)
        mean = x.masked_fill(memory.beyond[..., None], 0.0).sum(1) / lengths[:, None]
        return memory, self.states(torch.tanh(self.begin(mean)))

    def encoded(
        self,
        tokens: Int64[Tensor, "rows steps"],
        lengths: Int64[Tensor, " rows"],
        chance: torch.Generator | None = None,
    ) -> Float[Tensor, "rows steps memory"]:
        """What the encoder makes of sources, of which `read` is told."""
        x = self._embedded(tokens, chance)
        for number, layer in enumerate(self.encoder):
            found, _ = layer(x, lengths=lengths)
            x = self._dropped(found + x if number else found, chance)
        return x

    def states(self, begun: Float[Tensor, "rows both"]) -> States:
        """The states that the decoder begins with, of those of both layers side by side."""
        first, second = begun.chunk(2, 1)
        return States(self._state(first), self._state(second))

    def _state(self, h: Tensor) -> State:
        return (h, torch.zeros_like(h)) if self.shape.cell == "lstm" else h

    def write(
        self,
        tokens: Int64[Tensor, "rows steps"],
        memory: Memory,
        states: States,
        chance: torch.Generator | None = None,
    ) -> tuple[Written, States]:
        """Read words that were written, and find what may come after each.

        Args:
            tokens: of each row, the first being `BEGIN`.
            memory: what was read of the sources, a row for each.
            states: those before the words.
            chance: the source of dropout masks.
        """
        x = self._embedded(tokens, chance)
        seen, first = _run(self.first, x, states.first)
        context, weights = self.attention(seen, memory.keys, memory.states, memory.beyond)
        met = self._dropped(torch.cat([seen, context], 2), chance)
        thought, second = _run(self.second, met, states.second)
        features = torch.cat([thought, context, x], 2)
        last = self._dropped(torch.tanh(self.last(features)), chance)
        logits = product(last, self.embedding.weight, self.bias)
        copying = None if self.copy is None else self.copy(features).squeeze(2)
        return Written(logits, weights, copying), States(first, second)


def _run(layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
    """A layer of one direction from the states `[rows units]` on, and the states after."""
    if isinstance(state, tuple):
        h, c = state
        out, (h, c) = layer(x, (h[None], c[None]))
        return out, (h[0], c[0])
    out, h = layer(x, state[None])
    return out, h[0]


def _taken(state: State, rows: Tensor) -> State:
    return (state[0][rows], state[1][rows]) if isinstance(state, tuple) else state[rows]


def log_likelihood(
    written: Written, memory: Memory, targets: Int64[Tensor, "rows steps"], smoothing: float = 0.0
) -> Float[Tensor, "rows steps"]:
    """The logarithm of the probability of each target, with label smoothing: its mean with that of all sub-words.

    Args:
        written: what the decoder made of the words before.
        memory: what was read of the sources.
        targets: the sub-words that came.
        smoothing: the share of the mean over all sub-words (Szegedy et al. 2016).
    """
    all_told = written.logits.log_softmax(2)
    told, spread = all_told.gather(2, targets[..., None]).squeeze(2), all_told.mean(2)
    if written.copying is not None:
        same = memory.tokens[:, None] == targets[..., None]
        copied = (written.weights * same).sum(2)
        floor = torch.finfo(copied.dtype).tiny
        told = torch.logaddexp(
            F.logsigmoid(-written.copying) + told, F.logsigmoid(written.copying) + copied.clamp_min(floor).log()
        )
    return (1.0 - smoothing) * told + smoothing * spread


def log_probabilities(written: Written, memory: Memory) -> Float[Tensor, "rows steps tokens"]:
    """The logarithm of the probability of every sub-word, copied ones included."""
    if written.copying is None:
        return written.logits.log_softmax(2)
    gate = written.copying[..., None]
    found = written.logits.softmax(2).mul_(F.logsigmoid(-gate).exp())
    places = memory.tokens[:, None].expand(-1, found.shape[1], -1)
    found.scatter_add_(2, places, written.weights * F.logsigmoid(gate).exp())
    return found.clamp_min_(torch.finfo(found.dtype).tiny).log_()
