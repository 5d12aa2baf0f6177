"""Several networks that write together: what may come next is the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .averaging import together
from .network import Memory, Network, States, log_probabilities


class Ensemble(nn.Module):
    """All networks of a model; each has weights of its own and all have one shape."""

    def __init__(self, members: Iterable[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> Reading:
        """Read sources, of which texts are to be written.

        Args:
            tokens: of each, padded.
            lengths: of each, from 1 up.
        """
        members = [member for member in self.members if isinstance(member, Network)]
        return Reading(members, [member.read(tokens, lengths) for member in members])


class Reading:
    """What all networks read of some sources, and where they are in writing: hypotheses side by side for each source.

    Args:
        members: the networks.
        read: by each of them.
    """

    def __init__(self, members: list[Network], read: list[tuple[Memory, States]]) -> None:
        self._members = members
        self._memories = [memory for memory, _ in read]
        self._states = [states for _, states in read]

    def follow(
        self, tokens: Int64[Tensor, "rows beam"]
    ) -> tuple[Float[Tensor, "rows beam tokens"], Float[Tensor, "rows beam steps"]]:
        """Go on by one sub-word of each hypothesis.

        Returns:
            The logarithm of the probability of each sub-word that may come then, and the weights of the attention.
        """
        chances, weights = [], []
        for number, (member, memory) in enumerate(zip(self._members, self._memories, strict=True)):
            written, self._states[number] = member.step(tokens, memory, self._states[number])
            chances.append(log_probabilities(written, memory))
            weights.append(written.weights)
        return together(chances), weights[0] if len(weights) == 1 else torch.stack(weights).mean(0)

    def pick(self, hypotheses: Int64[Tensor, " picked"]) -> None:
        """Go on with these hypotheses, numbered across the sources."""
        self._states = [states.take(hypotheses) for states in self._states]

    def leave(self, sources: Int64[Tensor, " left"]) -> None:
        """Go on with these sources alone; their hypotheses are picked beside."""
        self._memories = [memory.take(sources) for memory in self._memories]
