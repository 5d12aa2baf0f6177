"""Which box is which track's: the assignment of the greatest gain, computed apart for boxes that lie apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int64
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .geometry import Rows

_WHOLE = 4096  # pairs of tracks and boxes up to which all are looked at together


def assigned(
    own: Rows, others: Rows, gains: Float[np.ndarray, " rows"], tracks: int, boxes: int
) -> Int64[np.ndarray, " chosen"]:
    """The pairs of the assignment with the greatest sum of gains; a pair that gains nothing is never taken.

    Args:
        own: the track of each pair.
        others: the box of each pair.
        gains: of each pair.
        tracks: how many there are.
        boxes: how many there are.
    """
    kept = np.flatnonzero(gains > 0)
    if not kept.size:
        return kept
    if tracks * boxes <= _WHOLE:
        return _solved(own, others, gains, kept, tracks, boxes)
    nodes = tracks + boxes
    graph = coo_array((np.ones(len(kept)), (own[kept], tracks + others[kept])), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    of_pair = component[own[kept]]
    order = np.argsort(of_pair, kind="stable")
    bounds = np.flatnonzero(np.diff(of_pair[order], prepend=-1, append=-1))
    chosen = [_alone(own, others, gains, kept[order[a:b]]) for a, b in pairwise(bounds)]
    return np.sort(np.concatenate(chosen))


def _alone(own: Rows, others: Rows, gains: np.ndarray, pairs: Rows) -> Rows:
    """The assignment among the tracks and boxes of some pairs."""
    if len(pairs) == 1:
        return pairs
    tracks, a = np.unique(own[pairs], return_inverse=True)
    boxes, b = np.unique(others[pairs], return_inverse=True)
    found: Rows = pairs[_solved(a, b, gains[pairs], np.arange(len(pairs)), len(tracks), len(boxes))]
    return found


def _solved(own: Rows, others: Rows, gains: np.ndarray, pairs: Rows, tracks: int, boxes: int) -> Rows:
    table = np.zeros((tracks, boxes))
    number = np.full((tracks, boxes), -1)
    table[own[pairs], others[pairs]] = gains[pairs]
    number[own[pairs], others[pairs]] = pairs
    found = number[linear_sum_assignment(table, maximize=True)]
    chosen: Rows = found[found >= 0]
    return chosen
