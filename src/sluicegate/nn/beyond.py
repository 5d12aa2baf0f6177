"""What the layers share that PyTorch does not have: the parameters of a GRU, with as many gates as theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils.rnn import PackedSequence

from sluicegate.errors import ConfigError
from sluicegate.ops.cells import CELLS, GATES

from .stack import Stack


class BeyondTorch(Stack):
    """A layer that stands on `torch.nn.RNNBase` alone."""

    in_torch: ClassVar[bool] = False

    def _begin_layers(self, device: torch.device | str | None, dtype: torch.dtype | None, **settings: Any) -> None:
        """Have PyTorch's base check the settings, and make the parameters."""
        # Those of a GRU, here without storage: they are made again, with other rows.
        super().__init__("GRU", device="meta", **settings)
        self.mode = self.kind.upper()
        self._replace_parameters(device, dtype)
        self.reset_parameters()

    def _replace_parameters(self, device: torch.device | str | None, dtype: torch.dtype | None) -> None:
        of_gru, rows = dict(self.named_parameters()), GATES[self.kind] * self.hidden_size
        kept = [name for name in of_gru if "_ih_" in name or CELLS[self.kind].recurrent]
        self._flat_weights_names = kept
        for name, parameter in of_gru.items():
            delattr(self, name)
            if name in kept:
                shape = (rows, *parameter.shape[1:])
                self.register_parameter(name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self._all_weights = [[n for n in names if n in kept] for names in self._all_weights]
        self._init_flat_weights()

    def flatten_parameters(self) -> None:
        """Do nothing: cuDNN, for which PyTorch's layers lay out their parameters in line, has no such layer."""

    def forward(
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
            A MinGRU's training needs the outputs as they are: PyTorch says so if a program has written into them.

        Raises:
            ConfigError: `lengths` does not fit `input`, or `input` and `hx` have other axes than these.
        """
        outputs, state = self._run(self._refuse, input, hx, lengths)
        return outputs, state

    def _refuse(self, x: Tensor | PackedSequence, hx: Any) -> NoReturn:
        """Say what is wrong where PyTorch's layers leave that to PyTorch."""
        axes = 3 if isinstance(x, PackedSequence) else x.dim()
        if axes not in (2, 3):
            raise ConfigError(
                f"`input` has {axes} axes, but must have 3, or 2 for a single sequence: add or remove one of length 1"
            )
        found = f"{hx.dim()} axes" if isinstance(hx, Tensor) else f"type {type(hx).__name__}"
        raise ConfigError(f"`hx` (of {found}) must be a tensor of {axes} axes, the states first, as `input` has {axes}")
