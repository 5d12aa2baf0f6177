"""Clips ready for the networks: at one rate, normalised by the body, and their features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32

from sluicegate.data.joint_layouts import Layout
from sluicegate.data.skeletons import Clip

from .bodies import Bodies, Normal, Sums
from .clips import Alterations, Packed, Rows
from .features import LAGS, Features, Standard
from .model import Batch
from .rate import brought_to

_SPEEDS = (0.6, 1.6)  # by which a causal network's clips are slower or faster in training


@dataclass(frozen=True)
class Reader:
    """What makes features of clips.

    Args:
        layout: of their joints.
        dimensions: 2 or 3.
        rate: steps in a second; None where clips have no times.
        frames: steps that a clip is read in; None where networks read one way, at the rate.
    """

    layout: Layout
    dimensions: int
    rate: float | None
    frames: int | None

    @cached_property
    def bodies(self) -> Bodies:
        """What normalises skeletons."""
        return Bodies(self.layout, self.dimensions)

    @cached_property
    def features(self) -> Features:
        """What is read of them."""
        return Features(self.layout, self.dimensions)

    def normal(self, clip: Clip) -> Normal:
        """A clip at the rate, normalised."""
        values = brought_to(clip, self.rate)
        if self.frames is not None:
            return self.bodies.whole(values)
        return self.bodies.onwards(values, Sums())[0]

    def whole(self, packed: Packed, rows: Rows) -> Float32[np.ndarray, "rows time features"]:
        """The features of whole clips, read in as many steps as `frames` says."""
        assert self.frames is not None
        return self.features.of(packed.evenly(rows, self.frames))

    def step_by_step(self, clip: Normal) -> Float32[np.ndarray, "time features"]:
        """The features of each step of a clip."""
        return self.features.of(clip)


class Prepared:
    """Clips of which batches are drawn.

    Args:
        reader: makes features of them.
        clips: these.
        standard: the mean and deviation of features; None measures them here.
    """

    def __init__(self, reader: Reader, clips: Sequence[Clip], standard: Standard | None = None) -> None:
        self.reader = reader
        self.normal = [reader.normal(clip) for clip in clips]
        self.standard = standard or self._measured()

    def __len__(self) -> int:
        """How many clips."""
        return len(self.normal)

    @cached_property
    def packed(self) -> Packed:
        """The clips beside one another."""
        return Packed.of(self.normal)

    @property
    def longest(self) -> int:
        """Steps of the longest clip."""
        return max(len(clip) for clip in self.normal)

    def batch(self, rows: Rows) -> Batch:
        """Some of the clips, whole, where networks read both ways."""
        features = self.standard.apply(self.reader.whole(self.packed, rows))
        return Batch(torch.from_numpy(features), torch.full((len(rows),), features.shape[1]))

    def drawn(self, rows: Rows, how: Alterations, draw: np.random.Generator) -> Batch:
        """Some of the clips, altered."""
        mirrored = np.array(self.reader.layout.mirrored)
        if self.reader.frames is not None:
            steps = self.packed.drawn(rows, self.reader.frames, how, mirrored, draw)
            lengths = np.full(len(rows), self.reader.frames)
        else:
            speed = np.exp(draw.uniform(np.log(_SPEEDS[0]), np.log(_SPEEDS[1]), len(rows)))
            steps, lengths = self.packed.drawn_onwards(rows, speed, how, mirrored, draw)
        features = self.standard.apply(self.reader.features.of(steps))
        return Batch(torch.from_numpy(features), torch.from_numpy(lengths))

    def onwards(self, row: int) -> Float32[np.ndarray, "time features"]:
        """The features of each step of a clip, where networks read one way."""
        return self.standard.apply(self.reader.step_by_step(self.normal[row]))

    def _measured(self) -> Standard:
        if self.reader.frames is not None:
            every = np.arange(len(self.normal))
            return Standard.of(self.reader.whole(self.packed, every))
        steps = [self.reader.step_by_step(clip) for clip in self.normal]
        return Standard.of(np.concatenate(steps)[None])


def next_steps(
    reader: Reader, standard: Standard, before: Normal, normal: Normal
) -> Float32[np.ndarray, "time features"]:
    """The features of the steps that follow others, of which the last `max(LAGS)` are given."""
    features = reader.features.of(np.concatenate([before, normal]))
    return standard.apply(features[len(before) :])


def remembered(before: Normal, normal: Normal) -> Normal:
    """The last steps that the next ones' speeds need."""
    kept: Normal = np.concatenate([before, normal])[-max(LAGS) :]
    return kept
