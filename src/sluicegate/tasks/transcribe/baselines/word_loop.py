"""The most probable words of a recording: the best path through a loop of the states of all words (Ney 1984).

Only paths that are not much worse than the best one are followed (beam search, Lowerre 1976).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

_BEYOND = np.float32(-1e30)
_ENDS = 40  # words that may end in a frame and be followed by others
_BEAM = 300.0  # nats below the best path to which another is followed: with 200, two words in a hundred more were wrong


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
        self._silent = np.append(ends - 1, ends[-1])  # the last one is the silence before all words
        self._spoken = np.append(ends - 2, ends[-1])
        self._states = np.array([state for word in words for state in (*word, silence)] + [silence])
        self._goes_on = np.ones(len(self._states), dtype=bool)
        self._goes_on[self._silent] = False
        self._stay = stay[self._states]
        self._leave = np.log(-np.expm1(np.minimum(self._stay, np.float32(-1e-4))))
        self._following = following

    def words(self, likelihood: Float32[np.ndarray, "frames states"]) -> list[int]:
        """The numbers of the words of a recording.

        Args:
            likelihood: the logarithm of that of each frame in each state.
        """
        kinds = len(self._first)
        records, front = _Records(), _Front(len(self._states))
        front.add(self._first, self._following[kinds, :kinds], front.past[self._first])
        front.add(self._silent[-1:], np.zeros(1, np.float32), front.past[-1:])
        front.hear(likelihood[0], self._states)
        for heard in likelihood[1:]:
            self._step(front, records)
            front.hear(heard, self._states)
        at = self._ends(front.score)
        total = front.score[at] + self._following[:, kinds]
        last = int(total.argmax())
        return [] if last == kinds else [*records.words(int(front.past[at[last]])), last]

    def _ends(self, score: Float32[np.ndarray, " places"]) -> Int64[np.ndarray, " contexts"]:
        """Where the best path that ends each word is, or in the last place nothing but silence."""
        return np.where(score[self._silent] > score[self._spoken], self._silent, self._spoken)

    def _step(self, front: _Front, records: _Records) -> None:
        """Go on by a frame, which is not heard yet."""
        kinds, alive, score = len(self._first), front.alive, front.score
        at = self._ends(score + self._leave)
        ends = score[at] + self._leave[at]
        few = np.argpartition(-ends, _ENDS)[:_ENDS] if len(ends) > _ENDS else np.arange(len(ends))
        few = few[ends[few] >= ends[few].max() - _BEAM]
        total = ends[few, None] + self._following[few, :kinds]
        source = total.argmax(0)
        entry, made = total[source, np.arange(kinds)], records.add(few, front.past[at[few]], kinds)
        on = alive[self._goes_on[alive]]
        gone, behind = score[on] + self._leave[on], front.past[on]
        score[alive] += self._stay[alive]
        front.add(on + 1, gone, behind)
        near = np.flatnonzero(entry > front.best - _BEAM)
        front.add(self._first[near], entry[near], made[source[near]])


class _Front:
    """The best paths to all places, of which few are alive.

    Args:
        places: how many there are.
    """

    def __init__(self, places: int) -> None:
        self.score = np.full(places, _BEYOND, dtype=np.float32)
        self.past = np.zeros(places, dtype=np.int32)  # of each path, the record of the last word that it ended
        self.alive = np.zeros(0, dtype=np.int64)
        self.best = 0.0
        self._lives = np.zeros(places, dtype=bool)

    def add(self, places: Int64[np.ndarray, " _"], scores: Float32[np.ndarray, " _"], past: np.ndarray) -> None:
        """Paths that come to places, each of another one; those that are better than the ones there stay."""
        better = scores > self.score[places]
        at = places[better]
        self.score[at], self.past[at], self._lives[at] = scores[better], past[better], True

    def hear(self, likelihood: Float32[np.ndarray, " states"], states: Int64[np.ndarray, " places"]) -> None:
        """Take a frame by its likelihood in each state, and leave the paths that are much worse than the best one."""
        alive = np.flatnonzero(self._lives)
        now = self.score[alive] + likelihood[states[alive]]
        self.best = float(now.max())
        kept = now >= self.best - _BEAM
        self.score[alive], self._lives[alive], self.alive = np.where(kept, now, _BEYOND), kept, alive[kept]


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
