"""Which tokens of a frame are worth following."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import DataError

from ..alignment import BLANK


class Sifted(NamedTuple):
    """A frame."""

    blank: float
    """The probability of the blank."""
    others: list[tuple[int, float]]
    """The tokens that are worth following, with the probability of each."""


def sift(log_probs: Float32[np.ndarray, "frames tokens"], threshold: float, most: int) -> Iterator[Sifted]:
    """Tell of each frame the tokens that are not much less probable than its best one.

    Args:
        log_probs: natural logarithms of the probabilities of the tokens, of which 0 is the blank.
        threshold: the difference from the best of a frame up to which a token is worth following.
        most: tokens of a frame beside the blank.

    Raises:
        DataError: a frame is none of logarithms of probabilities.
    """
    top = log_probs.max(1, keepdims=True, initial=-np.inf)
    if not np.isfinite(top).all():
        raise DataError(
            "the lattice holds NaN, infinity, or a frame in which nothing is probable: expected logarithms of "
            "probabilities; check the recording and the network that heard it"
        )
    worth = log_probs >= top - np.float32(threshold)
    worth[:, BLANK] = False
    for frame in np.flatnonzero(worth.sum(1) > most) if worth.shape[1] > most + 1 else ():
        among = np.flatnonzero(worth[frame])
        worth[frame, among[np.argpartition(log_probs[frame, among], -most)[:-most]]] = False
    frames, tokens = worth.nonzero()
    ends = np.cumsum(worth.sum(1)).tolist()
    numbers, chances = tokens.tolist(), log_probs[frames, tokens].tolist()
    begin = 0
    # The exponential of one number at a time: that of an array may hang on where in it a number stands.
    for end, blank in zip(ends, log_probs[:, BLANK].tolist(), strict=True):
        others = [
            (token, math.exp(chance)) for token, chance in zip(numbers[begin:end], chances[begin:end], strict=True)
        ]
        yield Sifted(math.exp(blank), others)
        begin = end
