"""The noise of training: recordings of it, and sounds made by synthesis, to mix in and to hear alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sluicegate.data.audio import is_audio, read_audio
from sluicegate.errors import DataError

from .sounds import coloured, sound, unit

_RECORDED, _PLAIN = 0.6, 0.3  # shares of noise that is recorded, where there is such, and of one colour
_ALONE = 0.3, 4.0  # seconds of noise alone
_LOUDNESS = -70.0, -6.0  # dB of it
_DIGITAL = 20  # of so many recordings one is digital silence
_VOICES, _VOICE = 100, 5.0  # recordings of which babble is made at most, and seconds of each

Samples = Float32[np.ndarray, " samples"]


@dataclass(frozen=True)
class Noises:
    """Noise to mix in.

    Args:
        recordings: of it; without any, and now and then beside them, it is made by synthesis.
        rate: of all samples, in Hz.
        voices: recordings of speech, of which babble is made.
    """

    recordings: Sequence[Float32[np.ndarray, " _"]] = ()
    rate: int = 8000
    voices: Sequence[Float32[np.ndarray, " _"]] = ()

    def draw(self, count: int, generator: np.random.Generator) -> Samples:
        """So many samples, of about unit power."""
        if self.recordings and generator.random() < _RECORDED:
            found = self.recordings[int(generator.integers(len(self.recordings)))]
            begin = int(generator.integers(len(found)))
            return unit(np.resize(np.roll(found, -begin), count)).astype(np.float32)
        if generator.random() < _PLAIN:
            return unit(coloured(count, float(generator.uniform(0.0, 2.0)), generator)).astype(np.float32)
        return sound(count, self.rate, self.voices, generator).astype(np.float32)

    def alone(self, count: int, generator: np.random.Generator) -> Iterator[Samples]:
        """So many recordings in which nothing is said: of noise, and some of digital silence."""
        for number in range(count):
            length = int(np.exp(generator.uniform(*np.log(_ALONE))) * self.rate)
            level = np.float32(10 ** (generator.uniform(*_LOUDNESS) / 20) * (number % _DIGITAL > 0))
            yield np.clip(self.draw(length, generator) * level, -1.0, 1.0)


def noise_in(folder: str | Path | None, rate: int) -> list[Float32[np.ndarray, " _"]]:
    """The recordings of a folder and of those in it; none of no folder.

    Raises:
        DataError: it is no folder, or has none.
    """
    if folder is None:
        return []
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"`noise` (={str(folder)!r}) is no folder: give one with recordings of noise, or leave it out")
    found = sorted(inner for inner in path.rglob("*") if is_audio(inner) and inner.is_file())
    if not found:
        raise DataError(f"there are no recordings in {path}, which `noise` names: expected files such as rain.wav")
    return [read_audio(inner, rate) for inner in found]


def voices_of(speech: Sequence[Float32[np.ndarray, " _"]], rate: int) -> list[Float32[np.ndarray, " _"]]:
    """The beginnings of some recordings of speech, for babble."""
    some = np.linspace(0, len(speech) - 1, min(len(speech), _VOICES)).astype(int)
    return [speech[row][: int(_VOICE * rate)].copy() for row in some]
