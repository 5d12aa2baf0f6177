"""The LiGRU: a GRU without the reset gate, whose candidate goes through a ReLU.

Gate order: the rows of every weight and bias hold the update gate `z` and the candidate `n`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from sluicegate.errors import ConfigError
from sluicegate.ops.normalization import Statistics, fold, statistics
from sluicegate.types import Activation, Cell, Normalization, Precision, RecurrentInit, Span

from .beyond import BeyondTorch
from .options import check_choice, check_rate


class LiGRU(BeyondTorch):
    """A light gated recurrent unit: no reset gate, a ReLU, and the input's share of the gates normalised.

        z = sigmoid(BN(W_iz x) + b_iz + W_hz h + b_hz)
        n = φ(BN(W_in x) + b_in + W_hn h + b_hn)
        h' = z * h + (1 - z) * n

    Made for speech, where the reset gate does little that the update gate does not: two thirds of a GRU's weights. A
    ReLU passes on gradients unshrunk but holds nothing back; the batch normalisation keeps what goes into it in range:

        BN(a) = (a - mean(a)) / sqrt(var(a) + 1e-5) * gain

    In training mean and variance are those of the batch, over all steps that are part of a row: padding does not count.
    In evaluation they are the running ones, so that a row's numbers do not depend on the rows beside it.

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
        nonlinearity: φ, `"relu"` or `"tanh"`.
        normalization: `"batch"`, or None to leave it out.
        momentum: How much of a batch's statistics goes into the running ones; None makes these the mean of all
            batches, as in `torch.nn.BatchNorm1d`.
        recurrent_dropout: The rate at which units of the state are dropped in training, where the recurrent
            products read it, with one dropout mask for all steps of a sequence (Gal & Ghahramani 2016).
        precision: `"bf16"` rounds the operands of the products to bfloat16 and keeps the sums in full.
        checkpoint_every: Gradient checkpointing: training keeps the state of every so many steps only, and the
            backward pass recomputes the steps between. None keeps all that the backward pass needs.
        memory: `(shortest, longest)`: the biases of the gates begin so that the units forget over between so many
            steps, spread evenly (Tallec & Ollivier 2018). None begins as PyTorch does, forgetting half at every step.
        recurrent_init: `"orthogonal"` begins with an orthogonal recurrent matrix for each gate (Saxe et al. 2014);
            `"uniform"` as PyTorch.

    The weights are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`, of two gates, and so on for each
    layer, with `_reverse` behind for the reverse direction, drawn as PyTorch draws a GRU's. With normalisation there
    are `gain_ih_l0`, which begins as 1, and the buffers `running_mean_l0`, `running_var_l0` and
    `num_batches_tracked_l0`.

    Raises:
        ConfigError: An option has a value that it cannot have.

    Example:
        >>> layer = LiGRU(3, 5, num_layers=2, batch_first=True)
        >>> outputs, h = layer(torch.randn(4, 7, 3), lengths=[7, 2, 5, 1])
        >>> outputs.shape, h.shape
        (torch.Size([4, 7, 5]), torch.Size([2, 4, 5]))
        >>> layer = layer.eval()
        >>> x = torch.randn(4, 6, 3)
        >>> outputs, _ = layer(x)
        >>> alone, _ = layer(x[:1])
        >>> torch.equal(outputs[:1], alone)
        True

    Paper: Ravanelli, Brakel, Omologo, Bengio 2018, "Light Gated Recurrent Units for Speech Recognition". All the
    equations, explained: `sluicegate.ops.reference`.
    """

    kind: ClassVar[Cell] = "ligru"
    activation: Activation = "relu"
    normalization: Normalization | None = "batch"
    momentum: float | None = 0.1

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
        nonlinearity: Activation = "relu",
        normalization: Normalization | None = "batch",
        momentum: float | None = 0.1,
        recurrent_dropout: float = 0.0,
        precision: Precision = "fp32",
        checkpoint_every: int | None = None,
        memory: Span | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        check_choice("nonlinearity", nonlinearity, get_args(Activation))
        check_choice("normalization", normalization, (*get_args(Normalization), None))
        if momentum is not None:
            check_rate("momentum", momentum)
        self._begin_layers(
            device, dtype, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers, bias=bias,
            batch_first=batch_first, dropout=dropout, bidirectional=bidirectional,
        )  # fmt: skip
        self.momentum = momentum
        self._configure_layers(
            activation=nonlinearity,
            normalization=normalization,
            recurrent_dropout=recurrent_dropout,
            precision=precision,
            checkpoint_every=checkpoint_every,
            memory=memory,
            recurrent_init=recurrent_init,
        )
        if normalization is not None:
            for depth in range(num_layers):
                for suffix in self._suffixes(depth):
                    self._add_normalization(suffix)

    def _add_normalization(self, suffix: str) -> None:
        weight: Tensor = getattr(self, f"weight_ih{suffix}")
        self.register_parameter(f"gain_ih{suffix}", torch.nn.Parameter(weight.new_ones(len(weight))))
        self.register_buffer(f"running_mean{suffix}", weight.new_zeros(len(weight)))
        self.register_buffer(f"running_var{suffix}", weight.new_ones(len(weight)))
        self.register_buffer(f"num_batches_tracked{suffix}", torch.zeros((), dtype=torch.int64, device=weight.device))

    def reset_parameters(self) -> None:
        """Draw the weights anew, and forget the running statistics."""
        super().reset_parameters()
        for name, buffer in self.named_buffers(recurse=False):
            torch.nn.init.constant_(buffer, 1 if name.startswith("running_var") else 0)

    def biased(self) -> bool:
        """Tell whether the kernels are given biases, which normalised weights have in any case."""
        return self.bias or self.normalization is not None

    def normalised(self, depth: int, read: Callable[[], Float[Tensor, "steps input"]] | None) -> dict[str, Tensor]:
        """Make the weights of a layer that give the normalised share of the input.

        Args:
            depth: Of the layer.
            read: Gives all steps that are part of a row, as the layer reads them; None for evaluation.

        Returns:
            What stands in the place of the parameters, by their names and in their order; nothing without
            normalisation.

        Raises:
            ConfigError: There is but one step in training, which has no variance.
        """
        if self.normalization is None:
            return {}
        found: dict[str, Tensor] = {}
        for suffix, of in zip(self._suffixes(depth), self._statistics(depth, read), strict=True):
            weight, gain = getattr(self, f"weight_ih{suffix}"), getattr(self, f"gain_ih{suffix}")
            bias, other = (getattr(self, f"{name}{suffix}", None) for name in ("bias_ih", "bias_hh"))
            folded, shift = fold(weight, gain, bias, of)
            found |= {
                f"weight_ih{suffix}": folded,
                f"weight_hh{suffix}": getattr(self, f"weight_hh{suffix}"),
                f"bias_ih{suffix}": shift,
                f"bias_hh{suffix}": torch.zeros_like(shift) if other is None else other,
            }
        return found

    def _statistics(self, depth: int, read: Callable[[], Tensor] | None) -> list[Statistics]:
        """Find those of each direction: of the batch in training, where there is any, else the running ones."""
        suffixes = self._suffixes(depth)
        x = read() if self.training and read is not None else None
        if x is None or len(x) == 0:
            return [Statistics(*(getattr(self, f"running_{name}{s}") for name in ("mean", "var"))) for s in suffixes]
        if len(x) == 1:
            raise ConfigError(
                "`input` is a single step of a single row, which has no variance for the batch normalisation of "
                "training: give it more, or call `eval()` on the layer first"
            )
        both = statistics(x, torch.cat([getattr(self, f"weight_ih{s}") for s in suffixes]))
        found = [Statistics(*parts) for parts in zip(*(part.chunk(len(suffixes)) for part in both), strict=True)]
        for suffix, of_batch in zip(suffixes, found, strict=True):
            self._track(suffix, of_batch, len(x))
        return found

    def _track(self, suffix: str, of_batch: Statistics, steps: int) -> None:
        """Bring the running statistics up to date, as `torch.nn.BatchNorm1d` does."""
        tracked: Tensor = getattr(self, f"num_batches_tracked{suffix}")
        tracked += 1
        part = 1 / int(tracked) if self.momentum is None else self.momentum
        with torch.no_grad():
            for name, new in (("mean", of_batch.mean), ("var", of_batch.variance * (steps / (steps - 1)))):
                running: Tensor = getattr(self, f"running_{name}{suffix}")
                running.lerp_(new.to(running.dtype), part)
