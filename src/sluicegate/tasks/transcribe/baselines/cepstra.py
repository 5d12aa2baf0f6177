"""Mel-frequency cepstral coefficients: what the simple methods hear of a recording.

Thirteen coefficients of each window of 25 ms, 10 ms apart (Davis & Mermelstein 1980), by kaldi-native-fbank; beside
them their first and second differences, by a straight line through five frames (Furui 1986). Each of the 39 is brought
to mean 0 and deviation 1 within its recording, so that neither the microphone nor the loudness counts. To take part of
the deviation from other recordings, where one is short, was worse: of spoken digits of a new speaker, templates then
knew 67 % instead of 87 %.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import MissingExtra

Samples: TypeAlias = Float32[np.ndarray, " _"]
"""One channel, within -1 and 1."""

Cepstra: TypeAlias = Float32[np.ndarray, "_ 39"]
"""Of each frame."""

VALUES = 39
PER_SECOND = 100
_COEFFICIENTS = 13
_REACH = 2  # frames to each side that a difference is taken from
_FULL_SCALE = 32768.0  # of 16-bit samples: Kaldi's floors are made for those
_STILL = 1e-3  # a deviation below which nothing is heard


def cepstra(samples: Samples, rate: int) -> Cepstra:
    """The cepstra of a recording, at least one frame.

    Args:
        samples: of the recording.
        rate: of these, in a second.

    Raises:
        MissingExtra: kaldi-native-fbank is not installed.
    """
    plain = _plain(samples, rate)
    first = _differences(plain)
    both = np.concatenate([plain, first, _differences(first)], axis=1)
    deviation = both.std(0)
    found: Cepstra = ((both - both.mean(0)) / np.where(deviation > _STILL, deviation, 1.0)).astype(np.float32)
    return found


def _plain(samples: Samples, rate: int) -> Float32[np.ndarray, "frames 13"]:
    try:
        import kaldi_native_fbank
    except ImportError as error:
        raise MissingExtra("kaldi-native-fbank", "speech", "hearing recordings") from error
    options: Any = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0.0
    options.use_energy = False
    options.num_ceps = _COEFFICIENTS
    window = int(rate * options.frame_opts.frame_length_ms / 1000)
    whole = np.concatenate([samples, np.zeros(max(0, window - len(samples)), dtype=np.float32)])
    reader: Any = kaldi_native_fbank.OnlineMfcc(options)
    reader.accept_waveform(rate, (whole * _FULL_SCALE).tolist())
    reader.input_finished()
    return np.stack([reader.get_frame(frame) for frame in range(reader.num_frames_ready)])


def _differences(values: Float32[np.ndarray, "frames values"]) -> Float32[np.ndarray, "frames values"]:
    """The slope of the straight line through a frame and its neighbours; the first and the last one are repeated."""
    padded = np.pad(values, ((_REACH, _REACH), (0, 0)), mode="edge")
    frames, slope = len(values), np.zeros_like(values)
    for away in range(1, _REACH + 1):
        later, before = padded[_REACH + away :][:frames], padded[_REACH - away :][:frames]
        slope += away * (later - before)
    divided: Float32[np.ndarray, "frames values"] = slope / (2 * sum(away**2 for away in range(1, _REACH + 1)))
    return divided
