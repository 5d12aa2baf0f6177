"""Weights laid out for the fused kernels."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from sluicegate import _core

Shape: TypeAlias = tuple[int, int, int, int]
"""A layer as the kernels take it: the numbers of its cell and its activation, its inputs and its units."""

KEPT_BYTES = 1 << 28
"""What is kept of layers at most: beyond it the one that was not used for the longest time is laid out anew."""

_kept: OrderedDict[tuple[object, ...], tuple[int, Tensor]] = OrderedDict()
_lock = threading.Lock()


def lay_out(shape: Shape, weights: Sequence[Tensor], *, backward: bool = False) -> Tensor:
    """Lay out the weights of one direction.

    Args:
        shape: Of the layer.
        weights: `weight_ih, weight_hh` and, if there are biases, `bias_ih, bias_hh`.
        backward: For the backward pass, not the forward one.

    Returns:
        The panels that `_core.forward` or `_core.backward` takes.
    """
    panels = torch.empty(_core.panel_floats(backward, shape), dtype=torch.float32)
    addresses = [w.data_ptr() for w in weights]
    _core.pack(backward, shape, (*addresses, 0, 0) if len(addresses) == 2 else addresses, panels.data_ptr())
    return panels


def laid_out(shape: Shape, weights: Sequence[Tensor]) -> Tensor:
    """Lay out the weights of one direction for the forward pass, or find them as they were left by the last call.

    They are used again only while the weights themselves are the same: a fingerprint of every number in them says
    so. A version counter would not notice what `weight.data`, NumPy or another process writes.

    Args:
        shape: Of the layer.
        weights: `weight_ih, weight_hh` and, if there are biases, `bias_ih, bias_hh`.

    Returns:
        The panels that `_core.forward` takes.
    """
    arrays = [(w.data_ptr(), w.numel()) for w in weights]
    key, now = (_core.isa(), shape, *arrays), _core.fingerprint(arrays)
    with _lock:
        before, panels = _kept.get(key, (None, None))
        if panels is not None and before == now:
            _kept.move_to_end(key)
            return panels
    panels = lay_out(shape, weights)
    with _lock:
        _kept[key] = (now, panels)
        while len(_kept) > 1 and sum(kept.nbytes for _, kept in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)
    return panels
