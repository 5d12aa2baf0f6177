"""Forced alignment: in which frames of a CTC lattice the tokens of a known text are said.

States are the tokens with a blank before, between and behind them; a path begins in one of the first two, ends in one
of the last two, and at each frame stays, goes on by one, or by two over a blank between different tokens (Graves et al.
2006). The best of all paths is found by the Viterbi algorithm, for all states of a frame at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

from sluicegate.errors import DataError

BLANK = 0


def align(log_probs: Float32[np.ndarray, "frames tokens"], tokens: Sequence[int]) -> list[tuple[int, int]]:
    """Find the frames of each token on the most probable path of a text.

    Args:
        log_probs: natural logarithms of the probabilities of the tokens, of which 0 is the blank.
        tokens: of the text, without blanks.

    Returns:
        The first and the past-the-last frame of each token, in order, never overlapping.

    Raises:
        DataError: a token is none of the lattice's, or no path of these frames has this text.

    Example:
        >>> said = np.log(np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], np.float32))
        >>> align(said, [1, 2])
        [(1, 3), (3, 4)]
    """
    kinds = log_probs.shape[1]
    if wrong := [token for token in tokens if not 0 < token < kinds]:
        raise DataError(f"`tokens` has {wrong[0]}, but the lattice has the tokens 1 to {kinds - 1} beside the blank")
    if not tokens:
        return []
    states = best_path(log_probs, tokens)
    if states is None:
        raise DataError(
            f"a text of {len(tokens)} tokens has no path through {len(log_probs)} frames: give a frame for each token, "
            "and one more between two that are equal"
        )
    spans = []
    for place in range(len(tokens)):
        frames = np.flatnonzero(states == 2 * place + 1)
        spans.append((int(frames[0]), int(frames[-1]) + 1))
    return spans


def best_path(
    log_probs: Float32[np.ndarray, "frames tokens"], tokens: Sequence[int]
) -> Int64[np.ndarray, " frames"] | None:
    """Find the most probable path of a text.

    Args:
        log_probs: of the lattice.
        tokens: of the text, without blanks.

    Returns:
        The state at each frame: an even one is a blank, and 2 k + 1 the token at k; None where there is no path.
    """
    states = np.full(2 * len(tokens) + 1, BLANK, dtype=np.int64)
    states[1::2] = tokens
    over = np.full(len(states), -np.inf)  # from the token before, over a blank: not between two that are equal
    over[3::2] = np.where(states[3::2] != states[1:-2:2], 0.0, -np.inf)
    # Of a path until now, behind two states that there are not; before the first frame as if in a blank.
    worth = np.full(len(states) + 2, -np.inf)
    worth[2] = 0.0
    stay, one, two = worth[2:], worth[1:-1], worth[:-2]
    by_one, by_two = np.empty((2, len(log_probs), len(states)), dtype=bool)
    emitted = log_probs[:, states].astype(np.float64)
    for frame in range(len(log_probs)):
        best = np.maximum(stay, one)
        np.greater(one, stay, out=by_one[frame])
        skipped = two + over
        np.greater(skipped, best, out=by_two[frame])
        np.maximum(best, skipped, out=best)
        np.add(best, emitted[frame], out=stay)
    state = len(states) - 1 if not tokens or worth[-1] > worth[-2] else len(states) - 2
    if np.isinf(stay[state]) if len(log_probs) else tokens:
        return None
    path = np.empty(len(log_probs), dtype=np.int64)
    for frame in range(len(log_probs) - 1, -1, -1):
        path[frame] = state
        state -= 2 if by_two[frame, state] else int(by_one[frame, state])
    return path
