"""The plain recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.types import Activation, Cell, Precision, RecurrentInit, Span

from .stack import Stack

NONLINEAR = {"RNN_TANH": "tanh", "RNN_RELU": "relu"}


class RNN(Stack, torch.nn.RNN):
    """A plain (Elman) recurrent layer: `torch.nn.RNN` with the same parameters, and more to choose from.

        h' = φ(W_i x + b_i + W_h h + b_h)

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        num_layers: Layers, each reading the outputs of the one below.
        nonlinearity: φ, `"tanh"` or `"relu"`.
        bias: Whether to have `b_i` and `b_h`.
        batch_first: Whether a batch is `[batch time input]` and not `[time batch input]`.
        dropout: The rate at which the outputs of all layers but the last are dropped in training.
        bidirectional: Whether to read every sequence from its end as well; outputs are then twice as wide.
        device: Where the parameters are.
        dtype: Of what type they are.
        recurrent_dropout: The rate at which units of the state are dropped in training, where the recurrent
            products read it, with one dropout mask for all steps of a sequence (Gal & Ghahramani 2016).
        layer_norm: Whether to normalise the products, `W_i x` and `W_h h`, to `LN(...) * gain` (Ba et al. 2016),
            before the biases are added; the gains are the parameters `gain_ih_l0`, `gain_hh_l0`, and so on.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        checkpoint_every: Gradient checkpointing: training keeps the state of every so many steps only, and the
            backward pass recomputes the steps between: less memory for a forward pass more. None keeps all that the
            backward pass needs.
        memory: None: there are no gates to keep one.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix (Saxe et al. 2014), which neither
            swells nor shrinks what it passes on; `"identity"`, of a ReLU RNN, with the identity and no biases, so that
            it sums up what it reads (Le et al. 2015); `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> layer = RNN(3, 5, nonlinearity="relu", recurrent_dropout=0.2)
        >>> outputs, h = layer(torch.zeros(7, 4, 3))
        >>> outputs.shape, h.shape
        (torch.Size([7, 4, 5]), torch.Size([1, 4, 5]))

    Paper: Elman 1990, "Finding Structure in Time". All the equations, explained: `sluicegate.ops.reference`.
    """

    kind: ClassVar[Cell] = "rnn"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Activation = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        checkpoint_every: int | None = None,
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            nonlinearity,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self._configure_layers(
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            checkpoint_every=checkpoint_every,
            memory=memory,
            recurrent_init=recurrent_init,
        )

    def nonlinear(self) -> Activation:
        """Name the activation, which PyTorch reads in `mode`, whatever has become of `nonlinearity`."""
        return NONLINEAR.get(self.mode, self.mode)  # type: ignore[return-value]  # the kernels refuse another

    def forward(  # type: ignore[override]  # one signature for what torch writes as overloads
        self,
        input: Float[Tensor, "*sequence input"] | PackedSequence,  # noqa: A002 - torch's name
        hx: Float[Tensor, "states *batch hidden"] | None = None,
        *,
        lengths: Int[Tensor, " rows"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "*sequence output"] | PackedSequence, Float[Tensor, "states *batch hidden"]]:
        """Read a sequence, or a batch of them.

        Args:
            input: `[time batch input]`, `[batch time input]` with `batch_first`, `[time input]`, or packed.
            hx: The state to start from; zeros when not given.
            lengths: For a padded batch, how many steps of each row are part of it. Outputs past them are zero, the
                final state is that at each row's own last step, and the backward direction starts there.

        Returns:
            The outputs of the last layer, laid out like `input`, and the final state of every layer and direction.

        Raises:
            ConfigError: `lengths` does not fit `input`.
        """
        outputs, state = self._run(super().forward, input, hx, lengths)
        return outputs, state
