"""What the networks read: of a box that was seen, of a track and a box, and of a track."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from .geometry import Centres, Rows, changes, near_overlaps, overlap_of_pairs, sizes

_LEAST_STEP = 0.02  # seconds, by which a change is divided at least
_SHORT = 0.03  # seconds, from which logarithms of times begin
_CLIPPED = 6.0
OVERLAP = 5
"""Of the values of a pair, its overlap."""
SEEN = 0
"""Of the values of a track, whether it was seen."""


def step_values(
    before: Centres, boxes: Centres, seconds: Float64[np.ndarray, " boxes"], scores: Float64[np.ndarray, " boxes"]
) -> Float32[np.ndarray, "boxes 13"]:
    """Of boxes that were seen.

    Args:
        before: the boxes of the same tracks that were seen before; of a new track, the same as `boxes`.
        boxes: those that were seen.
        seconds: since then; 0 for a new track.
        scores: how sure the detector was of each.
    """
    found = np.empty((*boxes.shape[:-1], 13), np.float32)
    moved = changes(before, boxes)
    found[..., :4] = moved
    found[..., 4:8] = moved / np.maximum(seconds, _LEAST_STEP)[..., None]
    found[..., 8] = np.log(seconds + _SHORT)
    found[..., 9] = scores
    found[..., 10] = np.log(boxes[..., 2] / boxes[..., 3])
    found[..., 11] = np.log(sizes(boxes) / 100)
    found[..., 12] = seconds == 0
    return np.clip(found, -_CLIPPED, _CLIPPED, out=found)


def pair_values(
    own: Rows,
    others: Rows,
    *,
    predicted: Centres,
    scales: Float32[np.ndarray, "tracks 4"],
    anchors: Centres,
    seconds: Float64[np.ndarray, " tracks"],
    known: Float64[np.ndarray, "tracks 2"],
    boxes: Centres,
    scores: Float64[np.ndarray, " boxes"],
    same: Float64[np.ndarray, " rows"],
) -> Float32[np.ndarray, "rows 16"]:
    """Of pairs of a track and a box that was seen.

    Args:
        own: the track of each pair.
        others: the box of each pair.
        predicted: where each track is expected.
        scales: the logarithms of how far off that may be.
        anchors: where each track was seen last.
        seconds: since then.
        known: of each track, the mean score and the logarithm of the boxes that were seen.
        boxes: those that were seen.
        scores: how sure the detector was of each.
        same: whether track and box are of one class.
    """
    found = np.empty((len(own), 16), np.float32)
    seen, where, log_scale = boxes[others], predicted[own], scales[own]
    off = changes(where, seen)
    unlikely = np.abs(off) * np.exp(-log_scale)
    overlap = overlap_of_pairs(where, seen)
    found[:, :4] = unlikely
    found[:, 4] = 0.25 * (unlikely.sum(1) + log_scale.sum(1))
    found[:, OVERLAP] = overlap
    found[:, 6] = overlap_of_pairs(anchors[own], seen)
    found[:, 7] = np.log(seconds + _SHORT)[own]
    found[:, 8] = scores[others]
    found[:, 9:11] = known[own]
    found[:, 11] = overlap - _best_other(own, overlap, len(predicted))
    found[:, 12] = overlap - _best_other(others, overlap, len(boxes))
    found[:, 13] = off[:, 2] + off[:, 3]
    found[:, 14] = 0.5 * (log_scale[:, 0] + log_scale[:, 1])
    found[:, 15] = same
    return np.clip(found, -_CLIPPED, _CLIPPED, out=found)


def track_values(
    *,
    boxes: Centres,
    scales: Float32[np.ndarray, "tracks 4"],
    seen: Float64[np.ndarray, " tracks"],
    lost: Float64[np.ndarray, " tracks"],
    hits: Float64[np.ndarray, " tracks"],
    run: Float64[np.ndarray, " tracks"],
    steps: Float64[np.ndarray, " tracks"],
    mean_score: Float64[np.ndarray, " tracks"],
    score: Float64[np.ndarray, " tracks"],
    match: Float64[np.ndarray, " tracks"],
) -> Float32[np.ndarray, "tracks 10"]:
    """Of tracks after a frame.

    Neither sizes in pixels nor ages are among them: with these, the judgement of videos unlike those of training was
    worse, by a third in one of five that was left out.

    Args:
        boxes: where each is.
        scales: the logarithms of how far off that may be.
        seen: whether each was seen in this frame.
        lost: seconds since it was.
        hits: how often.
        run: of these, how often in a row, up to the last time.
        steps: frames since the first time, that one too.
        mean_score: of the boxes that were seen.
        score: of the last one.
        match: the logit with which that was taken for the track's.
    """
    found = np.empty((len(boxes), 10), np.float32)
    found[:, SEEN] = seen
    found[:, 1] = np.log(lost + _SHORT)
    found[:, 2] = np.log1p(hits)
    found[:, 3] = hits / steps
    found[:, 4] = mean_score
    found[:, 5] = score
    found[:, 6] = np.log1p(run)
    found[:, 7] = match * 0.5
    found[:, 8] = 0.5 * (scales[:, 0] + scales[:, 1])
    found[:, 9] = near_overlaps(boxes, seen > 0)
    return np.clip(found, -_CLIPPED, _CLIPPED, out=found)


def _best_other(group: Rows, overlap: Float64[np.ndarray, " rows"], groups: int) -> Float64[np.ndarray, " rows"]:
    """The greatest overlap of the other pairs of the same group; 0 where there is none."""
    best, second = np.zeros(groups), np.zeros(groups)
    np.maximum.at(best, group, overlap)
    first = overlap >= best[group]
    np.maximum.at(second, group[~first], overlap[~first])
    found: Float64[np.ndarray, " rows"] = np.where(first, second[group], best[group])
    return found
