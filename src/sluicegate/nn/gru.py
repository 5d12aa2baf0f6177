"""The GRU layer.

Gate order: the rows of every weight and bias hold the reset gate `r`, the update gate `z` and the candidate `n`, in
this order, as PyTorch and cuDNN have them. All of Sluicegate keeps to it; a converter to another order says so by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.types import Activation, Cell, Precision, RecurrentInit, Reset, Span

from .stack import Stack


class GRU(Stack, torch.nn.GRU):
    """A gated recurrent unit: `torch.nn.GRU` with the same parameters, and more to choose from.

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n = φ(W_in x + b_in + r * (W_hn h + b_hn))    reset="after"
        n = φ(W_in x + b_in + W_hn (r * h) + b_hn)    reset="before"
        h' = (1 - z) * n + z * h

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        num_layers: Layers, each reading the outputs of the one below.
        bias: Whether to have `b_i` and `b_h`.
        batch_first: Whether a batch is `[batch time input]` and not `[time batch input]`.
        dropout: The rate at which the outputs of all layers but the last are dropped in training.
        bidirectional: Whether to read every sequence from its end as well; outputs are then twice as wide.
        device: Where the parameters are.
        dtype: Of what type they are.
        reset: `"after"` is the form of PyTorch, cuDNN and Keras' `reset_after=True`; `"before"` is Cho et al. 2014.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training, where the recurrent
            products read it, with one dropout mask for all steps of a sequence (Gal & Ghahramani 2016).
        layer_norm: Whether to normalise the products, `W_i x` and `W_h h`, to `LN(...) * gain` (Ba et al. 2016),
            before the biases are added; the gains are the parameters `gain_ih_l0`, `gain_hh_l0`, and so on.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        checkpoint_every: Gradient checkpointing: training keeps the state of every so many steps only, and the
            backward pass recomputes the steps between: less memory for a forward pass more. None keeps all that the
            backward pass needs.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> layer = GRU(3, 5, num_layers=2, batch_first=True, reset="before")
        >>> outputs, h = layer(torch.zeros(4, 7, 3), lengths=[7, 2, 5, 1])
        >>> outputs.shape, h.shape
        (torch.Size([4, 7, 5]), torch.Size([2, 4, 5]))

    Paper: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation". All the equations, explained: `sluicegate.ops.reference`.
    """

    kind: ClassVar[Cell] = "gru"

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
        reset: Reset = "after",
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        checkpoint_every: int | None = None,
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device=device, dtype=dtype
        )
        self._configure_layers(
            reset=reset,
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            checkpoint_every=checkpoint_every,
            memory=memory,
            recurrent_init=recurrent_init,
        )

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
