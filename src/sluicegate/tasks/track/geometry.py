"""Boxes as the tracker computes with them: centre, width and height, and changes by the size of the box."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64, Int64

Centres: TypeAlias = Float64[np.ndarray, "_ 4"]
"""x and y of the centre, width and height."""
Quads: TypeAlias = Float64[np.ndarray, "... 4"]
"""Boxes, or changes of them, in any arrangement."""
Rows: TypeAlias = Int64[np.ndarray, " _"]

_MOST_CHANGE = 3.0  # of the logarithm of a side
_WHOLE = 4096  # pairs of boxes up to which all are looked at together


def centred(boxes: Quads) -> Quads:
    """The same boxes by their centres."""
    found = boxes.copy()
    found[..., :2] += 0.5 * boxes[..., 2:]
    return found


def cornered(boxes: Quads) -> Quads:
    """The same boxes by their upper left corners."""
    found = boxes.copy()
    found[..., :2] -= 0.5 * boxes[..., 2:]
    return found


def sizes(boxes: Quads) -> Float64[np.ndarray, ...]:
    """The square root of the area of each, in pixels."""
    found: Float64[np.ndarray, ...] = np.sqrt(boxes[..., 2] * boxes[..., 3])
    return found


def changes(before: Quads, after: Quads) -> Quads:
    """From boxes to others: how far the centre is, in sizes of the box, and the logarithms of the ratios of sides."""
    found = np.empty(np.broadcast_shapes(before.shape, after.shape))
    found[..., :2] = (after[..., :2] - before[..., :2]) / sizes(before)[..., None]
    found[..., 2:] = np.log(after[..., 2:] / before[..., 2:])
    return found


def changed(before: Quads, by: np.ndarray) -> Quads:
    """Boxes after such changes."""
    found = np.empty(np.broadcast_shapes(before.shape, by.shape))
    found[..., :2] = before[..., :2] + by[..., :2] * sizes(before)[..., None]
    found[..., 2:] = before[..., 2:] * np.exp(np.clip(by[..., 2:], -_MOST_CHANGE, _MOST_CHANGE))
    return found


def overlap_of_pairs(first: Centres, second: Centres) -> Float64[np.ndarray, " boxes"]:
    """The intersection over the union of boxes and the others in the same rows."""
    half_first, half_second = 0.5 * first[:, 2:], 0.5 * second[:, 2:]
    end = np.minimum(first[:, :2] + half_first, second[:, :2] + half_second)
    begin = np.maximum(first[:, :2] - half_first, second[:, :2] - half_second)
    sides = np.maximum(end - begin, 0.0)
    shared = sides[:, 0] * sides[:, 1]
    found: Float64[np.ndarray, " boxes"] = shared / (first[:, 2] * first[:, 3] + second[:, 2] * second[:, 3] - shared)
    return found


def near_pairs(tracks: Centres, boxes: Centres, reach: Float64[np.ndarray, " tracks"]) -> tuple[Rows, Rows]:
    """The pairs of tracks and boxes whose centres are near one another, along each side.

    Args:
        tracks: where the tracks are expected.
        boxes: those that were seen.
        reach: how far the centre of a box may be from that of each track, in pixels.
    """
    if len(tracks) * len(boxes) <= _WHOLE:
        off = np.abs(tracks[:, None, :2] - boxes[None, :, :2])
        found = np.nonzero((off[..., 0] <= reach[:, None]) & (off[..., 1] <= reach[:, None]))
        return found[0], found[1]
    order = np.argsort(boxes[:, 0], kind="stable")
    across = boxes[order, 0]
    begin = np.searchsorted(across, tracks[:, 0] - reach, "left")
    count = np.searchsorted(across, tracks[:, 0] + reach, "right") - begin
    own = np.repeat(np.arange(len(tracks)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    others = order[np.repeat(begin, count) + offset]
    kept = np.abs(tracks[own, 1] - boxes[others, 1]) <= reach[own]
    return own[kept], others[kept]


def near_overlaps(boxes: Centres, counted: Bool[np.ndarray, " boxes"]) -> Float64[np.ndarray, " boxes"]:
    """The greatest overlap of each box with another of those that are counted.

    Args:
        boxes: all of them.
        counted: those with which the overlap counts.
    """
    count = len(boxes)
    if count * count <= _WHOLE:
        own, others = np.nonzero(np.broadcast_to(counted, (count, count)) & ~np.eye(count, dtype=bool))
    else:
        own, others = near_pairs(boxes, boxes, boxes[:, 2:].max(1))
        kept = counted[others] & (own != others)
        own, others = own[kept], others[kept]
    found = np.zeros(count)
    np.maximum.at(found, own, overlap_of_pairs(boxes[own], boxes[others]))
    return found
