"""What the network is trained on: the probability of a text over all ways to lay it over the frames.

That is connectionist temporal classification (CTC; Graves et al. 2006), of versions of each recording that are drawn
anew in every epoch, with bands and times blanked out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float16, Int64
from torch import Tensor

from sluicegate.training import Part

from .alphabet import BLANK
from .augmentation import masked
from .network import Network

_POOL = 30  # batches whose recordings are sorted by length together, so that little of a batch is padding


@dataclass(frozen=True)
class Examples:
    """Recordings as the network reads them, and their texts.

    Args:
        versions: of each recording, the frames of each of its versions.
        targets: the tokens of each.
    """

    versions: Sequence[Sequence[Float16[np.ndarray, "frames values"]]]
    targets: Sequence[Sequence[int]]

    def __len__(self) -> int:
        """How many recordings."""
        return len(self.targets)

    def lengths(self) -> Int64[np.ndarray, " recordings"]:
        """The frames of the longest version of each."""
        return np.array([max(len(frames) for frames in several) for several in self.versions], dtype=np.int64)

    def digest(self, digest: Any) -> None:
        """Feed all numbers to a hash."""
        for several, target in zip(self.versions, self.targets, strict=True):
            for frames in several:
                digest.update(hashlib.sha256(np.ascontiguousarray(frames)).digest())
            digest.update(np.array([len(target), *target], np.int64).tobytes())


class Objective:
    """Draws batches, and measures the losses.

    Args:
        network: to train.
        examples: to train on.
        validation: to validate on.
        seed: of the order of the recordings.
        batch: recordings of a step at most.
        frames: of a step at most, unless a single recording has more.
        bins: mel bands of a frame.
    """

    def __init__(
        self,
        network: Network,
        examples: Examples,
        validation: Examples,
        *,
        seed: int,
        batch: int,
        frames: int,
        bins: int,
    ) -> None:
        self._network, self._examples, self._validation = network, examples, validation
        self._seed, self._batch, self._frames, self._bins = seed, batch, frames, bins
        self._lengths, self._held_lengths = examples.lengths(), validation.lengths()
        self._number, self._begin, self._batches = 0, 0, self._epoch(0)

    @property
    def steps(self) -> int:
        """Of an epoch, about."""
        return len(self._batches)

    def part(self) -> Part:
        """What is trained."""
        return Part(self._network, self._loss, self._validate)

    def _loss(self, step: int, chance: torch.Generator) -> Tensor:
        rows = self._rows(step)
        generator = np.random.default_rng(int(torch.randint(2**62, (1,), generator=chance)))
        several = []
        for row in rows.tolist():
            versions = self._examples.versions[row]
            frames = versions[int(generator.integers(len(versions)))].astype(np.float32)
            several.append(masked(frames, self._bins, generator))
        targets = [self._examples.targets[row] for row in rows.tolist()]
        return total(self._network, several, targets, chance) / len(rows)

    def _validate(self) -> float:
        """The mean over the tokens of the validation part, in nats; a recording without any counts as one."""
        found = count = 0.0
        order = np.argsort(self._held_lengths, kind="stable")
        with torch.no_grad():
            for rows in batches(order, self._held_lengths, self._batch, self._frames):
                several = [self._validation.versions[row][0].astype(np.float32) for row in rows.tolist()]
                targets = [self._validation.targets[row] for row in rows.tolist()]
                found += float(total(self._network, several, targets, None))
                count += sum(max(1, len(target)) for target in targets)
        return found / max(count, 1.0)

    def _rows(self, step: int) -> Int64[np.ndarray, " rows"]:
        """The recordings of a step."""
        if step < self._begin:
            self._number, self._begin, self._batches = 0, 0, self._epoch(0)
        while step >= self._begin + len(self._batches):
            self._begin, self._number = self._begin + len(self._batches), self._number + 1
            self._batches = self._epoch(self._number)
        return self._batches[step - self._begin]

    def _epoch(self, number: int) -> list[Int64[np.ndarray, " rows"]]:
        generator = np.random.default_rng((self._seed, number))
        order, pool = generator.permutation(len(self._examples)), self._batch * _POOL
        found = [
            rows
            for begin in range(0, len(order), pool)
            for rows in batches(_sorted(order[begin : begin + pool], self._lengths), self._lengths, self._batch, self._frames)
        ]
        return [found[at] for at in generator.permutation(len(found)).tolist()]


def _sorted(rows: np.ndarray, lengths: np.ndarray) -> Int64[np.ndarray, " rows"]:
    found: Int64[np.ndarray, " rows"] = rows[np.argsort(lengths[rows], kind="stable")]
    return found


def batches(
    rows: Int64[np.ndarray, " rows"], lengths: Int64[np.ndarray, " recordings"], batch: int, frames: int
) -> Iterator[Int64[np.ndarray, " some"]]:
    """Recordings that are read together, padded to the longest.

    Args:
        rows: recordings in the order of their lengths.
        lengths: of all.
        batch: how many at most.
        frames: of all together at most, unless one alone has more.
    """
    begin = 0
    while begin < len(rows):
        end = begin + 1
        while end < min(len(rows), begin + batch) and (end + 1 - begin) * lengths[rows[end]] <= frames:
            end += 1
        yield rows[begin:end]
        begin = end


def total(
    network: Network, several: Sequence[np.ndarray], targets: Sequence[Sequence[int]], chance: torch.Generator | None
) -> Tensor:
    """The sum of the losses of some recordings."""
    frames, lengths = padded(several)
    log_probs = network(frames, lengths, chance)
    every = torch.tensor([token for target in targets for token in target], dtype=torch.int64)
    counts = torch.tensor([len(target) for target in targets])
    return F.ctc_loss(log_probs.transpose(0, 1), every, lengths, counts, BLANK, "sum", zero_infinity=True)


def padded(several: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Frames of several recordings side by side, and their lengths."""
    lengths = torch.tensor([len(frames) for frames in several])
    found = torch.zeros(len(several), int(lengths.max()), several[0].shape[1])
    for row, frames in enumerate(several):
        found[row, : len(frames)] = torch.from_numpy(frames)
    return found, lengths
