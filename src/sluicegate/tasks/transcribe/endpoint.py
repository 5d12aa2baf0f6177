"""Where utterances end: live, by what the network and the ear hear; and in recordings, at their quietest places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from sluicegate.errors import ConfigError, DataError
from sluicegate.streaming.snapshots import damaged

from .alignment import BLANK

_PAUSE = 0.9  # the probability of the blank from which nothing is said
_SPEECH = 0.5  # and below which something is
_LOUD = 10.0  # decibels above the noise: speech at a distance is as loud
_RISE = 3.0  # decibels a second by which the noise may become louder
_QUIETEST = -120.0  # decibels: digital silence has none
_LONGER = 2.0  # times the silence where it is loud, but nothing is said: of music and noise
_SMOOTH = 0.3  # seconds of a pause between words
_EARLIEST = 1 / 3  # of the longest piece: where it may end first


class Endpoint:
    """Tells when an utterance is over: something was said, and then nothing for a while.

    A frame counts as silence where the blank is nearly certain and it is not loud, that is not far above the noise,
    which is the quietest of late. Where it is loud, as in music, the blank must have been nearly certain for twice as
    long.

    Args:
        silence: seconds of it after which an utterance is over.
        frame: seconds of a frame.

    Raises:
        ConfigError: `silence` or `frame` is not above 0.

    Example:
        >>> endpoint = Endpoint(silence=0.06)
        >>> said = np.log(np.array([[0.99, 0.01], [0.1, 0.9], [0.99, 0.01], [0.99, 0.01]], np.float32))
        >>> endpoint.push(said, np.array([-60.0, -20.0, -60.0, -60.0]))
        [4]
    """

    def __init__(self, *, silence: float = 0.5, frame: float = 0.03) -> None:
        for name, value in (("silence", silence), ("frame", frame)):
            if not 0 < value < math.inf:
                raise ConfigError(f"`{name}` (={value}) must be a number of seconds above 0")
        self._needed = max(1, math.ceil(silence / frame - 1e-9))
        self._rise = _RISE * frame
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._frames = self._silent = self._blank = 0
        self._heard, self._noise = False, math.inf

    def push(self, log_probs: Float32[np.ndarray, "frames tokens"], levels: Float[np.ndarray, " levels"]) -> list[int]:
        """Go on by frames.

        Args:
            log_probs: natural logarithms of the probabilities of the blank and of the tokens.
            levels: how loud each frame is, in decibels.

        Returns:
            How many frames there were, from the first that was pushed, each time that an utterance was over.

        Raises:
            DataError: there are more of one than of the other, or they hold NaN.
        """
        if len(levels) != len(log_probs):
            raise DataError(f"there are {len(levels)} levels of {len(log_probs)} frames: give one for each")
        if np.isnan(levels).any() or np.isnan(log_probs[:, BLANK]).any():
            raise DataError("the levels or the lattice hold NaN: check the recording")
        ends = []
        for blank, level in zip(log_probs[:, BLANK].tolist(), levels.tolist(), strict=True):
            self._frames += 1
            if self._is_over(math.exp(blank), max(level, _QUIETEST)):
                ends.append(self._frames)
        return ends

    def state(self) -> dict[str, Any]:
        """All that it is at, as JSON can hold it."""
        return {
            "frames": self._frames,
            "silent": self._silent,
            "blank": self._blank,
            "heard": self._heard,
            "noise": None if math.isinf(self._noise) else self._noise,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            SnapshotError: it is none; this one is as it was then.
        """
        match state:
            case {
                "frames": int(frames),
                "silent": int(silent),
                "blank": int(blank),
                "heard": bool(heard),
                "noise": float() | None as noise,
            } if min(frames, silent, blank) >= 0:
                self._frames, self._silent, self._blank, self._heard = frames, silent, blank, heard
                self._noise = math.inf if noise is None else noise
            case _:
                raise damaged("it does not say how long there was silence")

    def _is_over(self, blank: float, level: float) -> bool:
        """Hear a frame, and tell whether the utterance is over with it."""
        self._noise = min(level, self._noise + self._rise)
        self._heard |= blank < _SPEECH
        self._blank = self._blank + 1 if blank >= _PAUSE else 0
        self._silent = self._silent + 1 if blank >= _PAUSE and level <= self._noise + _LOUD else 0
        over = self._heard and (self._silent >= self._needed or self._blank >= _LONGER * self._needed)
        if over:
            self._heard = False
        return over


def cut_at_silences(levels: Float[np.ndarray, " frames"], frame: float, longest: float = 30.0) -> list[tuple[int, int]]:
    """Cut a recording into pieces, each at the quietest place that there is: nothing is lost, nothing comes twice.

    Args:
        levels: how loud each frame is, in decibels.
        frame: seconds of a frame.
        longest: seconds of a piece at most.

    Returns:
        The first and the past-the-last frame of each piece; none where there are no frames.

    Raises:
        ConfigError: `longest` is shorter than three frames.

    Example:
        >>> cut_at_silences(np.array([-20.0, -20, -20, -60, -20, -20]), frame=1.0, longest=4.0)
        [(0, 3), (3, 6)]
    """
    most = int(longest / frame + 1e-9)
    if most < 3:
        raise ConfigError(f"`longest` (={longest}) must be at least three frames of {frame} seconds")
    half = round(_SMOOTH / frame / 2)
    heard = np.pad(np.maximum(levels.astype(np.float64), _QUIETEST), half, mode="edge") if len(levels) else levels
    around = np.lib.stride_tricks.sliding_window_view(heard, 2 * half + 1).mean(1) if len(levels) else levels
    pieces, begin = [], 0
    while len(levels) - begin > most:
        first = begin + max(1, int(most * _EARLIEST))
        window = around[first : begin + most + 1]
        end = first + len(window) - 1 - int(window[::-1].argmin())
        pieces.append((begin, end))
        begin = end
    return [*pieces, (begin, len(levels))] if len(levels) else []
