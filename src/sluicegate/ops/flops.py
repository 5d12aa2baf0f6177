"""What `torch.utils.flop_counter.FlopCounterMode` counts for a layer: what it counts for PyTorch's own.

That is two for each multiplication in the products of matrices that PyTorch would compute, step by step, and nothing
for gates and biases. Where PyTorch hands an LSTM to oneDNN, in whose operator it counts nothing, nothing is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from . import kernel_calls


def of_forward(*arguments: Any, **_: Any) -> int:
    """Count a forward pass, with the arguments of the operator `layer`."""
    x, _, _, weights, lengths, _, offsets, *options = arguments
    if _is_onednns(x, lengths, options):
        return 0
    products: int = sum(w.numel() for w in weights if w.dim() == 2)
    return 2 * _rows(x, lengths, offsets) * products


def of_backward(*arguments: Any, **_: Any) -> int:
    """Count a backward pass, with the arguments of the operator `layer_backward`: of what is `wanted`."""
    x, _, _, weights, _, _, lengths, _, offsets, *options = arguments[3:]
    if _is_onednns(x, lengths, options):
        return 0
    (cell, _, biased, batch_first, _, _, wanted), rows = options, _rows(x, lengths, offsets)
    per, total = kernel_calls.per_direction(cell, biased=biased), 0
    for first in range(0, len(weights), per):
        for i, weight in enumerate(weights[first : first + per]):
            if weight.dim() != 2:
                continue
            products = rows * wanted[3 + first + i]  # of the weight
            if i == 0:
                products += rows * wanted[0]  # of the input
            else:  # of the state before each step, but for the first if no state was given that wants one
                begin = 0 if wanted[1] else _beginning(x, lengths, batch_first, reverse=first > 0)
                products += rows - min(rows, begin)
            total += 2 * products * weight.numel()
    return total


def _is_onednns(x: Tensor, lengths: Any, options: Sequence[Any]) -> bool:
    return options[0] == "lstm" and x.dim() == 3 and lengths is None and bool(torch.backends.mkldnn.enabled)


def _rows(x: Tensor, lengths: Any, offsets: Any) -> int:
    """Count the rows of all steps."""
    if lengths is None or offsets is not None:
        return x.shape[:-1].numel()
    return int(lengths.sum())


def _beginning(x: Tensor, lengths: Any, batch_first: bool, *, reverse: bool) -> int:
    """Count the rows of the step that is computed first; in the backward direction, those that are the longest."""
    if lengths is None:
        return x.shape[0] if x.dim() == 2 or batch_first else x.shape[1]
    if not len(lengths):
        return 0
    return int((lengths >= (lengths.max() if reverse else 1)).sum())
