"""The cells: one step of a GRU, LSTM or RNN, for loops of one's own."""

from __future__ import annotations

from typing import ClassVar, TypeAlias, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from sluicegate.types import Activation, Cell, Precision, RecurrentInit, Reset, Span

from .options import check_choice
from .step import Step

Pair: TypeAlias = tuple[Float[Tensor, "*batch hidden"], Float[Tensor, "*batch hidden"]]
"""The state of the LSTM, `(h, c)`."""


class GRUCell(Step, torch.nn.GRUCell):
    """A step of the GRU: `torch.nn.GRUCell` with the same parameters, and more to choose from.

        r, z = sigmoid(W_i x + b_i + W_h h + b_h)     each with its own rows of W and b
        n = φ(W_in x + b_in + r * (W_hn h + b_hn))    reset="after"
        n = φ(W_in x + b_in + W_hn (r * h) + b_hn)    reset="before"
        h' = (1 - z) * n + z * h

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        device: Where the parameters are.
        dtype: Of what type they are.
        reset: `"after"` or `"before"`, as in `GRU`.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `GRU`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = GRUCell(3, 5, recurrent_dropout=0.2)
        >>> h = torch.zeros(2, 5)
        >>> mask = cell.recurrent_mask(h)
        >>> for x in torch.zeros(7, 2, 3):
        ...     h = cell(x, h, mask=mask)
        >>> h.shape
        torch.Size([2, 5])

    Paper: Cho et al. 2014, as for `GRU`.
    """

    kind: ClassVar[Cell] = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        reset: Reset = "after",
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)
        self.configure(
            [""],
            reset=reset,
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Float[Tensor, "*batch hidden"] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Float[Tensor, "*batch hidden"]:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h: Tensor = self._run(super().forward, input, hx, mask)
        return h


class LSTMCell(Step, torch.nn.LSTMCell):
    """A step of the LSTM: `torch.nn.LSTMCell` with the same parameters, and more to choose from.

        i, f, o = sigmoid(W_i x + b_i + W_h h + b_h)    each with its own rows of W and b
        g = φ(W_ig x + b_ig + W_hg h + b_hg)
        c' = f * c + i * g
        h' = o * φ(c')

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        device: Where the parameters are.
        dtype: Of what type they are.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `LSTM`, and the cell state.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        forget_bias: What the biases of the forget gates begin at; 1 is common (Jozefowicz et al. 2015).
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> h, c = cell(torch.zeros(2, 3))
        >>> h, c = cell(torch.zeros(2, 3), (h, c))
        >>> h.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))

    Paper: Hochreiter & Schmidhuber 1997, as for `LSTM`.
    """

    kind: ClassVar[Cell] = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        forget_bias: float | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)
        self.configure(
            [""],
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            forget_bias=forget_bias,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Pair | list[Tensor] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Pair:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state `(h, c)`; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state `(h, c)`.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h, c = self._run(super().forward, input, hx, mask)
        return h, c


class RNNCell(Step, torch.nn.RNNCell):
    """A step of the RNN: `torch.nn.RNNCell` with the same parameters, and more to choose from.

        h' = φ(W_i x + b_i + W_h h + b_h)

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        bias: Whether to have `b_i` and `b_h`.
        nonlinearity: φ, `"tanh"` or `"relu"`.
        device: Where the parameters are.
        dtype: Of what type they are.
        recurrent_dropout: The rate at which units of the state are dropped in training; see `mask` of `forward`.
        layer_norm: Whether to normalise the products, as in `RNN`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        memory: None: there are no gates to keep one.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix (Saxe et al. 2014), which neither
            swells nor shrinks what it passes on; `"identity"`, of a ReLU RNN, with the identity and no biases, so that
            it sums up what it reads (Le et al. 2015); `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> cell = RNNCell(3, 5, nonlinearity="relu")
        >>> cell(torch.zeros(2, 3)).shape
        torch.Size([2, 5])

    Paper: Elman 1990, as for `RNN`.
    """

    kind: ClassVar[Cell] = "rnn"

    def nonlinear(self) -> Activation:
        """Name the activation, which has a word of its own here."""
        return self.nonlinearity  # type: ignore[return-value]  # the kernels refuse another

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Activation = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        check_choice("nonlinearity", nonlinearity, get_args(Activation))
        super().__init__(input_size, hidden_size, bias, nonlinearity, device=device, dtype=dtype)
        self.configure(
            [""],
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            memory=memory,
            recurrent_init=recurrent_init,
        )

    def forward(
        self,
        input: Float[Tensor, "*batch input"],  # noqa: A002 - torch's name
        hx: Float[Tensor, "*batch hidden"] | None = None,
        *,
        mask: Float[Tensor, "*batch hidden"] | None = None,
    ) -> Float[Tensor, "*batch hidden"]:
        """Take one step.

        Args:
            input: `[batch input]` or `[input]`.
            hx: The state; zeros when not given.
            mask: With recurrent dropout, the dropout mask of the sequence, from `recurrent_mask`.

        Returns:
            The new state.

        Raises:
            ConfigError: `mask` is missing in training with recurrent dropout.
        """
        h: Tensor = self._run(super().forward, input, hx, mask)
        return h
