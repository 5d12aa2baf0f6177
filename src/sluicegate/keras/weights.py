"""The weights of a cell in Keras' order and in ours.

Gate order: Keras has the update gate `z` first, then `r`, then the candidate; PyTorch, and all of ours, `r`, `z`, `n`.
To change places is the same there and back. An LSTM's gates are in one order in both. Keras' matrices are the
transposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import Tensor

Weights: TypeAlias = Sequence[Any]
"""Tensors: the kernel, the recurrent kernel, and the bias; None in its place if there is none."""


def in_our_order(cell: str, weights: Weights) -> list[Tensor]:
    """Give the weights of one cell of Keras' as those of ours.

    Args:
        cell: One of `ops.cells.CELLS`.
        weights: Keras' own.

    Returns:
        `weight_ih`, `weight_hh` and, if there is a bias, `bias_ih`, `bias_hh`.
    """
    kernel, recurrent, bias = weights
    turned = [_turned(cell, kernel.t()), _turned(cell, recurrent.t())]
    if bias is None:
        return turned
    if bias.dim() == 2:
        return [*turned, *_turned(cell, bias, 1).unbind(0)]
    return [*turned, _turned(cell, bias), torch.zeros_like(bias)]


def in_keras_order(cell: str, weights: Sequence[Tensor | None], *, single: bool) -> list[Tensor | None]:
    """Do the opposite, of weights or of their gradients; None of what is None.

    Args:
        cell: One of `ops.cells.CELLS`.
        weights: In the order of ours.
        single: Whether Keras has one bias, that of the input, and not two.

    Returns:
        The kernel, the recurrent kernel, and the bias; None in its place if there is none.
    """
    kernel, recurrent = (None if w is None else _turned(cell, w.t(), 1) for w in weights[:2])
    if len(weights) == 2 or weights[2] is None:
        return [kernel, recurrent, None]
    if single:
        return [kernel, recurrent, _turned(cell, weights[2])]
    return [kernel, recurrent, _turned(cell, torch.stack([*weights[2:4]]), 1)]  # type: ignore[list-item]


def _turned(cell: str, weight: Tensor, axis: int = 0) -> Tensor:
    """Bring the gates along an axis from Keras' order into ours, or back."""
    if not cell.startswith("gru"):
        return weight.contiguous()
    if torch.compiler.is_compiling():  # what is made here is part of a graph
        first, second, third = weight.chunk(3, axis)
        return torch.cat([second, first, third], axis)
    return weight.index_select(axis, _places(weight.shape[axis] // 3))


@cache
def _places(units: int) -> Tensor:
    places = torch.arange(3 * units, device="cpu")
    return torch.cat([places[units : 2 * units], places[:units], places[2 * units :]])
