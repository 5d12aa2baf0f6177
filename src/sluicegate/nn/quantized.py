"""Layers in int8, and those that see what ranges their inputs have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from sluicegate import _core
from sluicegate.ops import native, quantized
from sluicegate.ops.quantized_reference import Layer

from .layerwise import Layerwise, State
from .stack import Stack


class LaidOut:
    """The layers of a stack, laid out for the kernels that were in use; it never changes.

    Args:
        layers: Each layer and direction by its suffix.
    """

    def __init__(self, layers: dict[str, _core.QuantizedLayer]) -> None:
        self.layers = layers

    def compute(
        self, suffix: str, x: Float[ndarray, "time rows input"], state: State, lengths: ndarray | None = None
    ) -> tuple[Float[ndarray, "time rows hidden"], State]:
        """Compute one layer in one direction, as `Layerwise.compute` says."""
        outputs = (np.empty if lengths is None else np.zeros)((*x.shape[:2], state[0].shape[1]), np.float32)
        after = tuple(np.empty_like(part) for part in state)
        c0, c = (state[1], after[1]) if len(state) == 2 else (None, None)
        self.layers[suffix].forward(x, state[0], c0, outputs, after[0], c, lengths, torch.get_num_threads())
        return outputs, after


class Quantized(Layerwise):
    """A GRU, LSTM, RNN, MinGRU or LiGRU in int8, for inference: what `sluicegate.nn.quantize` puts in its place.

    It takes and returns what that takes and returns. Its arrays are buffers, under the names of `ops.quantized`: all
    that a saved model holds of it. The same numbers come out, to the bit, on every instruction set, whatever rows are
    beside a row, and in chunks of any length.

    Args:
        stack: The layer whose sizes it has.
        floats: Whether the input of the first layer stays in floats.
        inner_floats: Whether the inputs of the others do.
    """

    def __init__(self, stack: Stack, *, floats: bool, inner_floats: bool = False) -> None:
        super().__init__(stack)
        self._laid_out: dict[str, LaidOut] = {}
        for suffix in self.suffixes:
            left = floats if suffix.startswith("_l0") else inner_floats
            of = quantized.shapes(self.cell, self.inputs_of(suffix), self.hidden_size, suffix, floats=left)
            for name, (shape, dtype) in of.items():
                self.register_buffer(name, torch.zeros(shape, dtype=getattr(torch, dtype)))
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_laid_out": {}}  # a copy lays its weights out for itself

    def layer(self, suffix: str) -> Layer:
        """Give the numbers of one layer in one direction."""
        found = {name: buffer.numpy() for name, buffer in self.named_buffers() if name.endswith(suffix)}
        return quantized.from_arrays(self.cell, self.activation, found, suffix)

    def laid_out(self) -> LaidOut:
        """Lay out all layers for the kernels in use, or find them as they were."""
        isa = _core.isa()
        if isa not in self._laid_out:
            layers = {suffix: quantized.lay_out(self.layer(suffix)) for suffix in self.suffixes}
            self._laid_out[isa] = LaidOut(layers)
        return self._laid_out[isa]

    def compute(
        self, suffix: str, x: Float[ndarray, "time rows input"], state: State, lengths: ndarray | None = None
    ) -> tuple[Float[ndarray, "time rows hidden"], State]:
        """Compute one layer in one direction, as `Layerwise.compute` says."""
        return self.laid_out().compute(suffix, x, state, lengths)

    def floats(self, suffix: str) -> list[Tensor]:
        """Give the floats that the whole numbers stand for."""
        return [torch.from_numpy(array) for array in quantized.floats(self.layer(suffix))]


def _forget(module: Any, _: Any) -> None:
    module._laid_out.clear()


class Observed(Layerwise):
    """The layer itself, one layer and direction after the other, which notes the largest value of each feature.

    Args:
        stack: Its weights are read as they are.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.stack = stack
        self.weights = floats_of(stack)
        self.largest_input = {suffix: np.zeros(self.inputs_of(suffix), np.float32) for suffix in self.suffixes}
        self.largest_state = dict.fromkeys(self.suffixes, 0.0)

    def compute(
        self, suffix: str, x: Float[ndarray, "time rows input"], state: State, lengths: ndarray | None = None
    ) -> tuple[Float[ndarray, "time rows hidden"], State]:
        """Compute one layer in one direction in 32-bit floats, as `Layerwise.compute` says."""
        weights = self.floats(suffix)
        biased = "bias_ih" in self.weights[suffix]
        h0, *c0 = (torch.from_numpy(part)[None] for part in state)
        rows = (None if lengths is None else torch.from_numpy(lengths), None, None)
        options = (self.cell, self.activation, biased, False, 0, "fp32")
        outputs, h, c = native.layer(torch.from_numpy(x), h0, c0[0] if c0 else None, weights, rows, options)
        array: ndarray = outputs.numpy()
        self._note(suffix, x, array, state[0], lengths)
        return array, (h[0].numpy(),) if self.states == 1 or c is None else (h[0].numpy(), c[0].numpy())

    def floats(self, suffix: str) -> list[Tensor]:
        """Give the weights."""
        return list(self.weights[suffix].values())

    def _note(self, suffix: str, x: ndarray, outputs: ndarray, h: ndarray, lengths: ndarray | None) -> None:
        if lengths is not None:
            x = x[np.arange(len(x))[:, None] < lengths]
        largest = np.abs(x).reshape(-1, x.shape[-1]).max(axis=0, initial=0.0)
        np.maximum(self.largest_input[suffix], largest, out=self.largest_input[suffix])
        state = max(float(np.abs(part).max(initial=0.0)) for part in (outputs, h))
        self.largest_state[suffix] = max(self.largest_state[suffix], state)

    @property
    def seen(self) -> bool:
        """Whether anything was read."""
        return any(largest.any() for largest in self.largest_input.values())

    def quantized(self) -> Quantized:
        """Make the layer in int8, with the ranges that were seen."""
        return made(self.stack, self.largest_input if self.seen else {}, self.largest_state)


def made(stack: Stack, largest_input: Mapping[str, ndarray], largest_state: Mapping[str, float]) -> Quantized:
    """Make a layer in int8.

    Args:
        stack: The layer.
        largest_input: Of each layer and direction by its suffix, the largest value of each feature; of those that are
            missing, the input stays in floats, but where it is the state of a layer below that is at most 1.
        largest_state: The largest value of the state.
    """
    first, inner = (_in_floats(stack, depth, seen=f"_l{depth}" in largest_input) for depth in (0, 1))
    new = Quantized(stack, floats=first, inner_floats=inner)
    for suffix, weights in floats_of(stack).items():
        arrays = {name: weight.numpy() for name, weight in weights.items()}
        ranges = largest_input.get(suffix), largest_state.get(suffix, 0.0)
        layer = quantized.by_ranges(new.cell, new.activation, arrays, *ranges, first=suffix.startswith("_l0"))
        for name, array in quantized.arrays(layer, suffix).items():
            getattr(new, name).copy_(torch.from_numpy(array))
    return new.eval()


def _in_floats(stack: Stack, depth: int, *, seen: bool) -> bool:
    kind, inputs = (stack.kind, stack.nonlinear()), stack.input_size
    return quantized.input_in_floats(*kind, inputs, first=depth == 0, seen=seen)


def is_bounded(stack: Stack) -> bool:
    """Tell whether |h| is at most 1, whatever is read."""
    return quantized.is_bounded(stack.kind, stack.nonlinear())


def floats_of(stack: Stack) -> dict[str, dict[str, Tensor]]:
    """Find the weights that a layer computes with in evaluation, of each layer and direction by its suffix."""
    listed = dict(zip(stack._flat_weights_names, stack.weights(), strict=True))
    for depth in range(stack.num_layers):
        listed |= stack.normalised(depth, None)
    found: dict[str, dict[str, Tensor]] = {}
    ways = ("", "_reverse") if stack.bidirectional else ("",)
    for suffix in (f"_l{depth}{way}" for depth in range(stack.num_layers) for way in ways):
        own = {name: listed.get(f"{name}{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        found[suffix] = {name: w.detach().float().contiguous() for name, w in own.items() if w is not None}
    return found


def of_arrays(stack: Stack, names: Collection[str]) -> Quantized:
    """Make the layer in int8 whose arrays have these names, to be filled by `load_state_dict`."""
    floats, inner = "scale_ih_l0" not in names, stack.num_layers > 1 and "scale_ih_l1" not in names
    return Quantized(stack, floats=floats, inner_floats=inner)
