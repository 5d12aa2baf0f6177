"""Pooling of networks that read one way, and the mean of their logits, frame by frame.

    m_j = m_(j-1) + (h_j - m_(j-1)) / min(j, n)      the running mean, which from n on forgets
    u_j = max(h_j, v_j)                              the running maximum, which from n on sinks towards the mean:
    v_j = u_(j-1) + [j > n] (m_j - u_(j-1)) / n

j counts from 1, and n is how many frames a window of training has. All is done place by place, in doubles, and summed
along the last axis in an order that hangs on its length alone: so no bit hangs on how a sequence is cut, nor on what is
read beside it.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

_AT_ONCE = 2**20  # products of the output layers


def pooled_onwards(
    hidden: ndarray, mean: ndarray, largest: ndarray, before: int, memory: int
) -> tuple[ndarray, ndarray, ndarray]:
    """Go on from where it was left.

    Args:
        hidden: the states of each network, doubles `[frames members rows hidden]`.
        mean: after the last frame before these, doubles `[members rows hidden]`.
        largest: likewise.
        before: how many frames there were.
        memory: n.

    Returns:
        The states, mean and maximum of each frame, doubles `[frames rows members 3 * hidden]`, and the last mean and
        maximum.
    """
    pooled = np.empty((*hidden.shape[:-1], 3 * hidden.shape[-1]))
    for j, (now, place) in enumerate(zip(hidden, pooled, strict=True), before + 1):
        mean = mean + (now - mean) / min(j, memory)
        sunk = largest + (mean - largest) / memory if j > memory else largest
        largest = np.maximum(now, sunk) if j > 1 else now.copy()
        np.concatenate([now, mean, largest], axis=-1, out=place)
    return pooled.swapaxes(1, 2), mean, largest


def pooled_steps(
    now: ndarray, mean: ndarray, largest: ndarray, frame: ndarray, memory: int
) -> tuple[ndarray, ndarray, ndarray]:
    """One frame of each of several sequences, of which each may be at another place; the bits are as above.

    Args:
        now: the states of each network, doubles `[members rows hidden]`.
        mean: before this frame, likewise.
        largest: likewise.
        frame: the number of the frame in its sequence, from 1, `[rows]`.
        memory: n.

    Returns:
        The states, mean and maximum, doubles `[rows members 3 * hidden]`, and the mean and the maximum.
    """
    j = frame[:, None]
    mean = mean + (now - mean) / np.minimum(j, memory)
    sunk = np.where(j > memory, largest + (mean - largest) / memory, largest)
    largest = np.where(j > 1, np.maximum(now, sunk), now)
    return np.concatenate([now, mean, largest], axis=-1).swapaxes(0, 1), mean, largest


def mean_logits(pooled: ndarray, weight: ndarray, bias: ndarray) -> ndarray:
    """The mean of several networks' logits.

    Args:
        pooled: what their output layers are given, doubles `[places members pooled]`.
        weight: of their output layers, doubles `[members classes pooled]`.
        bias: likewise `[members classes]`.

    Returns:
        Doubles `[places classes]`.
    """
    size = max(1, _AT_ONCE // weight.size)
    logits = np.empty((len(pooled), *bias.shape))
    for begin in range(0, len(pooled), size):
        part = slice(begin, begin + size)
        logits[part] = (pooled[part, :, None, :] * weight).sum(-1) + bias
    total = logits[:, 0]
    for k in range(1, logits.shape[1]):
        total = total + logits[:, k]
    mean: ndarray = total / logits.shape[1]
    return mean
