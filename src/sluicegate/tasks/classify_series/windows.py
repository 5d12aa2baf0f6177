"""Recordings ready for the network: standardised, and read in windows that overlap by half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from sluicegate.data import Recordings
from sluicegate.data.recordings import Values
from sluicegate.runtime.recordings.standard import scaled, standardised, with_changes
from sluicegate.runtime.recordings.windows import begins_of, beside


class Batch(NamedTuple):
    """Windows of recordings."""

    values: Tensor  # [rows, time, features], filled up behind by zeros
    lengths: Tensor  # [rows]


@dataclass(frozen=True)
class Standard:
    """The mean and the standard deviation of each channel, and of its change from step to step, in training."""

    # Of the channels, then of their changes, all steps of all recordings together.
    mean: Float64[np.ndarray, " features"]
    deviation: Float64[np.ndarray, " features"]  # likewise; 0 where there is one value only

    @classmethod
    def of(cls, recordings: Recordings) -> Standard:
        """Measure recordings."""
        features = [with_changes(part) for part in recordings.values]
        steps = int(recordings.lengths.sum())
        mean = np.sum([part.sum(0) for part in features], 0) / steps
        squares = np.sum([np.square(part - mean).sum(0) for part in features], 0)
        lowest, highest = (np.min([part.min(0) for part in features], 0), np.max([part.max(0) for part in features], 0))
        # The sum over a constant channel rounds; its mean is exactly its value.
        same = lowest == highest
        return cls(np.where(same, lowest, mean), np.where(same, 0.0, np.sqrt(squares / steps)))

    def apply(
        self, values: Values, before: Float64[np.ndarray, "1 channels"] | None = None
    ) -> Float32[np.ndarray, "_ features"]:
        """A recording and its changes, in deviations from the mean; or a part of one, with the step before it."""
        return standardised(values, self.mean, self.deviation, before)

    def apply_to_steps(
        self, values: Float64[np.ndarray, "rows channels"], before: Float64[np.ndarray, "rows channels"]
    ) -> Float32[np.ndarray, "rows features"]:
        """One step of each of several recordings; `before` is the step before it, or where there is none the same."""
        return scaled(np.concatenate([values, values - before], axis=1), self.mean, self.deviation)


@dataclass(frozen=True)
class Windowed:
    """Standardised recordings and the windows in which they are read."""

    values: tuple[Float32[np.ndarray, "_ features"], ...]  # of each recording
    owner: Int64[np.ndarray, " windows"]  # the number of the recording that each window is of
    begins: Int64[np.ndarray, " windows"]  # where each window begins in its recording
    window: int  # the most steps that a window has

    @classmethod
    def of(cls, recordings: Recordings, standard: Standard, window: int) -> Windowed:
        """Cut recordings: a short one is a window, a long one as many as cover all of it and overlap by half."""
        owner, begins = [], []
        for number, length in enumerate(recordings.lengths.tolist()):
            found = begins_of(length, window)
            owner += [number] * len(found)
            begins += found
        values = tuple(standard.apply(part) for part in recordings.values)
        return cls(values, np.array(owner, dtype=np.int64), np.array(begins, dtype=np.int64), window)

    def first(self, share: float) -> Windowed:
        """The first part of each recording, read whole: what causal networks say after it is what they say of it."""
        values = tuple(part[: max(1, int(share * len(part)))] for part in self.values)
        count = len(values)
        longest = max(len(part) for part in values)
        return Windowed(values, np.arange(count), np.zeros(count, np.int64), longest)

    @property
    def channels(self) -> list[Float32[np.ndarray, "_ channels"]]:
        """The standardised values of each recording, without their changes."""
        return [part[:, : part.shape[1] // 2] for part in self.values]

    @property
    def lengths(self) -> Int64[np.ndarray, " windows"]:
        """How many steps each window has."""
        whole = np.fromiter((len(part) for part in self.values), dtype=np.int64, count=len(self.values))
        lengths: Int64[np.ndarray, " windows"] = np.minimum(whole[self.owner], self.window)
        return lengths

    def batch(self, windows: Int64[np.ndarray, " rows"]) -> Batch:
        """Some of the windows."""
        parts = [self.values[self.owner[i]][self.begins[i] : self.begins[i] + self.window] for i in windows.tolist()]
        return batch_of(parts)

    def drawn(self, recordings: Int64[np.ndarray, " rows"], generator: np.random.Generator) -> Batch:
        """A window of each recording, from anywhere in it."""
        parts = []
        for number in recordings.tolist():
            whole = self.values[number]
            begin = int(generator.integers(0, max(0, len(whole) - self.window) + 1))
            parts.append(whole[begin : begin + self.window])
        return batch_of(parts)


def batch_of(parts: Sequence[Float32[np.ndarray, "_ features"]]) -> Batch:
    """Parts of recordings beside one another."""
    return Batch(*map(torch.from_numpy, beside(list(parts))))
