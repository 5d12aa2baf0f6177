"""Several networks that tell together what may come next: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from .network import Network


class Ensemble(nn.Module):
    """All networks of a model; each has weights of its own and all have one shape."""

    def __init__(self, members: Iterable[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def networks(self) -> list[Network]:
        """Each of them."""
        return [member for member in self.members if isinstance(member, Network)]
