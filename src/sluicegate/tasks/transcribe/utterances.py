"""What is said utterance by utterance: the one way from lattices to words, of streams and of recordings."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from .endpoint import Endpoint
from .features import FRAME
from .search.search import Search
from .transcript import Word


class Utterances:
    """A search that begins anew where an utterance is over.

    Args:
        search: that nothing was said to yet.
        silence: seconds of it after which an utterance is over.

    Raises:
        ConfigError: `silence` is not above 0.
    """

    def __init__(self, search: Search, silence: float) -> None:
        self.search = search
        self.endpoint = Endpoint(silence=silence, frame=FRAME)
        self.reset()

    def reset(self) -> None:
        """Begin anew, with silence; words that were added stay."""
        self.frames = self.begun = 0
        """Of the lattice: in all, and before the present utterance."""
        self.score = 0.0
        """The logarithm of the probability of the utterances that are over."""
        self.search.reset()
        self.endpoint.reset()

    def push(
        self, lattice: Float32[np.ndarray, "frames tokens"], levels: Float32[np.ndarray, " frames"]
    ) -> tuple[list[Word], bool]:
        """Go on by frames.

        Args:
            lattice: natural logarithms of the probabilities of the blank and of the tokens.
            levels: how loud each frame is, in decibels.

        Returns:
            The words that nothing changes any more, with times from the first frame that was pushed; and whether an
            utterance ended.

        Raises:
            DataError: the frames are none, as `Endpoint.push` and `Search.push` say.
        """
        words: list[Word] = []
        done, before = 0, self.frames
        ends = [end - before for end in self.endpoint.push(lattice, levels)]
        for end in ends:
            self.search.push(lattice[done:end])
            self.frames += end - done
            words += self.end()
            done = end
        self.search.push(lattice[done:])
        self.frames += len(lattice) - done
        return words + self._told(self.search.take()), bool(ends)

    def end(self) -> list[Word]:
        """The last words of the utterance, which is over; the search begins anew."""
        last = self.search.best(final=True)
        words = self._told(last.words)
        self.score += last.score
        self.search.reset()
        self.begun = self.frames
        return words

    def _told(self, words: list[Word]) -> list[Word]:
        """Words with times from the first frame."""
        begun = self.begun * FRAME
        return [word._replace(begin=word.begin + begun, end=word.end + begun) for word in words]
