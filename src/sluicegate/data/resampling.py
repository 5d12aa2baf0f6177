"""Audio at another rate, block by block, from a state that can be written down.

soxr's own stream gives the same bits however its input is cut, but does not tell its state. So the audio is cut into
segments of a few seconds, each resampled by a stream of its own that begins a second earlier: all that a state must
hold is then the last seconds of the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32

from sluicegate.errors import MissingExtra

SEGMENT, BEFORE = 4, 1
"""Seconds of a segment, and those before it that its stream reads too, for its filter to fill up."""

_QUALITY = "MQ"  # 16 bits; at 44,100 Hz the output then lags 40 ms behind


class Resampler:
    """Takes audio at one rate and gives it at another, the same bits however it is cut.

    Args:
        rate: of what is pushed, in Hz, from 1 up.
        wanted: of what comes out, in Hz, from 1 up.

    Raises:
        MissingExtra: soxr is not installed.

    >>> resampler = Resampler(44100, 16000)
    >>> len(resampler.push(np.zeros(441000, np.float32))) + len(resampler.finish())
    160000
    """

    def __init__(self, rate: int, wanted: int) -> None:
        self.rate, self.wanted = rate, wanted
        self._begin(0, [], None)

    def push(self, samples: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " found"]:
        """Read samples, and give what is known by now of the output."""
        return self._read(samples, last=False)

    def finish(self) -> Float32[np.ndarray, " found"]:
        """End the audio, and give what was held back."""
        return self._read(np.zeros(0, np.float32), last=True)

    def state(self) -> tuple[dict[str, int], Float32[np.ndarray, " samples"]]:
        """All that must be kept to go on from here: two numbers, and the last seconds of the input."""
        return {"segment": self._segment, "next": self._next}, np.concatenate([np.zeros(0, np.float32), *self._held])

    def restore(self, segment: int, next_: int, held: Float32[np.ndarray, " samples"]) -> None:
        """Go on from a state: `segment` and `next` of its numbers, and its samples."""
        self._begin(segment, [held], next_)

    def _begin(self, segment: int, held: list[np.ndarray], next_: int | None) -> None:
        self._segment, self._held, self._made = segment, held, 0
        self._skipped = min(segment * SEGMENT, BEFORE) * self.wanted  # of the output of this segment's stream
        self._next = self._skipped if next_ is None else next_  # the first that was not given yet
        self._waiting = np.zeros(0, np.float32)
        if self.rate != self.wanted:
            self._stream = _soxr().ResampleStream(self.rate, self.wanted, 1, dtype="float32", quality=_QUALITY)
            if held:
                self._waiting = self._new(self._stream.resample_chunk(held[0]))

    def _read(self, samples: np.ndarray, *, last: bool) -> Float32[np.ndarray, " found"]:
        if self.rate == self.wanted:
            return samples
        self._held.append(samples)
        found = [self._waiting, self._new(self._stream.resample_chunk(samples, last=last))]
        self._waiting = self._waiting[:0]
        while self._next == self._skipped + SEGMENT * self.wanted:
            held, segment = np.concatenate(self._held), self._segment + 1
            begun = max(0, self._segment * SEGMENT - BEFORE)
            self._begin(segment, [], None)
            self._held = [held[(segment * SEGMENT - BEFORE - begun) * self.rate :]]
            found.append(self._new(self._stream.resample_chunk(self._held[0], last=last)))
        return np.concatenate(found)

    def _new(self, made: np.ndarray) -> np.ndarray:
        """What of the stream's next output is the segment's, and was not given yet."""
        before, self._made = self._made, self._made + len(made)
        begin, end = max(self._next, before), min(self._made, self._skipped + SEGMENT * self.wanted)
        self._next = max(self._next, end)
        return made[begin - before : max(begin, end) - before]


def _soxr() -> Any:
    try:
        import soxr
    except ImportError as error:
        raise MissingExtra("soxr", "speech", "resampling audio") from error
    return soxr
