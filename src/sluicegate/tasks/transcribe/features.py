"""What the network reads of audio: the logarithms of mel energies, three frames of 10 ms stacked to one of 30 ms.

Each frame is computed from its own samples alone, so that no bit hangs on how the audio was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import MissingExtra

STACK = 3
FRAME = 0.03
"""Seconds from one network frame to the next."""

_SHIFT, _LENGTH = 0.01, 0.025  # seconds of a mel frame
_LOUD = 32768.0  # Kaldi's energies are of 16-bit numbers
_FLOOR = 4.0  # of a log energy: that of noise at -90 dB, so that digital silence is no other world than a quiet room
_DECIBELS = 10 / np.log(10)  # of a natural logarithm
_AT_ONCE = 3000  # mel frames
_FRAMES_BEFORE, _MOST_FRAMES = 100.0, 1000.0  # that the mean of what is heard counts: at the beginning, and at most
_AWAY = np.float32(0.5)  # deviations that it may be away from training's: loud noise must not take its place
_PAUSE = 1.0  # deviations below the mean over all bands, beyond which nobody speaks

_BINS = {8000: 40, 16000: 64}
RATES = tuple(_BINS)
"""That a model can have, in Hz."""

Mels = Float32[np.ndarray, "frames bins"]


def _fbank() -> Any:
    try:
        import kaldi_native_fbank
    except ImportError as error:
        raise MissingExtra("kaldi-native-fbank", "speech", "hearing audio") from error
    return kaldi_native_fbank


def bins_of(rate: int) -> int:
    """How many mel bands there are at a rate."""
    return _BINS[rate]


def shift_of(rate: int) -> int:
    """Samples from one mel frame to the next."""
    return round(rate * _SHIFT)


def window_of(rate: int) -> int:
    """Samples of a mel frame."""
    return round(rate * _LENGTH)


def log_mels(samples: Float32[np.ndarray, " samples"], rate: int) -> Mels:
    """The log-mel energies of every whole window, 25 ms each 10 ms, without dither.

    Args:
        samples: in [-1, 1].
        rate: 8,000 or 16,000 Hz.
    """
    found, shift = [], shift_of(rate)
    options = _options(rate)
    most = _AT_ONCE * shift
    for begin in range(0, max(1, len(samples)), most):
        part = samples[begin : begin + most + window_of(rate) - shift]
        if len(part) >= window_of(rate):
            computer = _fbank().OnlineFbank(options)
            computer.accept_waveform(rate, part * np.float32(_LOUD))
            frames = range(computer.num_frames_ready)
            found.append(np.array([computer.get_frame(frame) for frame in frames], np.float32))
    mels: Mels = np.maximum(np.concatenate([np.zeros((0, bins_of(rate)), np.float32), *found]), np.float32(_FLOOR))
    return mels


def _options(rate: int) -> Any:
    options = _fbank().FbankOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = bins_of(rate)
    return options


class Room(NamedTuple):
    """What was heard of a voice and its room until now: how far the bands lie, on average, from those of training."""

    mean: Float32[np.ndarray, " bins"]
    heard: float
    """The frames that it is the mean of, those that it begins with among them."""


@dataclass(frozen=True)
class Scale:
    """The mean and the spread of each band over the training recordings, and the way to those of what is heard.

    Speech is heard against the mean of what was heard before (cepstral mean normalisation, Atal 1974, as it goes along
    with a stream): a voice, a microphone or a loudness that training did not have is one that it had, after a second
    or two. Strings of digits of a new speaker had 7.7 % of the words wrong without, and 5.0 % with it. Frames much
    quieter than the mean are pauses, which tell nothing of a voice: in hours of silence nothing changes.

    Args:
        mean: of each band.
        spread: its standard deviation.
        follows: whether the mean of what is heard counts.
    """

    mean: Float32[np.ndarray, " bins"]
    spread: Float32[np.ndarray, " bins"]
    follows: bool = True

    @classmethod
    def of(cls, several: list[Float32[np.ndarray, "_ bins"]]) -> Scale:
        """Those of some recordings."""
        count = max(1, sum(len(mels) for mels in several))
        mean = sum(mels.sum(0, dtype=np.float64) for mels in several) / count
        square = sum(np.square(mels - mean.astype(np.float32)).sum(0, dtype=np.float64) for mels in several) / count
        return cls(mean.astype(np.float32), np.sqrt(square + 1e-2).astype(np.float32))

    def begin(self) -> Room:
        """A room of which nothing was heard yet."""
        return Room(np.zeros(len(self.mean), np.float32), _FRAMES_BEFORE)

    def apply(self, mels: Mels, room: Room) -> tuple[Float32[np.ndarray, "frames bins"], Room]:
        """The bands of about zero mean and unit spread, and what was heard of the room then.

        Frame by frame: the bits do not hang on how audio was cut.
        """
        found: Mels = (mels - self.mean) / self.spread
        if not self.follows:
            return found, room
        mean, heard = room
        for frame in found:
            if float(frame.mean()) > float(mean.mean()) - _PAUSE:
                heard = min(heard + 1.0, _MOST_FRAMES)
                mean = np.clip(mean + (frame - mean) * np.float32(1 / heard), -_AWAY, _AWAY)
            frame -= mean
        return found, Room(mean, heard)


def levels(mels: Mels) -> Float32[np.ndarray, " stacks"]:
    """How loud stacked frames are: the mean of the bands' energies in decibels."""
    found: Float32[np.ndarray, " stacks"] = stacked(mels).mean(1) * np.float32(_DECIBELS)
    return found


def stacked(mels: Float32[np.ndarray, "frames bins"]) -> Float32[np.ndarray, "stacks values"]:
    """Three frames as one; what is left over at the end is left out."""
    count = len(mels) // STACK
    return mels[: count * STACK].reshape(count, STACK * mels.shape[1])
