"""The network: a bidirectional recurrent layer, pooled by attention and maximum, beside a linear path.

In small tables convolutions over neighbouring words stand beside the recurrent layer.
A fit builds the networks around the ensemble that all classifiers share, lets them begin, and comes back in every step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.data.words import Capitals
from sluicegate.nn.layers import LAYERS
from sluicegate.nn.products import Linear
from sluicegate.runtime.texts.linear import summed
from sluicegate.runtime.texts.shape import FILTERS as FILTERS
from sluicegate.runtime.texts.shape import Shape as Shape
from sluicegate.tasks.classification import networks
from sluicegate.tasks.classification.networks import kept, padding, pooled

from .corpus import Batch
from .spelling import Spelling

_CAPITALS, _NGRAMS = 0.1, 0.3  # the size of what is added to a word's embedding at the start


class Spelled(nn.Module):
    """What the letters of a word add to its embedding, learnt from all words with the same character n-grams.

    Args:
        spelling: the n-grams of each token.
        width: the embedding dimension.
    """

    def __init__(self, spelling: Spelling, width: int) -> None:
        super().__init__()
        self.runs = nn.Embedding(spelling.count, width)  # so called in checkpoints
        nn.init.normal_(self.runs.weight, std=_NGRAMS)
        self.register_buffer("values", torch.from_numpy(spelling.ngrams.values.astype(np.int64)), persistent=False)
        self.register_buffer("bounds", torch.from_numpy(spelling.ngrams.bounds), persistent=False)

    def forward(self, tokens: Int64[Tensor, "*shape"]) -> Float[Tensor, "*shape width"]:
        """The mean over the n-grams of each token."""
        assert isinstance(self.values, Tensor)
        assert isinstance(self.bounds, Tensor)
        distinct, place = tokens.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        lengths = self.bounds[distinct + 1] - self.bounds[distinct]
        begins = lengths.cumsum(0) - lengths
        places = torch.repeat_interleave(self.bounds[distinct] - begins, lengths) + torch.arange(int(lengths.sum()))
        mean = F.embedding_bag(self.values[places], self.runs.weight, begins, mode="mean")
        found: Tensor = F.embedding(place, mean)
        return found


class Member(nn.Module):
    """One of the networks."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.tokens, shape.embedding, padding_idx=0)
        self.capitals: nn.Embedding | None = None
        if shape.capitals:
            self.capitals = nn.Embedding(len(Capitals), shape.embedding, padding_idx=Capitals.NONE)
            with torch.no_grad():
                self.capitals.weight.mul_(_CAPITALS)
        self.spelling: Spelled | None = None
        self.recurrent = LAYERS[shape.cell](
            shape.embedding, shape.hidden, shape.layers, batch_first=True, bidirectional=True
        )
        self.attention = Linear(2 * shape.hidden, 1)
        self.convolutions = nn.ModuleList(Linear(size * shape.embedding, FILTERS) for size in shape.windows)
        self.output = Linear(shape.pooled, shape.classes)
        # What each word or pair adds to each class at the start, and how far training has moved that.
        self.wide = nn.Parameter(torch.zeros(shape.grams + 1, shape.classes))
        self.register_buffer("ratio", torch.ones(shape.grams + 1, shape.classes), persistent=False)

    def forward(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows classes"]:
        """The logits of each class; dropout masks are drawn by the generator `chance`."""
        return self.read(batch, self.embed(batch, chance), chance) + self.linear(batch)

    def embed(self, batch: Batch, chance: torch.Generator | None = None) -> Float[Tensor, "rows tokens embedding"]:
        """Embedded words; in training some words are dropped, and the words of a text share one dropout mask."""
        x: Tensor = self.embedding(batch.tokens)
        if self.spelling is not None:
            x = x + self.spelling(batch.tokens)
        if self.capitals is not None:
            x = x + self.capitals(batch.capitals)
        if self.training:
            rows, steps, width = x.shape
            words = torch.rand(rows, steps, 1, generator=chance) >= self.shape.word_dropout
            x = x * (words * kept((rows, 1, width), self.shape.dropout, chance))
        return x

    def read(
        self, batch: Batch, x: Float[Tensor, "rows tokens embedding"], chance: torch.Generator | None = None
    ) -> Float[Tensor, "rows classes"]:
        """The recurrent path, and that of the convolutions."""
        states, _ = self.recurrent(x, lengths=batch.lengths)
        beyond = padding(batch.lengths, x.shape[1])
        found = [F.relu(filtered).masked_fill(beyond[..., None], 0.0).amax(1) for filtered in self.convolved(x)]
        features = torch.cat([*pooled(states, self.attention(states), batch.lengths), *found], 1)
        if self.training:
            features = features * kept(features.shape, self.shape.dropout, chance)
        logits: Tensor = self.output(features)
        return logits

    def convolved(self, x: Float[Tensor, "rows tokens embedding"]) -> Iterator[Float[Tensor, "rows tokens filters"]]:
        """What each convolution makes of the words around each word (Kim 2014), zeros beyond the text."""
        for size, convolution in zip(self.shape.windows, self.convolutions, strict=True):
            around = F.pad(x, (0, 0, (size - 1) // 2, size // 2))
            yield convolution(torch.cat([around[:, i : i + x.shape[1]] for i in range(size)], 2))

    def linear(self, batch: Batch) -> Float[Tensor, "rows classes"]:
        """The linear path, for the words and pairs that occur."""
        assert isinstance(self.ratio, Tensor)
        weights = self.wide * self.ratio
        if torch.is_grad_enabled():
            return F.embedding_bag(batch.grams, weights, batch.bounds, mode="sum")
        return torch.from_numpy(summed(weights.numpy(), batch.grams.numpy(), batch.bounds.numpy()))


class Ensemble(networks.Ensemble):
    """All networks."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(Member(shape) for _ in range(shape.members))
        self.shape = shape

    @torch.no_grad()
    def begin(self, vectors: Float[Tensor, "tokens embedding"], spelling: Spelling | None) -> None:
        """Let the words of all networks start from these, and learn from words that are spelled like them."""
        for member in self.members:
            assert isinstance(member, Member)
            member.embedding.weight.copy_(vectors)
            member.embedding.weight[0] = 0.0
            if spelling is not None:
                member.spelling = Spelled(spelling, self.shape.embedding)

    @torch.no_grad()
    def finish(self) -> None:
        """Put into the weights what took part in training alone: log-count ratios, and how words are spelled."""
        for member in self.members:
            assert isinstance(member, Member)
            assert isinstance(member.ratio, Tensor)
            member.wide.copy_(member.wide * member.ratio)
            member.ratio = torch.ones_like(member.wide)
            if member.spelling is not None:
                member.embedding.weight.add_(member.spelling(torch.arange(self.shape.tokens)))
                member.spelling = None
