"""Audio heard on and on: samples go in, the probabilities of tokens come out.

A network of one direction has the same bits however the audio is cut: whole network frames alone are computed, each
mel frame of its own samples. One of both directions hears long audio in parts, cut where it is quietest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from .features import FRAME, STACK, Room, Scale, bins_of, levels, log_mels, shift_of, stacked, window_of
from .network import Network, State

END = 0.24
"""Seconds of silence that are heard behind every recording, in which the last word's tokens may still come."""

_PART, _LEAST = 30.0, 10.0  # seconds that a network of both directions reads at once, at most and at least
_SMOOTH = 9  # frames over which it is quiet where such parts are cut

Samples = Float32[np.ndarray, " samples"]
Lattice = Float32[np.ndarray, "frames tokens"]
Levels = Float32[np.ndarray, " frames"]


@dataclass(frozen=True)
class Heard:
    """How far audio was heard by a network of one direction."""

    rest: Samples  # that make no whole network frame yet
    state: State
    room: Room


class Listener:
    """A network with what its features need.

    Args:
        network: the network.
        scale: of its features.
        rate: of the audio, in Hz.
    """

    def __init__(self, network: Network, scale: Scale, rate: int) -> None:
        self.network, self.scale, self.rate = network, scale, rate

    def begin(self) -> Heard:
        """Nothing was heard yet."""
        return Heard(np.zeros(0, np.float32), self.network.begin(1), self.scale.begin())

    def hear(self, samples: Samples, heard: Heard) -> tuple[Lattice, Float32[np.ndarray, " frames"], Heard]:
        """Hear the next samples.

        Returns:
            The logarithms of the probabilities of the tokens in the network frames that are whole now, how loud each of
            these is, in decibels, and how far the audio is heard then.
        """
        frames, loud, rest, room = self._frames(np.concatenate([heard.rest, samples]), heard.room)
        if not len(frames):
            return np.zeros((0, self.network.shape.tokens), np.float32), loud, Heard(rest, heard.state, room)
        with torch.no_grad():
            found, state = self.network.read(torch.from_numpy(frames)[None], heard.state)
        return found[0].numpy(), loud, Heard(rest, state, room)

    def lattices(self, blocks: Iterable[Samples]) -> Iterator[Lattice]:
        """Hear audio to its end, of which blocks come one after the other."""
        for found, _ in self.heard(blocks):
            yield found

    def heard(self, blocks: Iterable[Samples]) -> Iterator[tuple[Lattice, Levels]]:
        """The same, with how loud each frame is, in decibels."""
        every = [blocks, [np.zeros(round(END * self.rate), np.float32)]]
        if self.network.shape.streaming:
            heard = self.begin()
            for block in (block for several in every for block in several):
                found, loud, heard = self.hear(block, heard)
                yield found, loud
            return
        rest, room = np.zeros(0, np.float32), self.scale.begin()
        waiting, loud = np.zeros((0, self.network.shape.values), np.float32), np.zeros(0, np.float32)
        for block in (block for several in every for block in several):
            frames, more, rest, room = self._frames(np.concatenate([rest, block]), room)
            waiting, loud = np.concatenate([waiting, frames]), np.concatenate([loud, more])
            while len(waiting) > _PART / FRAME:
                at = self._quietest(loud)
                yield self._both_ways(waiting[:at]), loud[:at]
                waiting, loud = waiting[at:], loud[at:]
        yield self._both_ways(waiting), loud

    def _frames(
        self, samples: Samples, room: Room
    ) -> tuple[Float32[np.ndarray, "frames values"], Levels, Float32[np.ndarray, " rest"], Room]:
        """The features of the whole network frames, how loud they are, the samples left over, and the room then."""
        window, shift = window_of(self.rate), shift_of(self.rate)
        count = max(0, (len(samples) - window) // shift + 1) // STACK * STACK
        if not count:
            return np.zeros((0, STACK * bins_of(self.rate)), np.float32), np.zeros(0, np.float32), samples, room
        mels = log_mels(samples[: (count - 1) * shift + window], self.rate)
        bands, room = self.scale.apply(mels, room)
        return stacked(bands), levels(mels), samples[count * shift :], room

    def _both_ways(self, frames: Float32[np.ndarray, "frames values"]) -> Lattice:
        if not len(frames):
            return np.zeros((0, self.network.shape.tokens), np.float32)
        with torch.no_grad():
            found: Lattice = self.network(torch.from_numpy(frames)[None])[0].numpy()
        return found

    def _quietest(self, levels: Levels) -> int:
        """Where to cut frames, not before the least."""
        begin, end = round(_LEAST / FRAME), round(_PART / FRAME)
        loud = np.convolve(levels[begin:end], np.full(_SMOOTH, 1 / _SMOOTH), "same")
        inner = loud[_SMOOTH:-_SMOOTH]
        return begin + _SMOOTH + int(inner.argmin())
