"""Normalised clips beside one another, read at evenly spaced places, and altered in training.

Drawn in training: a part of the clip, a speed that changes within it, a lower frame rate, joints that go slowly astray,
another view, other proportions, jitter, and joints that are not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from .bodies import Normal

Rows = Int64[np.ndarray, " _"]
Steps = Float32[np.ndarray, "rows time joints dimensions"]

MOST = 256
"""Steps of a clip that are kept: a longer one is read at so many places."""

_WAVES, _TURNS = 6, 3.0  # of what leads joints astray: how many there are, and how often the fastest turns in a clip


@dataclass(frozen=True)
class Alterations:
    """How far clips are altered in training.

    Args:
        part: the least share of a clip that is read.
        warp: how far the speed may change within it.
        turn: radians by which the view is turned at most; a third of it beside and upwards.
        stretch: the share by which each dimension is stretched at most.
        astray: the deviation of waves that are added to each joint's path, against the size of the body.
        jitter: the deviation of noise, against the size of the body.
        dropped: the share of clips in which joints are dropped, and of joints that are.
        slow: the share of clips that are read at a lower frame rate.
        mirror: whether left and right are one.
    """

    part: float = 0.7
    warp: float = 0.5
    turn: float = 0.8
    stretch: float = 0.2
    astray: float = 0.1
    jitter: float = 0.04
    dropped: float = 0.2
    slow: float = 0.2
    mirror: bool = False


@dataclass(frozen=True)
class Packed:
    """Clips, filled up behind.

    Args:
        values: `[clips, time, joints, dimensions]`.
        lengths: of each clip.
    """

    values: Float32[np.ndarray, "clips time joints dimensions"]
    lengths: Rows

    @classmethod
    def of(cls, clips: Sequence[Normal]) -> Packed:
        """Put clips beside one another."""
        kept = [clip if len(clip) <= MOST else _resampled(clip, MOST) for clip in clips]
        lengths = np.array([len(clip) for clip in kept], dtype=np.int64)
        values = np.zeros((len(kept), int(lengths.max()), *kept[0].shape[1:]), np.float32)
        for row, clip in enumerate(kept):
            values[row, : len(clip)] = clip
        return cls(values, lengths)

    def at(self, rows: Rows, places: np.ndarray) -> Steps:
        """Clips at places `[rows, time]` in steps, by straight lines between them."""
        last = self.lengths[rows][:, None] - 1
        before = np.minimum(places.astype(np.int64), last)
        after = np.minimum(before + 1, last)
        share = (places - before).astype(np.float32)[:, :, None, None]
        found: Steps = self.values[rows[:, None], before]
        step = self.values[rows[:, None], after]
        step -= found
        step *= share
        found += step
        return found

    def evenly(self, rows: Rows, count: int) -> Steps:
        """Whole clips at as many evenly spaced places."""
        return self.at(rows, np.linspace(0, 1, count) * (self.lengths[rows][:, None] - 1))

    def drawn(self, rows: Rows, count: int, how: Alterations, mirrored: Rows, draw: np.random.Generator) -> Steps:
        """Altered clips at as many evenly spaced places."""
        size, lengths = (len(rows), 1), self.lengths[rows][:, None]
        share = draw.uniform(how.part, 1.0, size)
        along = np.linspace(0, 1, count)
        warped = along + draw.uniform(-how.warp, how.warp, size) * along * (1 - along)
        places = (draw.random(size) * (1 - share) + share * warped) * (lengths - 1)
        return self._altered(self._slowed(rows, places, how, draw), how, mirrored, draw)

    def drawn_onwards(
        self,
        rows: Rows,
        speed: Float64[np.ndarray, " rows"],
        how: Alterations,
        mirrored: Rows,
        draw: np.random.Generator,
    ) -> tuple[Steps, Rows]:
        """Altered clips from near their beginning step by step, so many times as fast; and how many steps each has."""
        begin = draw.uniform(0, 1 - how.part, len(rows)) * (self.lengths[rows] - 1)
        counts = np.maximum(((self.lengths[rows] - 1 - begin) / speed).astype(np.int64) + 1, 1)
        along = np.arange(int(counts.max()))
        places = np.minimum(begin[:, None] + speed[:, None] * along, self.lengths[rows][:, None] - 1)
        return self._altered(self._slowed(rows, places, how, draw), how, mirrored, draw), counts

    def _altered(self, steps: Steps, how: Alterations, mirrored: Rows, draw: np.random.Generator) -> Steps:
        rows, d, joints = len(steps), steps.shape[-1], steps.shape[-2]
        steps = steps + np.float32(how.astray) * _waves(steps.shape, draw)
        turned = steps.reshape(rows, -1, d) @ _views(rows, d, how, draw)
        steps = turned.reshape(steps.shape)
        steps += draw.standard_normal(steps.shape, dtype=np.float32) * np.float32(how.jitter)
        if how.mirror:
            there = draw.random(rows) < 0.5
            steps[there] = steps[there][:, :, mirrored]
            steps[there, ..., 0] *= -1
        gone = (draw.random((rows, joints)) < how.dropped) & (draw.random((rows, 1)) < how.dropped)
        if joints > 1 and gone.any():
            steps[np.broadcast_to(gone[:, None], steps.shape[:3])] = np.nan
        return steps

    def _slowed(self, rows: Rows, places: np.ndarray, how: Alterations, draw: np.random.Generator) -> Steps:
        """Clips at places, of some only every second to fourth step was seen."""
        slow = draw.random(len(rows)) < how.slow
        factor, begin = draw.integers(2, 5, len(rows)), draw.random(len(rows))
        steps = self.at(rows, places)
        for row in np.flatnonzero(slow & (self.lengths[rows] >= 4 * factor)).tolist():
            by = int(factor[row])
            kept = np.arange(int(begin[row] * by), self.lengths[rows[row]], by)
            own = places[row].clip(kept[0], kept[-1])
            below = np.searchsorted(kept, own, side="right").clip(1, len(kept) - 1) - 1
            share = ((own - kept[below]) / by).astype(np.float32)[:, None, None]
            clip = self.values[rows[row]]
            steps[row] = clip[kept[below]] * (1 - share) + clip[kept[below + 1]] * share
        return steps


def _waves(sizes: tuple[int, ...], draw: np.random.Generator) -> Steps:
    """Sums of a few slow waves of any phase, of deviation 1, for each coordinate of each joint."""
    rows, time, joints, d = sizes
    turns = np.linspace(_TURNS / _WAVES, _TURNS, _WAVES, dtype=np.float32)
    angles = 2 * np.pi * np.linspace(0, 1, time, dtype=np.float32)[:, None] * turns
    curves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.float32(np.sqrt(_WAVES))
    shares = draw.standard_normal((rows, 2 * _WAVES, joints * d), dtype=np.float32)
    waves: Steps = (curves @ shares).reshape(sizes)
    return waves


def _views(rows: int, dimensions: int, how: Alterations, draw: np.random.Generator) -> Float32[np.ndarray, "rows d d"]:
    """A turn and a stretch for each clip."""
    stretch = draw.uniform(1 - how.stretch, 1 + how.stretch, (rows, 1, dimensions))
    if dimensions == 2:
        angle = draw.uniform(-how.turn / 2, how.turn / 2, rows)
        c, s = np.cos(angle), np.sin(angle)
        turn = np.stack([c, s, -s, c], -1).reshape(rows, 2, 2)
    else:
        yaw, pitch, roll = draw.uniform(-1, 1, (3, rows)) * np.array([[how.turn], [how.turn / 3], [how.turn / 3]])
        turn = _about(yaw, 2, 0) @ _about(pitch, 1, 2) @ _about(roll, 0, 1)
    views: Float32[np.ndarray, "rows d d"] = (turn * stretch).astype(np.float32)
    return views


def _about(angle: np.ndarray, one: int, other: int) -> np.ndarray:
    """Turns from one axis towards another."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    turn[:, one, one] = turn[:, other, other] = np.cos(angle)
    turn[:, one, other], turn[:, other, one] = np.sin(angle), -np.sin(angle)
    return turn


def _resampled(clip: Normal, count: int) -> Normal:
    places = np.linspace(0, len(clip) - 1, count)
    below = np.minimum(places.astype(np.int64), len(clip) - 2)
    share = (places - below).astype(np.float32)[:, None, None]
    resampled: Normal = clip[below] * (1 - share) + clip[below + 1] * share
    return resampled
