"""How probable texts are, token by token: as they are read, with a memory of what was read, or with going on learning.

The memory is the continuous cache of Grave et al. 2017, "Improving neural language models with a continuous cache":
what came after places that were like this one is mixed into what may come,

    p(w) = (1 - share) p_network(w) + share * sum_i softmax_i(sharpness h · h_i) [w came after place i].

To go on learning is the dynamic evaluation of Krause et al. 2018, "Dynamic evaluation of neural sequence models": each
piece of a text is told first, and then a step of gradient descent is taken along its loss, with the weights drawn back
to those of training.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import tee
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn

from sluicegate.tasks.generation.averaging import together
from sluicegate.training.tbptt import detached

from .corpus import Tokens
from .network import Network, States
from .reading import Reader

_AT_ONCE = 512  # tokens that are read at once, so that a text of any length takes little memory
_LEARNT = 64  # tokens of a piece that is learnt from
_BACK = 0.002  # how far the weights are drawn back after each piece
_CLIP = 1.0

Told = Iterator[tuple[Float[Tensor, "places units"], Float[Tensor, " places"], Int64[Tensor, " places"]]]
"""Piece by piece of a text: what the last layer says before each token, the logarithm of its probability, and what it
is."""


class Cache(NamedTuple):
    """How what came after like places is mixed in."""

    size: int
    """Places that are remembered."""
    sharpness: float
    """How much more a like place counts."""
    share: float
    """Of the memory in what may come, from 0 to below 1."""


def log_likelihood(
    networks: Sequence[Network], tokens: Tokens, *, singly: bool = False, cache: Cache | None = None, rate: float = 0.0
) -> Float64[np.ndarray, " tokens"]:
    """The logarithm of the probability of each token of some texts, given those of its text before.

    Args:
        networks: tell together.
        tokens: of the texts.
        singly: whether each place is computed for itself, so that it has the same bits in any company.
        cache: a memory of what was read of a text; None is none.
        rate: the learning rate of going on learning within a text; 0 is none.
    """
    reader, found = Reader(networks), []
    for number in range(len(tokens.texts)):
        values = tokens.streams.values[tokens.streams.bounds[number] : tokens.streams.bounds[number + 1]]
        stream = torch.from_numpy(values.astype(np.int64))
        told = _learning(networks, stream, rate) if rate else _reading(reader, stream, singly)
        for chances in (told_of[1] for told_of in told) if cache is None else _remembering(told, cache):
            found.append(chances.double().numpy())
    return np.concatenate(found) if found else np.empty(0)


def fitted_cache(networks: Sequence[Network], tokens: Tokens, size: int, most: int) -> Cache:
    """The cache that tells the beginning of some texts best, of a few.

    Args:
        networks: tell together.
        tokens: of the texts.
        size: places that are remembered.
        most: tokens that are looked at.
    """
    reader, said, chances, targets = Reader(networks), [], [], []
    stream = torch.from_numpy(tokens.streams.values[: most + 1].astype(np.int64))
    for one, chance, came in _reading(reader, stream, singly=False):
        said.append(one)
        chances.append(chance)
        targets.append(came)
    best, found = -np.inf, Cache(size, _SHARPNESS[0], 0.0)
    for sharpness in _SHARPNESS:
        remembered = torch.cat([*_matches(zip(said, chances, targets, strict=True), size, sharpness)])
        for share in _SHARES:
            worth = float(_mixed(torch.cat(chances), remembered, share).double().mean())
            if worth > best:
                best, found = worth, Cache(size, sharpness, share)
    return found


_SHARPNESS, _SHARES = (0.1, 0.3, 1.0), (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def _reading(reader: Reader, stream: Int64[Tensor, " steps"], singly: bool) -> Told:
    reading = reader.begin()
    for begin in range(0, len(stream) - 1, _AT_ONCE):
        piece = stream[begin : begin + _AT_ONCE + 1]
        said, reading = reader.read(piece[:-1, None], reading)
        yield said[:, 0], reader.score(said[:, 0], piece[1:], singly=singly), piece[1:]


def _learning(networks: Sequence[Network], stream: Int64[Tensor, " steps"], rate: float) -> Told:
    for several in zip(*(_learning_alone(network, stream, rate) for network in networks), strict=True):
        said, chances, came = zip(*several, strict=True)
        yield torch.cat(said, 1), together(chances), came[0]


def _learning_alone(network: Network, stream: Int64[Tensor, " steps"], rate: float) -> Told:
    learner, states = copy.deepcopy(network).eval(), None
    weights: list[Tensor] = list(learner.parameters())
    before = [weight.detach().clone() for weight in weights]
    for begin in range(0, len(stream) - 1, _LEARNT):
        piece = stream[begin : begin + _LEARNT + 1]
        said, chances, states = _told(learner, piece, states)
        gradient = torch.autograd.grad(-chances.mean(), weights)
        norm = float(nn.utils.get_total_norm(gradient, foreach=True))
        with torch.no_grad():
            torch._foreach_add_(weights, gradient, alpha=-rate * min(1.0, _CLIP / max(norm, 1e-12)))
            torch._foreach_lerp_(weights, before, _BACK)
        yield said, chances.detach(), piece[1:]


def _told(network: Network, piece: Int64[Tensor, " steps"], states: States | None) -> tuple[Tensor, Tensor, States]:
    said, states = network.said(piece[None, :-1], states)
    chances = network.output().log_likelihood(network.last(said[0]), piece[1:])
    return said[0].detach(), chances, detached(states)


def _remembering(told: Told, cache: Cache) -> Iterator[Float[Tensor, " places"]]:
    first, second = tee(told)
    for (_, chances, _), remembered in zip(first, _matches(second, cache.size, cache.sharpness), strict=True):
        yield _mixed(chances, remembered, cache.share)


def _mixed(chances: Tensor, remembered: Tensor, share: float) -> Tensor:
    """The network's probability and the memory's, mixed; -1 stands for no memory yet."""
    mixed = ((1 - share) * chances.exp() + share * remembered).log()
    return torch.where(remembered < 0, chances, mixed)


def _matches(told: Told, size: int, sharpness: float) -> Iterator[Float[Tensor, " places"]]:
    """The probability of each token by the memory of the places before; -1 where there are none."""
    keys, words = None, None
    for said, _, targets in told:
        keys = said if keys is None else torch.cat([keys[-size:], said])
        words = targets if words is None else torch.cat([words[-size:], targets])
        place = len(keys) - len(said) + torch.arange(len(said))[:, None]
        other = torch.arange(len(keys))[None]
        likeness = sharpness * (said @ keys.T)
        likeness.masked_fill_((other >= place) | (other < place - size), -torch.inf)
        found = (likeness.softmax(1) * (words[None] == targets[:, None])).sum(1)
        yield torch.where(place[:, 0] > 0, found, -1.0)
