"""Recordings in a report: each can be played, and its spectrogram shows where which word was heard."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.colors import to_rgb

from sluicegate.errors import MissingExtra
from sluicegate.metrics.transcription import Counts, words_right
from sluicegate.tasks.report import Clip, Picture
from sluicegate.tasks.report.content import Passage
from sluicegate.tasks.report.drawing import BLUE, INK, drawn

from .baselines.cepstra import Samples

LEGEND = "Pitch in kHz by time in seconds, the louder the darker; the lines are where words begin and end."
"""What the pictures show."""

_SECONDS = 10.0  # of a recording that are played and drawn
_WINDOW = 0.025  # seconds of the sound that a column of a spectrogram is of, at least
_COLUMNS, _LINES = 320, 48  # of a spectrogram, at most
_RANGE = 50.0  # decibels from the palest to the darkest
_SHADES = 15
_STRENGTH = 0.9  # how far the MP3 file is compressed, from 0 to 1


class Heard(NamedTuple):
    """A word, and where in a recording it is."""

    text: str
    begin: float  # seconds
    end: float


def worst(counts: Counts, most: int = 10) -> list[int]:
    """The recordings with most word errors for their words, the worst first; none that are right."""
    share = counts[:, 0] / np.maximum(counts[:, 1], 1)
    order = np.lexsort((-counts[:, 0], -share)).tolist()
    return [row for row in order[:most] if counts[row, 0]]


def clip_of(heading: str, samples: Samples, rate: int, said: str, words: Sequence[Heard]) -> Clip:
    """A recording for a report.

    Args:
        heading: what it is.
        samples: of it; the first ten seconds are shown.
        rate: of the samples, in a second.
        said: in it, by its text.
        words: that were written, and where they were heard.

    Raises:
        MissingExtra: soundfile is not installed.
    """
    shown = samples[: int(_SECONDS * rate)]
    heading += f", the first {_SECONDS:.0f} s" if len(shown) < len(samples) else ""
    right = words_right(" ".join(word.text for word in words), said)
    parts = [(part, 0.0) for word in words for part in (word.text, " ")]
    for at, correct in enumerate(right):
        parts[2 * at] = (parts[2 * at][0], 1.0 if correct else -1.0)
    passages = (
        Passage("written", tuple(parts[:-1]) or (("(nothing)", 0.0),)),
        Passage("said", ((said or "(nothing)", 0.0),)),
    )
    return Clip(heading, _mp3(shown, rate), passages, _spectrogram(heading, shown, rate, words))


def _mp3(samples: Samples, rate: int) -> bytes:
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtra("soundfile", "speech", "showing recordings") from error
    file = io.BytesIO()
    loudest = max(float(np.abs(samples).max(initial=0.0)), 1e-3)
    soundfile.write(file, samples * (0.7 / loudest), rate, format="MP3", compression_level=_STRENGTH)
    return file.getvalue()


def _spectrogram(heading: str, samples: Samples, rate: int, words: Sequence[Heard]) -> Picture:
    seconds = max(len(samples) / rate, _WINDOW)
    with drawn(f"What was heard: {heading}", LEGEND, (7.2, 2.0)) as (picture, made):
        axes = picture.add_subplot()
        extent = (0.0, seconds, 0.0, rate / 2000)
        axes.imshow(_shaded(samples, rate), extent=extent, aspect="auto", interpolation="none", origin="lower")
        for word in words:
            if word.begin < seconds:
                end = min(word.end, seconds)
                axes.axvline(word.begin, color=INK, linewidth=0.6)
                axes.axvline(end, color=INK, linewidth=0.6)
                axes.text((word.begin + end) / 2, rate / 2000 * 1.03, word.text, ha="center", va="bottom", fontsize=8)
        axes.set_xlim(0, seconds)
        axes.set_xlabel("s")
        axes.set_ylabel("kHz")
    return made[0]


def _shaded(samples: Samples, rate: int) -> UInt8[np.ndarray, "lines columns 4"]:
    """The spectrogram as a picture of one colour, the quieter the more transparent: it suits the light and the dark."""
    power = _power(samples, rate)
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    level = np.clip((decibels - decibels.max()) / _RANGE + 1, 0, 1)
    found = np.empty((*power.shape, 4), dtype=np.uint8)
    found[:, :, :3] = np.round(255 * np.array(to_rgb(BLUE)))
    found[:, :, 3] = np.round(level * _SHADES) * (255 // _SHADES)
    return found


def _power(samples: Samples, rate: int) -> Float32[np.ndarray, "lines columns"]:
    """The power of some ranges of pitch in some ranges of time."""
    window = int(rate * _WINDOW)
    padded = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[:: window // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2
    return _mean(_mean(power, _COLUMNS).T, _LINES).astype(np.float32)


def _mean(values: np.ndarray, most: int) -> np.ndarray:
    """The mean of rows that are next to each other, so that there are `most` at most."""
    begins = np.unique(np.arange(most) * len(values) // most) if len(values) > most else np.arange(len(values))
    sizes = np.diff(np.append(begins, len(values)))
    found: np.ndarray = np.add.reduceat(values, begins, axis=0) / sizes[:, None]
    return found
