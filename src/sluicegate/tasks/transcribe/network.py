"""The network: a light convolution that looks back, recurrent layers, and the probabilities of tokens.

    f_t = relu(W [x_(t-2), x_(t-1), x_t] + b)
    u_1 = f,   u_(k+1) = u_k + GRU_k(LN(u_k))          the first layer is not added to what it reads
    y_t = log softmax(V LN(u_K) + c)

A network of one direction has at every frame the same bits, however the frames before are cut and whatever is read
beside them: all its products are those of `sluicegate.nn.products`, its layers the kernels', and all else is done
within a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sluicegate.nn.dropout import dropout_mask
from sluicegate.nn.layers import LAYERS
from sluicegate.nn.products import Linear
from sluicegate.types import Cell

CONTEXT = 3
"""Frames that the convolution looks at: the present one and those before."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a network.

    Args:
        values: of a frame.
        tokens: with the blank.
        hidden: units of each recurrent layer, in each direction.
        layers: recurrent layers.
        cell: their kind.
        dropout: rate at which numbers between layers are dropped in training.
        streaming: whether the layers read one way.
    """

    values: int
    tokens: int
    hidden: int
    layers: int
    cell: Cell
    dropout: float
    streaming: bool


class State(NamedTuple):
    """How far recordings side by side were read, by a network of one direction."""

    seen: Float[Tensor, "rows context values"]
    """The frames that the convolution still looks at."""
    layers: tuple[Tensor | tuple[Tensor, Tensor], ...]
    """The states of the recurrent layers, as these take and return them."""


class Network(nn.Module):
    """Reads frames, and tells what is said in each."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.hidden * (1 if shape.streaming else 2)
        self.front = Linear(CONTEXT * shape.values, width)
        self.layers = nn.ModuleList(
            LAYERS[shape.cell](width, shape.hidden, batch_first=True, bidirectional=not shape.streaming)
            for _ in range(shape.layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(shape.layers + 1))
        self.output = Linear(width, shape.tokens)

    def begin(self, rows: int) -> State:
        """Nothing was read yet."""
        shape = self.shape
        zeros = torch.zeros(1, rows, shape.hidden)
        state: Tensor | tuple[Tensor, Tensor] = (zeros, zeros) if shape.cell == "lstm" else zeros
        return State(torch.zeros(rows, CONTEXT - 1, shape.values), (state,) * shape.layers)

    def forward(
        self,
        frames: Float[Tensor, "rows frames values"],
        lengths: Int64[Tensor, " rows"] | None = None,
        chance: torch.Generator | None = None,
    ) -> Float[Tensor, "rows frames tokens"]:
        """The logarithms of the probabilities of the tokens in each frame.

        Args:
            frames: of each recording, padded.
            lengths: of each; None where nothing is padded.
            chance: the source of dropout masks.
        """
        x = self._fronted(F.pad(frames, (0, 0, CONTEXT - 1, 0)), chance)
        for number, layer in enumerate(self.layers):
            found, _ = layer(self.norms[number](x), lengths=lengths)
            x = self._joined(number, x, found, chance)
        return self._told(x)

    def read(
        self, frames: Float[Tensor, "rows frames values"], state: State
    ) -> tuple[Float[Tensor, "rows frames tokens"], State]:
        """The same of the next frames of recordings, and how far these are read then."""
        seen, after = torch.cat([state.seen, frames], 1), []
        x = self._fronted(seen, None)
        for number, layer in enumerate(self.layers):
            found, one = layer(self.norms[number](x), state.layers[number])
            x = self._joined(number, x, found, None)
            after.append(one)
        return self._told(x), State(seen[:, -(CONTEXT - 1) :], tuple(after))

    def _fronted(self, seen: Tensor, chance: torch.Generator | None) -> Tensor:
        return self._dropped(F.relu(self.front(seen.unfold(1, CONTEXT, 1).transpose(2, 3).flatten(2))), chance)

    def _joined(self, number: int, x: Tensor, found: Tensor, chance: torch.Generator | None) -> Tensor:
        found = self._dropped(found, chance)
        return found + x if number else found

    def _told(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.output(self.norms[-1](x)), 2)

    def _dropped(self, x: Tensor, chance: torch.Generator | None) -> Tensor:
        if not self.training or self.shape.dropout == 0.0:
            return x
        return x * dropout_mask(tuple(x.shape), self.shape.dropout, chance)
