"""What the sequence layers share: depth, direction, packing, lengths, layouts and dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch._C import _is_any_autocast_enabled
from torch.nn.modules.rnn import RNNBase
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from sluicegate.errors import ConfigError
from sluicegate.ops import native
from sluicegate.ops.reference import State, scan

from .autocast import as_pytorchs
from .backend import choose, choose_within
from .graphs import outside_graphs
from .options import Options
from .rows import Inputs, Lengths, can_be_packed, checked, falls, longest_first, steps_read, valid_steps
from .weights import have_gates, of_layer

Hidden: TypeAlias = Float[Tensor, "..."] | tuple[Float[Tensor, "..."], Float[Tensor, "..."]]
"""The state as PyTorch passes it: `h`, or `(h, c)` for the LSTM, layers and directions stacked in front."""

Compute: TypeAlias = Callable[[Tensor, Hidden | None, Tensor | None], tuple[Tensor, Hidden]]


class Stack(Options, RNNBase):
    """The part of a layer that is the same for all of them; it stands before the `torch.nn` module."""

    def _configure_layers(self, **options: Any) -> None:
        self.configure([s for depth in range(self.num_layers) for s in self._suffixes(depth)], **options)

    def _suffixes(self, depth: int) -> list[str]:
        return [f"_l{depth}", f"_l{depth}_reverse"] if self.bidirectional else [f"_l{depth}"]

    # torch.compile takes no recurrent layer into a graph unless it is told to, and guesses wrong about parts of one.
    @outside_graphs("_run_within")
    def _run(
        self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None, lengths: Lengths | None
    ) -> tuple[Any, Any]:
        """Settle who computes the layer: the kernels, `by_torch`, the torch module's `forward`, or the reference."""
        packed = isinstance(x, PackedSequence)
        if packed and native.becomes_onnx():
            raise ConfigError(
                "`input` is a PackedSequence, which ONNX does not have: export a model that gives the layer the "
                "padded batch and `lengths`"
            )
        if isinstance(hx, list):
            hx = self.paired(hx)
        rows = None if lengths is None else checked(x, lengths, batch_first=self.batch_first)
        weights = self.weights()
        whole = rows is None and not packed
        backend = choose(self, x, weights, whole=whole)
        if backend not in ("torch", "reference"):
            if not self._fit(x, hx):
                return self._unfit(by_torch, x, hx, rows)
            try:
                if whole and x.dim() == 3:  # type: ignore[union-attr]  # not packed; as most calls are
                    found = self._layers_by_kernels(x, hx, weights)  # type: ignore[arg-type]
                else:
                    found = self._by_kernels(x, hx, rows, weights)
                return found if not _is_any_autocast_enabled() else as_pytorchs(found, self.kind, x, hx, whole=whole)
            except native.Unfit:
                # PyTorch's LSTM does not look at sizes and types either, and reads what lies behind its arrays.
                cut = have_gates(self._flat_weights_names, weights, native.GATES[self.kind])
                if self.kind == "lstm" or not self.is_torchs() or not cut:
                    raise
                backend = "torch"
        if backend == "torch" and self.proj_size and native.becomes_onnx():
            backend = "reference"  # ONNX has no projection, and PyTorch's exporter leaves it out without a word
        if backend == "torch" and rows is None and not self._has_no_steps(x):
            return self._in_torchs_words(by_torch, x, hx)
        if rows is None or backend == "reference" or not can_be_packed(rows):
            return self._by_reference(x, hx, rows)
        if not self._fit(x, hx):
            return self._in_torchs_words(by_torch, x, hx)
        return self._by_packing(by_torch, x, hx, rows)

    def _run_within(
        self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None, lengths: Lengths | None
    ) -> tuple[Any, Any]:
        """Do the same in a graph: the operator of the kernels where they can, else PyTorch's operators."""
        hx, rows = self.paired(hx), None if lengths is None else checked(x, lengths, batch_first=self.batch_first)
        weights = [getattr(self, name) for name in self._flat_weights_names]
        backend = choose_within(self, x, weights)
        if backend == "reference" or (backend == "torch" and rows is not None):
            return self._by_reference(x, hx, rows)
        if backend == "torch":
            return self._in_torchs_words(by_torch, x, hx)
        if not self._fit(x, hx):
            return self._unfit(by_torch, x, hx, rows)
        return as_pytorchs(self._by_kernels(x, hx, rows, weights), self.kind, x, hx, whole=rows is None)  # type: ignore[no-any-return]

    def weights(self) -> list[Any]:
        """Find the weights and biases that PyTorch's layer would compute with, of all layers and directions."""
        return of_layer(self)

    def biased(self) -> bool:
        """Tell whether the kernels are given biases."""
        return self.bias

    def normalised(self, depth: int, read: Callable[[], Tensor] | None) -> dict[str, Tensor]:  # noqa: ARG002 - of a LiGRU
        """Make what stands in the place of a layer's parameters, by their names, given what it reads."""
        return {}

    def _in_torchs_words(self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None) -> tuple[Any, Any]:
        output, state = by_torch(x, hx)
        return output, state

    def _unfit(
        self, by_torch: Callable[..., Any], x: Inputs, hx: Hidden | None, rows: Tensor | None
    ) -> tuple[Any, Any]:
        """Have PyTorch say what does not fit; where there are options, it would compute without them."""
        if self.is_torchs():
            if self.kind == "lstm" and isinstance(x, PackedSequence) and hx is not None:
                self._require_packed_state(hx)
        elif isinstance(x, PackedSequence) and not falls(x):
            raise ConfigError(
                "`input` is a PackedSequence whose `batch_sizes` rise, or are not of all its rows: make it "
                "with `pack_padded_sequence`"
            )
        elif self.in_torch:
            return self._by_reference(x, hx, rows)
        return self._in_torchs_words(by_torch, x, hx)

    def _require_packed_state(self, hx: Any) -> None:
        """Refuse a state whose sizes PyTorch's LSTM does not look at when rows are packed, and then reads beyond."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        if not (self.takes(hx) and all(h.dim() == 3 and h.shape[::2] == (count, self.hidden_size) for h in hx)):
            raise native.Unfit(f"`hx` must be (h, c) of the sizes ({count}, batch, {self.hidden_size}): give both so")

    def _has_no_steps(self, x: Inputs) -> bool:
        """Tell whether there is nothing to read, which PyTorch refuses."""
        return (
            not isinstance(x, PackedSequence)
            and x.dim() > 1
            and x.shape[1 if self.batch_first and x.dim() == 3 else 0] == 0
        )

    def _fit(self, x: Inputs, hx: Hidden | None) -> bool:
        """Refuse sizes in PyTorch's own words; False for what else PyTorch must be asked about."""
        if hx is None and not isinstance(x, PackedSequence) and x.dim() == 3 and x.shape[-1] == self.input_size:
            return True  # as most calls are
        data, batch_sizes = (x[0], x[1]) if isinstance(x, PackedSequence) else (x, None)
        if hx is not None and not self.takes(hx):
            return False
        states = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
        axes = data.dim() if batch_sizes is None else 3
        if axes not in (2, 3) or any(h.dim() != axes for h in states):
            return False
        if isinstance(x, PackedSequence):
            if not falls(x):
                return False
            hx = _each(hx, lambda h: h if x.sorted_indices is None else h.index_select(1, x.sorted_indices))
        if axes == 2:
            data, hx = data.unsqueeze(0 if self.batch_first else 1), _each(hx, lambda h: h.unsqueeze(1))
        if hx is None:
            self.check_input(data, batch_sizes)
        else:
            self.check_forward_args(data, hx, batch_sizes)  # type: ignore[arg-type]  # torch's LSTM takes the pair
        return True

    def _by_packing(self, by_torch: Callable[..., Any], x: Any, hx: Hidden | None, rows: Tensor) -> tuple[Any, Any]:
        """Lengths mean what packing means."""
        packed = pack_padded_sequence(x, rows, self.batch_first, enforce_sorted=False)
        output, state = by_torch(packed, hx)
        time = x.shape[1 if self.batch_first else 0]
        return pad_packed_sequence(output, self.batch_first, total_length=time)[0], state

    def _in_a_batch(self, x: Inputs, hx: Hidden | None, compute: Compute) -> tuple[Any, Any]:
        """Have a batch computed, or packed rows in the order of their lengths, and lay out the result as `x` is.

        `compute` is given the batch, or the data that is packed, the state, and how many rows each packed step has.
        """
        if isinstance(x, PackedSequence):
            data, batch_sizes, sorting, unsorting = x
            if sorting is not None:
                hx = _each(hx, lambda h: h.index_select(1, sorting))
            outputs, state = compute(data, hx, batch_sizes)
            if unsorting is not None:
                state = _each(state, lambda h: h.index_select(1, unsorting))
            return PackedSequence(outputs, batch_sizes, sorting, unsorting), state
        if x.dim() == 2:
            axis = 0 if self.batch_first else 1
            outputs, state = compute(x.unsqueeze(axis), _each(hx, lambda h: h.unsqueeze(1)), None)
            return outputs.squeeze(axis), _each(state, lambda h: h.squeeze(1))
        return compute(x, hx, None)

    def _by_kernels(self, x: Inputs, hx: Hidden | None, rows: Tensor | None, weights: Sequence[Any]) -> tuple[Any, Any]:
        def compute(x: Tensor, hx: Hidden | None, batch_sizes: Tensor | None) -> tuple[Tensor, Hidden]:
            if batch_sizes is None:
                return self._layers_by_kernels(x, hx, weights, *longest_first(rows))
            sizes = batch_sizes.numpy()
            lengths = torch.from_numpy(np.searchsorted(-sizes, -np.arange(sizes[0])))
            return self._layers_by_kernels(x, hx, weights, lengths, None, torch.from_numpy(sizes.cumsum() - sizes))

        return self._in_a_batch(x, hx, compute)

    def _layers_by_kernels(
        self,
        x: Float[Tensor, ...],
        hx: Hidden | None,
        weights: Sequence[Any],
        lengths: Tensor | None = None,
        order: Tensor | None = None,
        offsets: Tensor | None = None,
    ) -> tuple[Tensor, Hidden]:
        h0, c0 = hx if isinstance(hx, tuple) else (hx, None)
        directions = 2 if self.bidirectional else 1
        per = directions * native.per_direction(self.kind, biased=self.bias)
        if len(weights) != self.num_layers * per or len(weights[0]) != self.hidden_size * native.GATES[self.kind]:
            raise native.Unfit("the weights of this layer are not those of its sizes: make them anew")
        cell = "gru_reset_before" if self.kind == "gru" and self.reset == "before" else self.kind
        activation, every = self.nonlinear(), self.checkpoint_every or 0
        rows = (lengths, order, offsets)
        options = (cell, activation, self.biased(), self.batch_first, every, self.product_precision())
        h_n, c_n = [], []
        for depth in range(self.num_layers):
            if depth > 0:
                x = self._drop(x)
            here = slice(depth * directions, (depth + 1) * directions)
            own = weights[depth * per : (depth + 1) * per]
            if self.normalization is not None:
                own = [*self.normalised(depth, partial(steps_read, x, rows, self.batch_first)).values()]
            x, h, c = native.layer(
                x,
                None if h0 is None else h0[here],
                None if c0 is None else c0[here],
                own,
                rows,
                options,
            )
            h_n.append(h)
            c_n.append(c)
        after: Any = (h_n, c_n) if self.kind == "lstm" else (h_n,)
        after = tuple(s[0] if len(s) == 1 else torch.cat(s) for s in after)
        return x, after if self.kind == "lstm" else after[0]

    def _drop(self, x: Tensor) -> Tensor:
        """Drop what lies between two layers, drawing the same numbers as PyTorch does, which puts time first."""
        if not (self.batch_first and self.training and self.dropout and x.dim() == 3):
            return F.dropout(x, self.dropout, self.training)
        mask = F.dropout(x.new_ones((x.shape[1], x.shape[0], x.shape[2])), self.dropout)
        return x * mask.transpose(0, 1)

    def by_reference(self, x: Inputs, hx: Hidden | None = None) -> tuple[Any, Any]:
        """Compute the layer by the equations of `ops.reference`, whatever else could.

        Every layout is brought to `[time batch input]`, with the steps marked that are part of their row.

        Args:
            x: What `forward` takes as `input`.
            hx: What it takes as `hx`.

        Returns:
            What `forward` returns.

        Example:
            >>> from sluicegate.nn import GRU
            >>> layer, x = GRU(3, 5), torch.randn(7, 2, 3)
            >>> torch.allclose(layer(x)[0], layer.by_reference(x)[0], atol=1e-6)
            True
        """
        return self._by_reference(x, self.paired(hx), None)

    def _by_reference(self, x: Inputs, hx: Hidden | None, rows: Tensor | None) -> tuple[Any, Any]:
        def compute(x: Tensor, hx: Hidden | None, batch_sizes: Tensor | None) -> tuple[Tensor, Hidden]:
            hx, lengths, valid = self._state(x, hx, batch_sizes), rows, None
            if batch_sizes is not None:
                x, lengths = pad_packed_sequence(PackedSequence(x, batch_sizes))
            elif self.batch_first:
                x = x.transpose(0, 1)
            if lengths is not None:
                valid = (torch.arange(len(x), device="cpu").unsqueeze(1) < lengths).to(x.device)
                x = x.masked_fill(~valid.unsqueeze(-1), 0)  # whatever stands in the padding
            outputs, state = self._layers(x, hx, valid)
            if batch_sizes is not None and lengths is not None:
                return pack_padded_sequence(outputs, lengths).data, state
            return outputs.transpose(0, 1) if self.batch_first else outputs, state

        return self._in_a_batch(x, hx, compute)

    def _state(self, x: Tensor, hx: Hidden | None, batch_sizes: Tensor | None) -> Hidden:
        if hx is None:
            h = x.new_zeros(self.get_expected_hidden_size(x, batch_sizes))
            hx = h if self.kind != "lstm" else (h, x.new_zeros((*h.shape[:2], self.hidden_size)))
        self.require_state(hx)
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
            instead = self.normalised(depth, partial(valid_steps, x, valid))
            for suffix in self._suffixes(depth):
                state = next(before)
                cell = self.equations(suffix, self.recurrent_mask(state[0]), instead)
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
