"""A step of a cell in one call of the compiled module, which looks at the tensors itself.

It takes plain tensors alone: of 32-bit floats in memory, each number after the other. For the rest these functions
return None, and `kernel_calls` takes the trouble, or tells what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sluicegate import _core

from .cells import ACTIVATIONS, CELLS, GATES
from .packing import in_large_pages

SAVED = {name: len(cell.saved) for name, cell in CELLS.items()}
"""How many numbers training keeps of a unit."""

_KINDS = {(name, how): (cell.number, i) for name, cell in CELLS.items() for i, how in enumerate(ACTIVATIONS)}


def can_take(cell: str) -> bool:
    """Tell whether there is a call for a step of the cell: there is none in releases of PyTorch before 2.10."""
    return CELLS[cell].recurrent and hasattr(Tensor, "__dlpack_c_exchange_api__")


def take(
    x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor], cell: str, activation: str, keep: bool
) -> tuple[Tensor, Tensor | None, Tensor | None] | None:
    """Compute a step: h, c (of an LSTM), and what training keeps (with `keep`)."""
    batch, hidden = x.shape[0], weights[0].shape[0] // GATES[cell]
    h = x.new_empty(batch, hidden)
    c = x.new_empty(batch, hidden) if cell == "lstm" else None
    saved = x.new_empty(batch, SAVED[cell] * hidden) if keep else None
    kind, threads = _KINDS[cell, activation], torch.get_num_threads()
    done = _core.take_step(kind, x, h0, c0, weights, h, c, saved, hidden, threads)
    return (h, c, saved) if done else None


def take_back(
    d_h: Tensor | None, d_c: Tensor | None, x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor],
    saved: Tensor, cell: str, activation: str, wanted: Sequence[bool],
) -> list[Tensor | None] | None:  # fmt: skip
    """Compute the gradients of the input, the states and the weights of a step, None of those not `wanted`."""
    d_h, d_c = (g if g is None else g.contiguous() for g in (d_h, d_c))
    given = (x, h0, c0, *weights)
    found = [torch.empty_like(t) if w and t is not None else None for t, w in zip(given, wanted, strict=True)]
    in_large_pages(*found)
    d_x, d_h0, d_c0, *d_weights = found
    kind, hidden, threads = _KINDS[cell, activation], saved.shape[1] // SAVED[cell], torch.get_num_threads()
    done = _core.take_step_back(kind, x, h0, c0, weights, saved, d_h, d_c, d_x, d_h0, d_c0, d_weights, hidden, threads)
    return found if done else None
