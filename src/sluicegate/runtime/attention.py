"""Pooling by attention and maximum of networks that read both ways.

    a_t = exp(s_t - max s) / sum over t of exp(s_t - max s)     in doubles, rounded once
    m   = sum over t of a_t h_t                                 t from the first step of a row to its last
    u   = max over t of h_t

A step after the other, place by place: no bit hangs on what is read beside a row, nor on how far it is filled up.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray


def attended(states: ndarray, scores: ndarray, lengths: ndarray) -> tuple[ndarray, ndarray]:
    """Pool the states of each row.

    Args:
        states: 32-bit floats `[rows steps units]`.
        scores: of the attention, `[rows steps]`.
        lengths: how many steps each row has, at least 1.

    Returns:
        The mean by attention and the largest of each unit, 32-bit floats `[rows units]`.
    """
    order = np.argsort(-lengths, kind="stable")  # so that the rows that go on come first
    there = np.searchsorted(-lengths[order], -np.arange(states.shape[1])).tolist()  # how many rows have each step
    weights = shares(scores, lengths)[order]
    states = states if (order[1:] > order[:-1]).all() else states[order]
    mean = np.zeros((len(states), states.shape[2]), np.float32)
    largest = np.full_like(mean, -np.inf)
    for step, rows in enumerate(there):
        now = states[:rows, step]
        mean[:rows] += weights[:rows, step, None] * now
        np.maximum(largest[:rows], now, out=largest[:rows])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return mean[back], largest[back]


def shares(scores: ndarray, lengths: ndarray) -> ndarray:
    """The share of each step in the mean of its row, 32-bit floats `[rows steps]`; 0 beyond its end."""
    exact = np.where(np.arange(scores.shape[1]) < lengths[:, None], scores.astype(np.float64), -np.inf)
    raised = np.exp(exact - exact.max(1, keepdims=True))
    total = np.zeros(len(raised))
    for step in range(raised.shape[1]):
        total += raised[:, step]
    found: ndarray = (raised / total[:, None]).astype(np.float32)
    return found


def mean_of(several: list[ndarray]) -> ndarray:
    """The mean of several networks' logits, added up one after the other."""
    total = several[0]
    for other in several[1:]:
        total = total + other
    mean: ndarray = total / np.float32(len(several))
    return mean
