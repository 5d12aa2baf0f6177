"""Layers that are computed one after the other by something else than `torch.nn` knows: those in int8.

Beside the layouts, here are the directions: a row that is read from its end is turned round, computed, and turned back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from sluicegate.errors import ConfigError
from sluicegate.ops import native
from sluicegate.ops.reference import Recurrence
from sluicegate.types import Activation, Cell

from .rows import Inputs, Lengths, checked
from .stack import Hidden, Stack

State: TypeAlias = tuple[Float[ndarray, "rows hidden"], ...]
"""`(h,)`, or `(h, c)` of an LSTM, of one layer in one direction."""


class Layerwise(torch.nn.Module):
    """A GRU, LSTM, RNN, MinGRU or LiGRU in evaluation, of which each layer and direction is computed by `compute`.

    Args:
        stack: The layer whose sizes it has and in whose place it stands.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.kind: Cell = stack.kind
        self.input_size, self.hidden_size, self.num_layers = stack.input_size, stack.hidden_size, stack.num_layers
        self.batch_first, self.bidirectional = stack.batch_first, stack.bidirectional
        self.activation: Activation = stack.nonlinear()
        self.cell = "gru_reset_before" if stack.kind == "gru" and stack.reset == "before" else str(stack.kind)
        directions = ("", "_reverse") if self.bidirectional else ("",)
        self.suffixes = [f"_l{depth}{way}" for depth in range(self.num_layers) for way in directions]
        """Of the names of each layer and direction."""

    @property
    def states(self) -> int:
        """How many parts the state has."""
        return 2 if self.kind == "lstm" else 1

    def inputs_of(self, suffix: str) -> int:
        """Tell how many features a layer reads."""
        ways = 2 if self.bidirectional else 1
        return self.input_size if suffix.startswith("_l0") else ways * self.hidden_size

    @abstractmethod
    def compute(
        self, suffix: str, x: Float[ndarray, "time rows input"], state: State, lengths: ndarray | None = None
    ) -> tuple[Float[ndarray, "time rows hidden"], State]:
        """Compute one layer in one direction, from its first step to its last.

        Args:
            suffix: Of its names.
            x: What it reads, contiguous.
            state: Before the first step.
            lengths: Falling: how many steps of each row are part of it.

        Returns:
            The outputs, 0 beyond a row's length, and the state after the last step of each row.
        """

    @abstractmethod
    def floats(self, suffix: str) -> list[Tensor]:
        """Give the floats that a layer's weights stand for, in the order of `torch.nn`."""

    def forward(
        self,
        input: Inputs,  # noqa: A002 - torch's name
        hx: Hidden | None = None,
        *,
        lengths: Lengths | None = None,
    ) -> tuple[Any, Any]:
        """Read a sequence, or a batch of them, as the layer does in whose place this stands.

        The gradient of the input is that of the floats that the weights stand for, and comes of the outputs alone:
        enough to tell what an answer hangs on, and not to train.

        Raises:
            ConfigError: The sizes do not fit, or `lengths` is not of the rows of `input`.
        """
        if isinstance(input, PackedSequence):
            padded, sizes = pad_packed_sequence(input, self.batch_first)
            outputs, state = self(padded, hx, lengths=sizes)
            return pack_padded_sequence(outputs, sizes, self.batch_first, enforce_sorted=False), state
        self._require(input)
        rows = None if lengths is None else checked(input, lengths, batch_first=self.batch_first)
        x, states = input, self._begin(input, hx)
        if x.dim() == 2:
            x = x.unsqueeze(1)
        elif self.batch_first:
            x = x.transpose(0, 1)
        outputs, after = self._layers(x, states, rows)
        if input.dim() == 2:
            outputs, after = outputs.squeeze(1), tuple(part.squeeze(1) for part in after)
        elif self.batch_first:
            outputs = outputs.transpose(0, 1)
        return outputs, after if self.kind == "lstm" else after[0]

    def _require(self, x: Tensor) -> None:
        if x.dim() not in (2, 3) or x.shape[-1] != self.input_size or x.dtype != torch.float32:
            raise ConfigError(
                f"`input` is {x.dtype} of shape {tuple(x.shape)}, and this layer in int8 reads 32-bit floats, "
                f"2 axes or 3, of which the last has {self.input_size}"
            )

    def _begin(self, x: Tensor, hx: Hidden | None) -> tuple[Tensor, ...]:
        """The state before, `[layers rows hidden]`."""
        rows = 1 if x.dim() == 2 else x.shape[0 if self.batch_first else 1]
        size = (len(self.suffixes), rows, self.hidden_size)
        if hx is None:
            return (torch.zeros(size),) * self.states
        given = tuple(hx) if isinstance(hx, tuple | list) else (hx,)
        parts = tuple(part.detach().unsqueeze(1) if x.dim() == 2 else part.detach() for part in given)
        if len(parts) != self.states or any(part.shape != size for part in parts):
            raise ConfigError(f"`hx` must be {self.states} of the shape {size}: pass what the call before returned")
        return parts

    def _layers(
        self, x: Tensor, states: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        order = back = None
        if lengths is not None:
            lengths, order = lengths.sort(descending=True, stable=True)
            back = order.argsort()
            x, states = x[:, order], tuple(part[:, order] for part in states)
        after: list[list[Tensor]] = [[] for _ in range(self.states)]
        ways = 2 if self.bidirectional else 1
        for first in range(0, len(self.suffixes), ways):
            found = []
            for place in range(first, first + ways):
                state = tuple(part[place] for part in states)
                outputs, new = self._direction(self.suffixes[place], x, state, lengths)
                found.append(outputs)
                for part, of_part in zip(after, new, strict=True):
                    part.append(of_part)
            x = torch.cat(found, 2) if ways == 2 else found[0]
        stacked = tuple(torch.stack(part) for part in after)
        if back is not None:
            return x[:, back], tuple(part[:, back] for part in stacked)
        return x, stacked

    def _direction(
        self, suffix: str, x: Tensor, state: Sequence[Tensor], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        turned = suffix.endswith("_reverse")
        if turned:
            x = _turned(x, lengths)
        outputs, *after = _Computed.apply(x, self, suffix, tuple(state), lengths)  # type: ignore[no-untyped-call]
        return _turned(outputs, lengths) if turned else outputs, tuple(after)

    def equations(self, suffix: str, mask: Tensor | None) -> Recurrence:
        """Give a step as the equations of `ops.reference` are given; the input's share is the input itself."""
        assert mask is None, "there is no training"

        def step(x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            before = x.shape[:-1]
            rows = x.reshape(1, -1, x.shape[-1])
            parts = [part.detach().expand(*before, self.hidden_size).reshape(-1, self.hidden_size) for part in state]
            outputs, after = self._direction(suffix, rows, parts, None)
            return tuple(part.view(*before, self.hidden_size) for part in (outputs, *after[1:]))

        return Recurrence(lambda x: x, step, lambda _, __: ())

    def extra_repr(self) -> str:
        """Describe the sizes."""
        return f"{self.cell}, {self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"


class _Computed(torch.autograd.Function):
    """The outputs of `compute`, with the gradient of the input that the floats would have."""

    @staticmethod
    def forward(ctx: Any, x: Any, layer: Any, suffix: Any, state: Any, lengths: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.call = layer, suffix, state, lengths
        arrays = tuple(np.ascontiguousarray(part.numpy()) for part in state)
        rows = None if lengths is None else lengths.numpy()
        outputs, after = layer.compute(suffix, np.ascontiguousarray(x.numpy()), arrays, rows)
        state = tuple(map(torch.from_numpy, after))
        ctx.mark_non_differentiable(*state)
        return torch.from_numpy(outputs), *state

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> Any:
        layer, suffix, (h, *c), lengths = ctx.call
        weights = layer.floats(suffix)
        options = (layer.cell, layer.activation, len(weights) in (2, 4) and weights[-1].dim() == 1, False, 0, "fp32")
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            rows = (lengths, None, None)
            outputs = native.layer(x, h[None], c[0][None] if c else None, weights, rows, options)[0]
            (found,) = torch.autograd.grad(outputs, x, gradient)
        return found, None, None, None, None


def _turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Each row from its last step to its first; what lies beyond stays."""
    if lengths is None:
        return x.flip(0)
    steps = torch.arange(len(x))[:, None]
    place = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return x.gather(0, place[..., None].expand_as(x))
