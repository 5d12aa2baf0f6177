"""Attention of a decoder to what an encoder read."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sluicegate.ops import writing

from .products import Linear


class AdditiveAttention(nn.Module):
    """Additive attention: a memory is weighed by a small network that sees each of its steps beside a query.

    `score(q, k) = v · tanh(W q + U k)`, the weights being their softmax over the steps of the memory (Bahdanau, Cho and
    Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015). The queries of many
    steps are answered at once, as long as none depends on an answer.

    Args:
        query_size: numbers of a query.
        memory_size: numbers of a step of the memory.
        hidden_size: units of the small network.

    >>> attention = AdditiveAttention(4, 6, 8)
    >>> memory, query = torch.zeros(2, 5, 6), torch.zeros(2, 3, 4)
    >>> context, weights = attention(query, attention.keys(memory), memory)
    >>> context.shape, weights.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 3, 5]))
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_memory = Linear(memory_size, hidden_size, bias=False)
        self.of_query = Linear(query_size, hidden_size)
        self.score = Linear(hidden_size, 1, bias=False)

    def keys(self, memory: Float[Tensor, "batch steps memory"]) -> Float[Tensor, "batch steps hidden"]:
        """What the scores take of a memory; it is the same for all queries."""
        keys: Tensor = self.of_memory(memory)
        return keys

    def forward(
        self,
        query: Float[Tensor, "batch queries query"],
        keys: Float[Tensor, "batch steps hidden"],
        memory: Float[Tensor, "batch steps memory"],
        beyond: Bool[Tensor, "batch steps"] | None = None,
    ) -> tuple[Float[Tensor, "batch queries memory"], Float[Tensor, "batch queries steps"]]:
        """Answer queries.

        Args:
            query: `[batch queries query_size]`.
            keys: what `keys` made of the memory.
            memory: `[batch steps memory_size]`.
            beyond: which steps of the memory are padding, at its end; a row must have one that is none.

        Returns:
            The weighed means of the memory, `[batch queries memory_size]`, and the weights, `[batch queries steps]`,
            which sum to 1 over the steps and are 0 at padding. Where no gradient is wanted, those of a row have the
            same bits in any company.
        """
        if not torch.is_grad_enabled() and writing.computed(query, keys, memory):
            rows, steps = memory.shape[:2]
            lengths = torch.full((rows,), steps) if beyond is None else (~beyond).sum(1)
            return writing.attend(self.of_query(query), keys, memory, self.score.weight[0], torch.arange(rows), lengths)
        seen = torch.tanh(keys[:, None] + self.of_query(query)[:, :, None])
        scores: Tensor = self.score(seen).squeeze(-1)
        if beyond is not None:
            scores = scores.masked_fill(beyond[:, None], -torch.inf)
        weights = scores.softmax(-1)
        return weights @ memory, weights
