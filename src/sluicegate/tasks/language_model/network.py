"""The network: embedded tokens, recurrent layers, and an output layer that shares the embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.nn.dropout import dropout_mask
from sluicegate.nn.layers import LAYERS
from sluicegate.types import Cell

from .softmax import AdaptiveSoftmax, Output

States: TypeAlias = tuple[Tensor | tuple[Tensor, Tensor], ...]
"""Of each recurrent layer, as the layer takes and returns it."""

_SCALE = 4.0  # embedded tokens have about unit size; as rows of the output layer they are smaller


@dataclass(frozen=True)
class Shape:
    """The sizes of a network.

    Args:
        tokens: how many there are, numbered by how often they occur.
        cuts: where groups of rarer tokens begin in the output layer, ascending.
        embedding: the embedding dimension.
        hidden: units of each recurrent layer.
        layers: recurrent layers.
        cell: their kind.
        dropout: rate at which numbers of embedded tokens, between layers, and of the last one are dropped in training.
    """

    tokens: int
    cuts: tuple[int, ...]
    embedding: int
    hidden: int
    layers: int
    cell: Cell
    dropout: float


class Network(nn.Module):
    """Reads tokens, and tells what may come next."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, units = shape.embedding, shape.hidden
        self.embedding = nn.Embedding(shape.tokens, width)
        self.layers = nn.ModuleList(
            LAYERS[shape.cell](units if number else width, units, batch_first=True) for number in range(shape.layers)
        )
        self.last = nn.Linear(units, width)
        self.softmax = AdaptiveSoftmax(width, shape.tokens, shape.cuts)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)

    def embedded(self, tokens: Int64[Tensor, "*places"]) -> Float[Tensor, "*places width"]:
        """What the first layer reads."""
        found: Tensor = self.embedding(tokens) * _SCALE
        return found

    def said(
        self,
        tokens: Int64[Tensor, "rows steps"],
        states: States | None = None,
        chance: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "rows steps units"], States]:
        """Read tokens, and find what the last recurrent layer says after each.

        In training numbers are dropped, the same ones at every step of a row (Gal & Ghahramani 2016).

        Args:
            tokens: of each row.
            states: those before the tokens; None are zeros.
            chance: the source of dropout masks.

        Returns:
            What it says, and the states after.
        """
        x = self._dropped(self.embedded(tokens), chance)
        after = []
        for number, layer in enumerate(self.layers):
            x, state = layer(x, None if states is None else states[number])
            x = self._dropped(x, chance)
            after.append(state)
        return x, tuple(after)

    def read(
        self,
        tokens: Int64[Tensor, "rows steps"],
        states: States | None = None,
        chance: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "rows steps width"], States]:
        """The same, up to what the output layer is given."""
        x, after = self.said(tokens, states, chance)
        return self._dropped(self.last(x), chance), after

    def output(self) -> Output:
        """The output layer, with the weights that there are now."""
        found: Output = self.softmax(self.embedding.weight)
        return found

    def _dropped(self, x: Float[Tensor, "rows steps width"], chance: torch.Generator | None) -> Tensor:
        if not self.training or self.shape.dropout == 0.0:
            return x
        return x * dropout_mask((len(x), 1, x.shape[2]), self.shape.dropout, chance)
