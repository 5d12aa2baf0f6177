"""What is pushed: tensors of PyTorch's or arrays of NumPy's, held to their shape and type."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from sluicegate.errors import DataError


def as_array(x: Any, dtype: np.dtype[Any], shapes: tuple[tuple[int | None, ...], ...], names: str) -> ndarray:
    """Take what was pushed as an array.

    Args:
        x: A tensor or an array.
        dtype: Of what type its numbers must be. Any are taken, NaN too: a layer computes with them.
        shapes: Those that it may have, where None stands for any size.
        names: The same in words.

    Returns:
        The array, which may share its memory.

    Raises:
        DataError: It is something else.
    """
    if isinstance(x, Tensor):
        if not x.is_cpu or x.layout is not torch.strided:
            raise DataError(f"`x` is a {x.layout} tensor on the device {x.device.type!r}: give a dense one on the CPU")
        if x.numel() and not x.data_ptr():
            raise DataError("`x` is a tensor whose memory was freed: give one that still has its numbers")
        same = x.dtype is _IN_TORCH[dtype]
    elif isinstance(x, ndarray) and not isinstance(x, np.ma.MaskedArray):
        same = x.dtype == dtype
    else:
        raise DataError(f"`x` (of type {type(x).__name__}) must be a tensor of PyTorch's or a plain array of NumPy's")
    if not any(_fits(x.shape, shape) for shape in shapes):
        raise DataError(f"`x` has the shape {tuple(x.shape)}, and must be {names}")
    if not same:
        kind = f"torch.{dtype}" if isinstance(x, Tensor) else f"np.{dtype}"
        raise DataError(f"`x` is of the type {x.dtype}, and the layer of {dtype}: convert it to {kind}")
    array = x.numpy(force=True) if isinstance(x, Tensor) else x
    return array if array.flags.aligned else array.copy()


_IN_TORCH = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}


def _fits(found: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(found) == len(shape) and all(b in (None, a) for a, b in zip(found, shape, strict=True))
