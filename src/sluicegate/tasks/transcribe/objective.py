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
from jaxtyping import Float, Float16, Int64
from torch import Tensor

from sluicegate.training import Part

from .alphabet import BLANK
from .augmentation import masked
from .features import FRAME
from .network import Network
from .running import END

_LATE = 2  # frames that a token comes after its sound, where texts are laid out evenly
_NONE = -1  # the label of a frame beyond a recording's end
_POOL = 30  # batches whose recordings are sorted by length together, so that little of a batch is padding


@dataclass(frozen=True)
class Examples:
    """Recordings as the network reads them, and their texts.

    Args:
        versions: of each recording, the frames of each of its versions.
        targets: the tokens of each.
    """

    versions: Sequence[Sequence[Float16[np.ndarray, "_ _"]]]
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
                digest.update(hashlib.sha256(frames.tobytes()).digest())
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
        self._number, self._begin, self._batches = 0, 0, self.batches(0)
        self.laid_out = 0
        """Steps at the beginning in which texts are also laid evenly over the frames, ever more lightly.

        Left to itself, CTC at first says next to nothing but blanks, and puts the rest where the network knows best
        where it is: in the first frame. A network that reads one way then stays there, and has to guess words before it
        has heard them: with 600 recordings of digits it told 71 % of others apart, and 95 % with this.
        """

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
        frames, lengths = padded(several)
        log_probs = self._network(frames, lengths, chance)
        loss = ctc(log_probs, lengths, targets)
        if step < self.laid_out:
            loss = loss + (1 - step / self.laid_out) * evenly(log_probs, lengths, targets)
        return loss / len(rows)

    def _validate(self) -> float:
        """The mean over the tokens of the validation part, in nats; a recording without any counts as one."""
        found = count = 0.0
        order = np.argsort(self._held_lengths, kind="stable")
        with torch.no_grad():
            for rows in batches(order, self._held_lengths, self._batch, self._frames):
                several = [self._validation.versions[row][0].astype(np.float32) for row in rows.tolist()]
                targets = [self._validation.targets[row] for row in rows.tolist()]
                frames, lengths = padded(several)
                found += float(ctc(self._network(frames, lengths), lengths, targets))
                count += sum(max(1, len(target)) for target in targets)
        return found / max(count, 1.0)

    def _rows(self, step: int) -> Int64[np.ndarray, " rows"]:
        """The recordings of a step."""
        if step < self._begin:
            self._number, self._begin, self._batches = 0, 0, self.batches(0)
        while step >= self._begin + len(self._batches):
            self._begin, self._number = self._begin + len(self._batches), self._number + 1
            self._batches = self.batches(self._number)
        return self._batches[step - self._begin]

    def batches(self, number: int) -> list[Int64[np.ndarray, " rows"]]:
        """The recordings of each step of an epoch."""
        generator = np.random.default_rng((self._seed, number))
        order, pool = generator.permutation(len(self._examples)), self._batch * _POOL
        found = [
            rows
            for begin in range(0, len(order), pool)
            for rows in batches(
                _sorted(order[begin : begin + pool], self._lengths), self._lengths, self._batch, self._frames
            )
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


def ctc(
    log_probs: Float[Tensor, "rows frames tokens"], lengths: Int64[Tensor, " rows"], targets: Sequence[Sequence[int]]
) -> Tensor:
    """The sum of the losses of some recordings: less the logarithm of the probability of each text."""
    every = torch.tensor([token for target in targets for token in target], dtype=torch.int64)
    counts = torch.tensor([len(target) for target in targets])
    return F.ctc_loss(log_probs.transpose(0, 1), every, lengths, counts, BLANK, "sum", zero_infinity=True)


def evenly(
    log_probs: Float[Tensor, "rows frames tokens"], lengths: Int64[Tensor, " rows"], targets: Sequence[Sequence[int]]
) -> Tensor:
    """The sum of the losses of some recordings whose tokens are each in a frame, with as many blanks between all."""
    labels = torch.full(log_probs.shape[:2], BLANK)
    for row, (length, target) in enumerate(zip(lengths.tolist(), targets, strict=True)):
        heard = max(len(target), length - round(END / FRAME))
        for place, token in enumerate(target):
            labels[row, min(length - 1, _LATE + int((place + 0.5) * heard / len(target)))] = token
        labels[row, length:] = _NONE
    found = F.nll_loss(log_probs.transpose(1, 2), labels, ignore_index=_NONE, reduction="sum")
    return found


def padded(several: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Frames of several recordings side by side, and their lengths."""
    lengths = torch.tensor([len(frames) for frames in several])
    found = torch.zeros(len(several), int(lengths.max()), several[0].shape[1])
    for row, frames in enumerate(several):
        found[row, : len(frames)] = torch.from_numpy(frames)
    return found, lengths
