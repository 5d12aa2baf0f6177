"""Recordings that are there several times: equal ones, and those that differ by little more than rounding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32, Int64

from sluicegate.data import Recordings
from sluicegate.tasks.classification.equal_rows import numbered
from sluicegate.tasks.classification.minirocket import Values

from .baselines import resampled

ALIKE = "they differ by less than 2 % of what sets either apart from the mean"
"""What makes two recordings nearly equal, for a note."""

_APART = 0.02
_LENGTHS = 0.02  # by which the lengths may differ
_BANDS, _BITS = 4, 16  # of recordings that differ by 2 % nearly all are found
_AT_ONCE = 1000  # recordings that are brought to one length together

Rows = Int64[np.ndarray, " rows"]
Pairs = Int64[np.ndarray, "pairs 2"]


def equal_recordings(*several: Recordings) -> Rows:
    """A number for each recording, the same for those of the same numbers."""
    return numbered(_digest(part) for recordings in several for part in recordings.values)


def _digest(part: np.ndarray) -> bytes:
    exact = np.ascontiguousarray(part, dtype=np.float64) + 0.0  # zeros with and without a sign are the same
    return hashlib.blake2b(exact.tobytes() + str(exact.shape).encode(), digest_size=16).digest()


def near_recordings(recordings: Sequence[Values], content: Rows) -> Pairs:
    """Pairs of rows whose recordings are not equal but nearly so, brought to one length.

    Recordings that lie on the same sides of random planes are compared (Charikar 2002), each with the next of its
    bucket, so that the time grows as the recordings do; some pairs are missed. `content` numbers equal recordings.
    """
    first = np.unique(content)
    found = [np.empty((0, 2), dtype=np.int64)]
    if len(first) > 1:
        lengths = np.array([len(recordings[i]) for i in first.tolist()])
        mean = np.sum([part.sum(0, dtype=np.float64) for part in _parts(recordings, first)], axis=0) / len(first)
        normals = np.random.default_rng(0).normal(size=(len(mean), _BANDS * _BITS)).astype(np.float32)
        sides = np.concatenate([(part - mean) @ normals > 0 for part in _parts(recordings, first)])
        for band in np.split(sides, _BANDS, axis=1):
            keys = np.packbits(band, axis=1).view(np.uint16)[:, 0]
            order = np.lexsort((lengths, keys))
            same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
            found += [
                np.array([[min(a, b), max(a, b)]])
                for a, b in zip(order[same].tolist(), order[same + 1].tolist(), strict=True)
                if _alike(recordings[first[a]], recordings[first[b]], mean)
            ]
    return first[np.unique(np.concatenate(found), axis=0)]


def _parts(recordings: Sequence[Values], rows: Rows) -> Iterator[Float32[np.ndarray, "_ points"]]:
    for begin in range(0, len(rows), _AT_ONCE):
        yield np.stack([resampled(recordings[i]) for i in rows[begin : begin + _AT_ONCE].tolist()])


def _alike(one: Values, other: Values, mean: np.ndarray) -> bool:
    if abs(len(one) - len(other)) > _LENGTHS * max(len(one), len(other)):
        return False
    a, b = resampled(one), resampled(other)
    return bool(np.linalg.norm(a - b) <= _APART * min(np.linalg.norm(a - mean), np.linalg.norm(b - mean)))
