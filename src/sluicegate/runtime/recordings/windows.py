"""Recordings in windows, as networks that read both ways take them."""

from __future__ import annotations

import numpy as np
from numpy import ndarray


def begins_of(length: int, window: int) -> list[int]:
    """Where the windows of a recording begin: a short one is a window, a long one as many as cover it by halves."""
    count = 1 if length <= window else -(-(length - window) // max(1, window // 2)) + 1
    begins: list[int] = np.linspace(0, max(0, length - window), count).astype(np.int64).tolist()
    return begins


def beside(parts: list[ndarray]) -> tuple[ndarray, ndarray]:
    """Parts of recordings, `[steps features]`, beside one another, filled up behind by zeros, and their lengths."""
    lengths = np.array([len(part) for part in parts], np.int64)
    values = np.zeros((len(parts), int(lengths.max()), parts[0].shape[1]), np.float32)
    for row, part in enumerate(parts):
        values[row, : len(part)] = part
    return values, lengths
