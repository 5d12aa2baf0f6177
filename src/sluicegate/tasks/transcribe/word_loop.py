"""The most probable words of a recording: the best path through a loop of the states of all words (Ney 1984)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

_BEYOND = np.float32(-1e30)
_ENDS = 40  # words that may end in a frame and be followed by others


class Loop:
    """The states of all words, one word after the other, each with a silence behind it that may be left out.

    Args:
        words: the numbers of each word's states.
        silence: the number of the silence's state.
        stay: the logarithm of the probability that a state is followed by itself.
        following: what is added for each word after each word, in the form that `bigram` gives.
    """

    def __init__(
        self,
        words: Sequence[Sequence[int]],
        silence: int,
        stay: Float32[np.ndarray, " states"],
        following: Float32[np.ndarray, "contexts words"],
    ) -> None:
        sizes = np.array([len(word) + 1 for word in words])
        ends = np.cumsum(sizes)
        self._first = ends - sizes
        self._silent = ends - 1
        self.states = np.array([state for word in words for state in (*word, silence)] + [silence])
        self._stay = stay[self.states]
        self._leave = np.log(-np.expm1(np.minimum(self._stay, np.float32(-1e-4))))
        self._following = following

    def words(self, likelihood: Float32[np.ndarray, "frames states"]) -> list[int]:
        """The numbers of the words of a recording.

        Args:
            likelihood: the logarithm of that of each frame in each state.
        """
        kinds = len(self._first)
        score = np.full(len(self.states), _BEYOND, dtype=np.float32)
        past = np.zeros(len(self.states), dtype=np.int32)  # of each path, the record of its last word that ended
        records = _Records()
        score[self._first], score[-1] = self._following[kinds, :kinds], 0.0
        score += likelihood[0, self.states]
        for heard in likelihood[1:]:
            entry, behind = self._entries(score, past, records)
            score, past = self._stepped(score, past, entry, behind)
            score += heard[self.states]
        ends, of_ends = self._ends(score, past, staying=True)
        total = ends + self._following[:, kinds]
        last = int(total.argmax())
        return [] if last == kinds else [*records.words(int(of_ends[last])), last]

    def _ends(
        self, score: Float32[np.ndarray, " states"], past: np.ndarray, *, staying: bool = False
    ) -> tuple[Float32[np.ndarray, " contexts"], np.ndarray]:
        """The best path that ends each word, or in the last place nothing but silence, and its record."""
        gone = score if staying else score + self._leave
        spoken, silent = gone[self._silent - 1], gone[self._silent]
        later = silent > spoken
        at = np.where(later, self._silent, self._silent - 1)
        return np.append(np.where(later, silent, spoken), gone[-1]), np.append(past[at], past[-1])

    def _entries(
        self, score: Float32[np.ndarray, " states"], past: np.ndarray, records: _Records
    ) -> tuple[Float32[np.ndarray, " words"], np.ndarray]:
        """The best path that may go on with each word, and the record of the word that it ended."""
        ends, of_ends = self._ends(score, past)
        few = np.argpartition(-ends, _ENDS)[:_ENDS] if len(ends) > _ENDS else np.arange(len(ends))
        kinds = len(self._first)
        total = ends[few, None] + self._following[few, :kinds]
        source = total.argmax(0)
        made = records.add(few, of_ends[few], kinds)
        return total[source, np.arange(kinds)], made[source]

    def _stepped(
        self,
        score: Float32[np.ndarray, " states"],
        past: np.ndarray,
        entry: Float32[np.ndarray, " words"],
        behind: np.ndarray,
    ) -> tuple[Float32[np.ndarray, " states"], np.ndarray]:
        """The best path to each state one frame later."""
        came = np.empty_like(score)
        came[1:] = score[:-1] + self._leave[:-1]
        came[self._first], came[-1] = entry, _BEYOND
        before = np.empty_like(past)
        before[1:] = past[:-1]
        before[self._first], before[-1] = behind, past[-1]
        stayed = score + self._stay
        better = came > stayed
        return np.where(better, came, stayed), np.where(better, before, past)


class _Records:
    """The words that ended, each behind another."""

    def __init__(self) -> None:
        self._count = 1  # 0 stands for none
        self._made: list[tuple[int, Int64[np.ndarray, " ended"], np.ndarray]] = []

    def add(self, words: Int64[np.ndarray, " ended"], behind: np.ndarray, nothing: int) -> np.ndarray:
        """Remember words that end in a frame, each behind the record of another; `nothing` is no word."""
        begin = self._count
        self._made.append((begin, words, behind))
        self._count += len(words)
        found = np.arange(begin, self._count, dtype=np.int32)
        found[words == nothing] = 0
        return found

    def words(self, record: int) -> list[int]:
        """The words up to a record."""
        found: list[int] = []
        frame = len(self._made) - 1
        while record:
            while self._made[frame][0] > record:
                frame -= 1
            begin, words, behind = self._made[frame]
            found.append(int(words[record - begin]))
            record = int(behind[record - begin])
        return found[::-1]
