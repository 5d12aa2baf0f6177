"""The MinGRU: a GRU whose gates see the input alone.

Gate order: the rows of every weight and bias hold the update gate `z` and the candidate `n`.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter
from torch.nn.modules.rnn import RNNCellBase

from sluicegate.types import Cell, Span

from .beyond import BeyondTorch
from .step import Step


class MinGRU(BeyondTorch):
    """A minimal gated recurrent unit: its gates see the input alone, and nothing squashes the candidate.

        z = sigmoid(W_iz x + b_iz)
        n = W_in x + b_in
        h' = (1 - z) * h + z * n

    The gates of all steps are known before the first one is taken, so that training takes a fraction of a GRU's time,
    and keeps nothing but the outputs: there is no `checkpoint_every`, since nothing is left to save. What a GRU does by
    looking at its state, a MinGRU does with a second layer: `num_layers=2` or more is common.

    As in its paper, z writes: with z = 0 a unit keeps what it holds. In a GRU, as PyTorch has it, z keeps, so that the
    z here stands for 1 - z there.

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        num_layers: Layers, each reading the outputs of the one below.
        bias: Whether to have `b_i`.
        batch_first: Whether a batch is `[batch time input]` and not `[time batch input]`.
        dropout: The rate at which the outputs of all layers but the last are dropped in training.
        bidirectional: Whether to read every sequence from its end as well; outputs are then twice as wide.
        device: Where the parameters are.
        dtype: Of what type they are.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.

    The weights are `weight_ih_l0`, `[2*hidden_size input_size]`, the rows of z above those of n, and `bias_ih_l0`,
    `[2*hidden_size]`, and so on for each layer, with `_reverse` behind for the reverse direction. They are drawn as
    PyTorch draws a GRU's.

    Raises:
        ConfigError: `memory` is no such span, or there is no bias to set it with.

    Example:
        >>> layer = MinGRU(3, 5, num_layers=2, batch_first=True)
        >>> outputs, h = layer(torch.zeros(4, 7, 3), lengths=[7, 2, 5, 1])
        >>> outputs.shape, h.shape
        (torch.Size([4, 7, 5]), torch.Size([2, 4, 5]))
        >>> x = torch.randn(4, 6, 3)
        >>> whole, _ = layer(x)
        >>> first, h = layer(x[:, :2])
        >>> rest, h = layer(x[:, 2:], h)  # a stream goes on from the state, and gives the same bits
        >>> torch.equal(torch.cat([first, rest], 1), whole)
        True

    Paper: Feng et al. 2024, "Were RNNs All We Needed?", for the form without a logarithm. All the equations,
    explained: `sluicegate.ops.reference`.
    """

    kind: ClassVar[Cell] = "mingru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        memory: Span | None = None,
    ) -> None:
        self._begin_layers(
            device, dtype, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers, bias=bias,
            batch_first=batch_first, dropout=dropout, bidirectional=bidirectional,
        )  # fmt: skip
        self._configure_layers(memory=memory)


class MinGRUCell(Step, RNNCellBase):
    """A step of the MinGRU, for loops of one's own.

        z = sigmoid(W_iz x + b_iz)
        n = W_in x + b_in
        h' = (1 - z) * h + z * n

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i`.
        device: Where the parameters are.
        dtype: Of what type they are.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.

    Raises:
        ConfigError: `memory` is no such span, or there is no bias to set it with.

    Example:
        >>> cell = MinGRUCell(3, 5)
        >>> h = torch.zeros(2, 5)
        >>> for x in torch.zeros(7, 2, 3):
        ...     h = cell(x, h)
        >>> h.shape
        torch.Size([2, 5])

    Paper: Feng et al. 2024, as for `MinGRU`.
    """

    kind: ClassVar[Cell] = "mingru"
    in_torch: ClassVar[bool] = False

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        memory: Span | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=2, device="meta")
        for name, parameter in list(self.named_parameters()):
            delattr(self, name)
            if name.endswith("_ih"):
                self.register_parameter(name, Parameter(torch.empty(parameter.shape, device=device, dtype=dtype)))
        self.reset_parameters()
        self.configure([""], memory=memory)

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Float[Tensor, "*batch hidden"]:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state; zeros when not given.

        Returns:
            The new state.

        Raises:
            ConfigError: `input` or `hx` has another shape than these.
        """
        h: Tensor = self._run(self.by_reference, input, hx, None)
        return h
