"""The LSTM layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sluicegate.types import Activation, Cell, Precision, RecurrentInit, Span

from .stack import Stack

Pair: TypeAlias = tuple[Float[Tensor, "states *batch shown"], Float[Tensor, "states *batch hidden"]]
"""The state `(h, c)`: the hidden state and the cell state."""


class LSTM(Stack, torch.nn.LSTM):
    """A long short-term memory: `torch.nn.LSTM` with the same parameters, and more to choose from.

        i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
        f = sigmoid(W_if x + b_if + W_hf h + b_hf)
        g = φ(W_ig x + b_ig + W_hg h + b_hg)
        o = sigmoid(W_io x + b_io + W_ho h + b_ho)
        c' = f * c + i * g
        h' = o * φ(c')                          W_hr (o * φ(c')) with a projection

    The rows of every weight and bias hold the gates in the order i, f, g, o.

    Args:
        input_size: Features of the input.
        hidden_size: Units.
        num_layers: Layers, each reading the outputs of the one below.
        bias: Whether to have `b_i` and `b_h`.
        batch_first: Whether a batch is `[batch time input]` and not `[time batch input]`.
        dropout: The rate at which the outputs of all layers but the last are dropped in training.
        bidirectional: Whether to read every sequence from its end as well; outputs are then twice as wide.
        proj_size: The size that `h` is projected to; 0 for no projection.
        device: Where the parameters are.
        dtype: Of what type they are.
        activation: φ, `"tanh"` or `"relu"`.
        recurrent_dropout: The rate at which units of the state are dropped in training, where the recurrent
            products read it, with one dropout mask for all steps of a sequence (Gal & Ghahramani 2016).
        layer_norm: Whether to normalise the products, `W_i x` and `W_h h`, to `LN(...) * gain` (Ba et al. 2016),
            before the biases are added; the gains are the parameters `gain_ih_l0`, `gain_hh_l0`, and so on.
            The cell state is normalised too, before the output gate, with `gain_c_l0` and `bias_c_l0`.
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        checkpoint_every: Gradient checkpointing: training keeps the state of every so many steps only, and the
            backward pass recomputes the steps between: less memory for a forward pass more. None keeps all that the
            backward pass needs.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). Give the length over which the data have to be remembered as
            the longest. None begins as PyTorch does, forgetting half at every step.
        forget_bias: What the biases of the forget gates begin at; 1 is common (Jozefowicz et al. 2015).
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014),
            which neither swells nor shrinks what it passes on; `"uniform"` as PyTorch.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> layer = LSTM(3, 5, num_layers=2, batch_first=True, layer_norm=True)
        >>> outputs, (h, c) = layer(torch.zeros(4, 7, 3), lengths=[7, 2, 5, 1])
        >>> outputs.shape, h.shape, c.shape
        (torch.Size([4, 7, 5]), torch.Size([2, 4, 5]), torch.Size([2, 4, 5]))

    Papers: Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"; Gers et al. 2000, "Learning to Forget", for the
    forget gate; Sak et al. 2014 for the projection. All the equations, explained: `sluicegate.ops.reference`.
    """

    kind: ClassVar[Cell] = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        activation: Activation = "tanh",
        recurrent_dropout: float = 0.0,
        layer_norm: bool = False,
        precision: Precision = "fp32",
        checkpoint_every: int | None = None,
        memory: Span | None = None,
        forget_bias: float | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device=device,
            dtype=dtype,
        )
        self._configure_layers(
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            layer_norm=layer_norm,
            precision=precision,
            checkpoint_every=checkpoint_every,
            memory=memory,
            forget_bias=forget_bias,
            recurrent_init=recurrent_init,
        )

    def forward(  # type: ignore[override]  # one signature for what torch writes as overloads
        self,
        input: Float[Tensor, "*sequence input"] | PackedSequence,  # noqa: A002 - torch's name
        hx: Pair | list[Tensor] | None = None,
        *,
        lengths: Int[Tensor, " rows"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "*sequence output"] | PackedSequence, Pair]:
        """Read a sequence, or a batch of them.

        Args:
            input: `[time batch input]`, `[batch time input]` with `batch_first`, `[time input]`, or packed.
            hx: The state to start from, `(h, c)`; zeros when not given.
            lengths: For a padded batch, how many steps of each row are part of it. Outputs past them are zero, the
                final state is that at each row's own last step, and the backward direction starts there.

        Returns:
            The outputs of the last layer, laid out like `input`, and the final state of every layer and direction.

        Raises:
            ConfigError: `lengths` does not fit `input`.
        """
        outputs, state = self._run(super().forward, input, hx, lengths)
        return outputs, state
