"""How the word error rate grows with noise: some recordings again, mixed with louder and louder noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from sluicegate.metrics.transcription import Counts, counted, rates
from sluicegate.tasks.report.figures import figure

from .breakdown import by_group
from .config import TranscriberConfig
from .noises import Noises
from .reading import Recordings
from .trained import Trained

LEVELS = (20, 10, 0)
"""Decibels of the recording above the noise."""

_MOST = 200  # recordings
_SECONDS = 300.0  # of them altogether, about: each is transcribed once more for each level
_LONGEST = 60.0  # seconds of each
_CLEAN = "clean"

Samples = Float32[np.ndarray, " samples"]


class NoiseLevels(NamedTuple):
    """The errors in some recordings, as they are and in noise."""

    counts: dict[str, Counts]
    """Those of each level, by its name."""
    kind: str
    """What the noise is."""

    def bars(self) -> dict[str, Any]:
        """The word error rates, as `grouped_bars` takes them."""
        names = [name for name, counts in self.counts.items() for _ in range(len(counts))]
        errors = {"model": np.concatenate(list(self.counts.values()))}
        caption = (
            "Word error rate in per cent of the same recordings as they are and mixed with noise, by how many decibels "
            f"they are louder than it; {self.kind}."
        )
        return by_group("By noise", names, errors, order=list(self.counts)) | {"caption": caption}

    def facts(self) -> dict[str, str]:
        """The same in words."""
        found = {}
        for name, counts in self.counts.items():
            told, kind = ("without noise", "") if name == _CLEAN else (f"in noise at {name}", f", {self.kind}")
            found[f"wer {told}"] = f"{figure(rates(counts).wer)} (of {len(counts):,} recordings{kind})"
        return found


def by_noise(
    trained: Trained, config: TranscriberConfig, recordings: Recordings, clean: Counts, noises: Noises
) -> NoiseLevels | None:
    """Transcribe some recordings in noise of each level; the same seed gives the same noise.

    Args:
        trained: the model.
        config: the settings.
        recordings: with texts; at most 200 of at most a minute, some five minutes in all, are taken from all over.
        clean: the errors in each of them as it is.
        noises: what is mixed in, at all levels the same.

    Returns:
        The errors; None where all recordings are longer, or nothing is said in those that are taken.
    """
    chosen, said = list[int](), list[str]()
    written: dict[int, list[str]] = {level: [] for level in LEVELS}
    seconds = 0.0
    for row in _spread(len(recordings)).tolist():
        samples = _short(recordings, row, trained.rate)
        if samples is None:
            continue
        noise = noises.draw(len(samples), np.random.default_rng([config.seed, row]))
        for level in LEVELS:
            mixed = mixed_with(samples, noise, level)
            written[level].append(trained.transcribe([mixed], trained.search(config.beam)).text)
        chosen.append(row)
        said.append((recordings.texts or ())[row])
        seconds += len(samples) / trained.rate
        if seconds >= _SECONDS:
            break
    if not any(said):
        return None
    counts = {_CLEAN: clean[np.array(chosen)]} | {f"{level} dB": counted(written[level], said) for level in LEVELS}
    return NoiseLevels(counts, _kind(noises))


def mixed_with(samples: Samples, noise: Samples, level: float | int) -> Samples:
    """A recording in noise of unit power, so many decibels above it; it is made quieter rather than clipped."""
    power = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    found = samples + noise * np.float32(power * 10 ** (-level / 20))
    quieter: Samples = (found / np.float32(max(1.0, float(np.abs(found).max(initial=0.0))))).astype(np.float32)
    return quieter


def _spread(count: int) -> Int64[np.ndarray, " rows"]:
    """Rows from all over, in an order in which the first ones are from all over too."""
    rows = np.unique(np.linspace(0, count - 1, min(count, _MOST)).astype(np.int64))
    return np.random.default_rng(0).permutation(rows)


def _short(recordings: Recordings, row: int, rate: int) -> Samples | None:
    """A recording, unless it is long."""
    blocks, count = [], 0
    for block in recordings.blocks(row, rate):
        blocks.append(block)
        count += len(block)
        if count > _LONGEST * rate:
            return None
    return np.concatenate(blocks)


def _kind(noises: Noises) -> str:
    count = len(noises.recordings)
    if not count:
        return "noise of random colours, machines, knocks, calls and music, made by synthesis"
    return f"most of it from {count:,} recording{'s' if count > 1 else ''} of noise"
