"""What the three sequence layers share: depth, direction, packing, lengths, layouts and dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.modules.rnn import RNNBase
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from sluicegate.errors import ConfigError
from sluicegate.ops.reference import State, scan

from .backend import choose
from .options import Options

Hidden: TypeAlias = Float[Tensor, "..."] | tuple[Float[Tensor, "..."], Float[Tensor, "..."]]
"""The state as PyTorch passes it: `h`, or `(h, c)` for the LSTM, layers and directions stacked in front."""

Inputs: TypeAlias = Float[Tensor, "..."] | PackedSequence
"""`[time batch input]`, `[batch time input]` with `batch_first`, `[time input]`, or packed."""

Lengths: TypeAlias = Int[Tensor, " batch"] | Sequence[int]
"""How many steps of each row are part of it."""


class Stack(Options, RNNBase):
    """The part of a layer that is the same for GRU, LSTM and RNN; it stands before the `torch.nn` module."""

    def _configure_layers(self, **options: Any) -> None:
        self.configure([s for depth in range(self.num_layers) for s in self._suffixes(depth)], **options)

    def _suffixes(self, depth: int) -> list[str]:
        return [f"_l{depth}", f"_l{depth}_reverse"] if self.bidirectional else [f"_l{depth}"]

    def _run(
        self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None, lengths: Lengths | None
    ) -> tuple[Any, Any]:
        """Settle who computes the layer: `by_torch`, the `forward` of the `torch.nn` module, or the reference."""
        if lengths is not None:
            return self._run_padded(by_torch, x, hx, lengths)
        output, state = by_torch(x, hx) if choose(self, x) == "torch" else self.by_reference(x, hx)
        return output, state

    def _run_padded(
        self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None, lengths: Lengths
    ) -> tuple[Any, Any]:
        """Lengths mean what packing means, and so they are done by packing."""
        if isinstance(x, PackedSequence):
            raise ConfigError("`lengths` cannot go with a PackedSequence, which has its own: leave one of them out")
        rows = self._check_lengths(x, lengths)
        if hx is not None:  # packing alone would take the first rows of a state that has too many
            self.check_forward_args(x, hx, None)  # type: ignore[arg-type]  # torch's LSTM takes the pair
        packed = pack_padded_sequence(x, rows, self.batch_first, enforce_sorted=False)
        output, state = self._run(by_torch, packed, hx, None)
        time = x.shape[1 if self.batch_first else 0]
        return pad_packed_sequence(output, self.batch_first, total_length=time)[0], state

    def _check_lengths(self, x: Float[Tensor, ...], lengths: Lengths) -> Tensor:
        if x.dim() != 3:
            raise ConfigError(
                f"`lengths` needs a batch of rows, an `input` of 3 axes, but that has {x.dim()}: "
                "cut a single row to its length instead"
            )
        batch, time = x.shape[:2] if self.batch_first else (x.shape[1], x.shape[0])
        rows = torch.as_tensor(lengths).cpu()
        if rows.is_floating_point() or rows.dtype == torch.bool or rows.shape != (batch,):
            raise ConfigError(
                f"`lengths` must be {batch} whole numbers, one for each row of `input`, but it is "
                f"{rows.dtype} of shape {tuple(rows.shape)}: check that `batch_first` (={self.batch_first}) is meant"
            )
        for row, length in enumerate(rows.tolist()):
            if not 1 <= length <= time:
                raise ConfigError(
                    f"`lengths[{row}]` (={length}) must be from 1 to {time}, the time axis of `input`: "
                    "leave out empty rows, and pad `input` to the longest one"
                )
        return rows

    def by_reference(self, x: Inputs, hx: Hidden | None = None) -> tuple[Any, Any]:
        """Compute the layer by the equations of `ops.reference`, whatever else could.

        Every layout is brought to `[time batch input]`, with the steps marked that are part of their row.

        Args:
            x: What `forward` takes as `input`.
            hx: What it takes as `hx`.

        Returns:
            What `forward` returns.

        Raises:
            ConfigError: `x` has no steps.

        Example:
            >>> from sluicegate.nn import GRU
            >>> layer, x = GRU(3, 5), torch.randn(7, 2, 3)
            >>> torch.allclose(layer(x)[0], layer.by_reference(x)[0], atol=1e-6)
            True
        """
        if isinstance(x, PackedSequence):
            return self._packed(x, hx)
        single = x.dim() == 2
        if single:
            x = x.unsqueeze(0 if self.batch_first else 1)
            hx = _each(hx, lambda h: h.unsqueeze(1))
        hx = self._state(x, hx, None)
        if x.shape[1 if self.batch_first else 0] == 0:
            raise ConfigError("`input` has no steps: its time axis must be 1 or more")
        outputs, state = self._layers(x.transpose(0, 1) if self.batch_first else x, hx)
        if single:
            return outputs.squeeze(1), _each(state, lambda h: h.squeeze(1))
        return outputs.transpose(0, 1) if self.batch_first else outputs, state

    def _packed(self, x: PackedSequence, hx: Hidden | None) -> tuple[PackedSequence, Hidden]:
        data, batch_sizes, sorting, unsorting = x
        if sorting is not None:
            hx = _each(hx, lambda h: h.index_select(1, sorting))
        hx = self._state(data, hx, batch_sizes)
        padded, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))
        valid = torch.arange(len(padded)).unsqueeze(1) < lengths
        outputs, state = self._layers(padded, hx, valid.to(data.device))
        if unsorting is not None:
            state = _each(state, lambda h: h.index_select(1, unsorting))
        packed = pack_padded_sequence(outputs, lengths)
        return PackedSequence(packed.data, batch_sizes, sorting, unsorting), state

    def _state(self, x: Tensor, hx: Hidden | None, batch_sizes: Tensor | None) -> Hidden:
        if hx is None:
            h = x.new_zeros(self.get_expected_hidden_size(x, batch_sizes))
            hx = h if self.kind != "lstm" else (h, x.new_zeros((*h.shape[:2], self.hidden_size)))
        self.check_forward_args(x, hx, batch_sizes)  # type: ignore[arg-type]  # torch's LSTM takes the pair
        return hx

    def _layers(
        self,
        x: Float[Tensor, "time batch input"],
        hx: Hidden,
        valid: Bool[Tensor, "time batch"] | None = None,
    ) -> tuple[Float[Tensor, "time batch output"], Hidden]:
        """Run the layers one on top of the other, and in each the directions side by side."""
        before = zip(*(h.unbind(0) for h in (hx if isinstance(hx, tuple) else (hx,))), strict=True)
        after: list[State] = []
        for depth in range(self.num_layers):
            if depth > 0:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for suffix in self._suffixes(depth):
                state = next(before)
                cell = self.equations(suffix, self.recurrent_mask(state[0]))
                output, state = scan(cell, x, state, valid=valid, reverse=suffix.endswith("_reverse"))
                outputs.append(output)
                after.append(state)
            x = torch.cat(outputs, dim=-1)
        last = tuple(torch.stack(h) for h in zip(*after, strict=True))
        return x, (last[0], last[1]) if isinstance(hx, tuple) else last[0]


def _each(hx: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if hx is None:
        return None
    return (change(hx[0]), change(hx[1])) if isinstance(hx, tuple) else change(hx)
