"""Weights laid out for the fused kernels."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sluicegate import _core

from .arguments import Shape
from .cells import CELLS

RECURRENT = [cell.recurrent for cell in CELLS.values()]
"""By the number of a cell, whether it has recurrent weights and biases."""


class _Kept(NamedTuple):
    fingerprint: int
    panels: Tensor
    weights: list[weakref.ref[Tensor]]


# By the weights' identity, as long as they live. Without a lock, which a process forked at a bad moment would never
# get: nothing is done here but single operations of a dictionary, and what is found is believed by its fingerprint.
_kept: dict[tuple[object, ...], _Kept] = {}


LARGE = 4 << 20
"""Bytes from which on the system is asked for large pages: each call gets so much as fresh memory, in small ones."""


def in_large_pages(*results: Tensor | None) -> None:
    """Ask for large pages: of fresh memory, a MinGRU's outputs took as long to get as to compute.

    (9 ms of 21 for 1,000 steps of 32 rows and 128 units, and 2 of 14 so.)
    """
    for x in results:
        if x is not None and x.nbytes >= LARGE:
            _core.prefer_large_pages(x.data_ptr(), x.nbytes)


def lay_out(shape: Shape, weights: Sequence[Tensor], *, backward: bool = False) -> Tensor:
    """Lay out the weights of one direction.

    Args:
        shape: Of the layer.
        weights: `weight_ih, weight_hh` and, if there are biases, `bias_ih, bias_hh`; of a MinGRU what it has of them.
        backward: For the backward pass, not the forward one.

    Returns:
        The panels that `_core.forward` or `_core.backward` takes.
    """
    panels = weights[0].new_empty(_core.panel_floats(backward, shape))
    in_large_pages(panels)
    _core.pack(backward, shape, in_places(shape, [w.data_ptr() for w in weights]), panels.data_ptr())
    return panels


def in_places(shape: Shape, addresses: Sequence[int]) -> Sequence[int]:
    """Put the addresses of weights, or of their gradients, where the kernels look for them, and 0 where none are.

    Args:
        shape: Of the layer.
        addresses: In the order of the weights.

    Returns:
        Four of them.
    """
    if not RECURRENT[shape.cell]:
        return (addresses[0], 0, addresses[1] if len(addresses) == 2 else 0, 0)
    return (*addresses, 0, 0) if len(addresses) == 2 else addresses


def laid_out(shape: Shape, weights: Sequence[Tensor]) -> Tensor:
    """Lay out the weights of one direction for the forward pass, or find them as they were left by the last call.

    They are used again only while the weights themselves are the same: a fingerprint of every number in them says
    so. A version counter would not notice what `weight.data`, NumPy or another process writes.

    Args:
        shape: Of the layer.
        weights: As `lay_out` takes them.

    Returns:
        The panels that `_core.forward` takes.
    """
    key = (_core.isa(), shape, *map(id, weights))
    now = fingerprint(weights)
    known = _kept.get(key)
    if known is not None and known.fingerprint == now:
        return known.panels
    # Of a copy, so that they have its fingerprint even if another thread or process writes into the weights meanwhile.
    # By NumPy: to copy many numbers, PyTorch wakes the threads of OpenMP, for which a forked child waits in vain.
    own = [torch.from_numpy(w.numpy(force=True).copy()) for w in weights]
    panels = lay_out(shape, own)
    forget = partial(_kept.pop, key)  # called with a reference, which is what `pop` gives if there is nothing
    _kept[key] = _Kept(fingerprint(own), panels, [weakref.ref(w, forget) for w in weights])
    return panels


def fingerprint(weights: Sequence[Tensor]) -> int:
    """Sum up every number of contiguous weights, so that a change of any is noticed."""
    return _core.fingerprint([(w.data_ptr(), w.numel()) for w in weights])
