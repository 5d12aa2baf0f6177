"""The output layer over many tokens: an adaptive softmax (Grave et al. 2017) whose weights are the embeddings.

Tokens are numbered by how often they occur. The first ones, most of any text, are told apart in one softmax, together
with a place for each group of rarer ones; within a group there is a softmax of its own, which is computed for those
places of a text only where it is asked for. Rows of all groups are as wide as the embeddings (Press & Wolf 2017), so
that nothing is lost by the grouping but a few products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn


@dataclass(frozen=True)
class Output:
    """The output layer, laid out.

    Args:
        bounds: where groups of rarer tokens begin, and the end.
        head: the rows and the biases of the common tokens, and of each group's place.
        groups: those of the tokens of each group.
    """

    bounds: tuple[int, ...]
    head: tuple[Float[Tensor, "common width"], Float[Tensor, " common"]]
    groups: tuple[tuple[Tensor, Tensor], ...]

    def log_likelihood(
        self, features: Float[Tensor, "places width"], targets: Int64[Tensor, " places"]
    ) -> Float[Tensor, " places"]:
        """The logarithm of the probability of the token that came at each place."""
        logits = F.linear(features, *self.head)
        group = torch.bucketize(targets, torch.tensor(self.bounds), right=True)
        first = torch.where(group == 0, targets, self.bounds[0] - 1 + group)
        found = logits.gather(1, first[:, None]).squeeze(1) - logits.logsumexp(1)
        for number, (begin, own) in enumerate(zip(self.bounds, self.groups, strict=False), 1):
            places = (group == number).nonzero().squeeze(1)
            if len(places):
                inner = F.linear(features[places], *own)
                told = inner.gather(1, targets[places, None] - begin).squeeze(1) - inner.logsumexp(1)
                found = found.index_add(0, places, told)
        return found

    def log_probabilities(self, features: Float[Tensor, "places width"]) -> Float[Tensor, "places tokens"]:
        """The logarithm of the probability of every token at each place, of one place the bits of `log_likelihood`."""
        common, first = self.bounds[0], _logarithms(F.linear(features, *self.head))
        parts = [first[:, :common]]
        for number, own in enumerate(self.groups):
            parts.append(_logarithms(F.linear(features, *own)) + first[:, common + number, None])
        return torch.cat(parts, 1)

    def most_probable(
        self,
        features: Float[Tensor, "1 width"],
        barred: Int64[Tensor, " barred"],
        logits: Float[Tensor, " head"] | None = None,
    ) -> int:
        """The most probable token at a place.

        No token of a group is more probable than the group: those that are less so than a common token are left alone.

        Args:
            features: of the place.
            barred: common tokens that are not asked for.
            logits: what the head makes of the features, which is written over; None computes it.
        """
        common, logits = self.bounds[0], F.linear(features, *self.head)[0] if logits is None else logits
        logits[barred] = -torch.inf
        largest = logits[:common].max(0)
        best, token = float(largest.values), int(largest.indices)
        for number, (place, own) in enumerate(zip(logits[common:].tolist(), self.groups, strict=True)):
            if place > best:
                inner = (F.linear(features, *own).log_softmax(1)[0] + place).max(0)
                if float(inner.values) > best:
                    best, token = float(inner.values), self.bounds[number] + int(inner.indices)
        return token


def _logarithms(logits: Float[Tensor, "places tokens"]) -> Float[Tensor, "places tokens"]:
    """The logarithms of a softmax; `log_softmax` subtracts in another order, and so has other last bits."""
    return logits - logits.logsumexp(1, keepdim=True)


class AdaptiveSoftmax(nn.Module):
    """What the output layer has beside the embeddings.

    Args:
        width: of the embeddings.
        tokens: how many there are, numbered by how often they occur.
        cuts: where groups of rarer tokens begin, ascending; none is a plain softmax.
    """

    def __init__(self, width: int, tokens: int, cuts: tuple[int, ...]) -> None:
        super().__init__()
        self.bounds = (*cuts, tokens)
        self.groups = nn.Parameter(torch.zeros(len(cuts), width))
        self.bias = nn.Parameter(torch.zeros(tokens + len(cuts)))

    def forward(self, embeddings: Float[Tensor, "tokens width"]) -> Output:
        """The output layer with these embeddings."""
        sizes = [end - begin for begin, end in zip((0, *self.bounds), self.bounds, strict=False)]
        head, *rows = torch.split(embeddings, sizes)  # one operation, so that the gradient is put together once
        bias, *biases, places = torch.split(self.bias, [*sizes, len(self.groups)])
        return Output(
            self.bounds,
            (torch.cat([head, self.groups]), torch.cat([bias, places])),
            tuple(zip(rows, biases, strict=True)),
        )
