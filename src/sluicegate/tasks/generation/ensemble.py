"""Several networks that write together: what may come next is the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from .averaging import together
from .decoder import Copies, Decoder, scored
from .network import Memory, Network, States
from .scores import Scores


class Ensemble(nn.Module):
    """All networks of a model; each has weights of its own and all have one shape."""

    def __init__(self, members: Iterable[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def laid_out(self) -> Writers:
        """The networks as search takes them, with the weights that they have now."""
        return Writers([Decoder(member) for member in self.members if isinstance(member, Network)])

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> Reading:
        """Read sources, as `Writers.read` does."""
        return self.laid_out().read(tokens, lengths)


@dataclass(frozen=True)
class Writers:
    """Networks laid out for search."""

    members: list[Decoder]

    def read(self, tokens: Int64[Tensor, "rows steps"], lengths: Int64[Tensor, " rows"]) -> Reading:
        """Read sources, of which texts are to be written.

        Args:
            tokens: of each, padded.
            lengths: of each, from 1 up.
        """
        return Reading(self.members, [member.read(tokens, lengths) for member in self.members])


class Reading:
    """What all networks read of some sources, and where they are in writing: hypotheses side by side for each source.

    Args:
        members: the networks.
        read: by each of the networks.
    """

    def __init__(self, members: list[Decoder], read: list[tuple[Memory, States]]) -> None:
        self._members = members
        self._memories = [memory for memory, _ in read]
        self._states = [states for _, states in read]
        self._copies = Copies.of(self._memories[0].tokens)
        self._sources = torch.arange(len(self._copies.tokens))

    def follow(self, tokens: Int64[Tensor, "rows beam"]) -> Scores:
        """Go on by one sub-word of each hypothesis: how probable each is that may come then."""
        found = []
        for number, (member, memory) in enumerate(zip(self._members, self._memories, strict=True)):
            written, self._states[number] = member.step(tokens, memory, self._states[number], self._sources)
            found.append(scored(written, self._copies))
        if len(found) == 1:
            return found[0]
        return Scores(together([one.logits - one.less[..., None] for one in found]), torch.zeros(tokens.shape))

    def pick(self, hypotheses: Int64[Tensor, " picked"]) -> None:
        """Go on with these hypotheses, numbered across the sources."""
        self._states = [states.take(hypotheses) for states in self._states]

    def leave(self, sources: Int64[Tensor, " left"]) -> None:
        """Go on with these sources alone; their hypotheses are picked beside."""
        self._sources, self._copies = self._sources[sources], self._copies.take(sources)
