"""The simple method for sentences: a hidden Markov model of words, or of the letters that spell them (Rabiner 1989).

Each unit is a few states in a row, each state a mixture of Gaussians over the cepstra. The paths of the recordings
through the states of their texts and the mixtures are found in turns, from equal parts on (Viterbi training), while the
Gaussians double. Silence may stand between any two words. What is said is then the best path through a loop of all
words, with how probable each word is after the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32, Int64

from .bigram import bigram
from .cepstra import PER_SECOND, VALUES, Cepstra
from .mixtures import Mixtures
from .state_paths import Row, paths
from .units import Units
from .word_loop import Loop

_WORDS = 3000  # that are known at most: the most frequent ones
_WHOLE = 200  # words that have their own states, at most
_HEARD = 8  # times, on average, that training must have each of them
_FRAMES = 3600 * PER_SECOND  # that are learnt from, at most
_CELLS = 4_000_000  # frames times states that are gone through at once
_OF_WORD, _OF_LETTER = 12, 3  # states of a unit
_GAUSSIANS = (1, 1, 1, 1, 2, 2, 4, 4, 8, 8)  # of a state, round by round
_QUIET = -0.5  # of the first cepstral coefficient, below which the begin and the end of a recording count as silence
_WEIGHT, _BONUS = 8.0, 0.0  # of the bigram beside the frames, and of each word

Path = Int64[np.ndarray, " frames"]


@dataclass(frozen=True)
class HiddenMarkov:
    """What was learnt.

    Args:
        units: of the words that are known.
        sizes: states of each unit; those of the first one come behind the state of silence, which is number 0.
        mixtures: of each state.
        stay: the logarithm of the probability that a state is followed by itself.
        following: that of each word after each other one, as `bigram` gives it.
    """

    name: ClassVar[str] = "hidden_markov"

    units: Units
    sizes: Int64[np.ndarray, " units"]
    mixtures: Mixtures
    stay: Float32[np.ndarray, " states"]
    following: Float32[np.ndarray, "contexts words"]

    @classmethod
    def fit(cls, heard: Sequence[Cepstra], texts: Sequence[str], seed: int = 0) -> HiddenMarkov:
        """Learn from recordings, of at most an hour.

        Args:
            heard: the cepstra of each recording.
            texts: what was said.
            seed: of the choice of the recordings where there are more.
        """
        lines = [text.split() for text in texts]
        order = np.random.default_rng(seed).permutation(len(lines)).tolist()
        lengths = np.cumsum([len(heard[row]) for row in order])
        chosen = order[: max(1, int(np.searchsorted(lengths, _FRAMES, side="right")))]
        times = Counter(chain.from_iterable(lines))
        words = [word for word, _ in times.most_common(_WORDS)]
        return _Training([heard[row] for row in chosen], [lines[row] for row in chosen], times).model(words, lines)

    def transcribe(self, heard: Sequence[Cepstra]) -> list[str]:
        """The words of each recording."""
        if not self.units.words:
            return [""] * len(heard)
        loop = Loop(self.states(self.units.spelled), 0, self.stay, self.following, _WEIGHT, _BONUS)
        return [
            " ".join(self.units.words[word] for word in loop.words(self.mixtures.log_likelihood(part)))
            for part in heard
        ]

    def states(self, words: Sequence[Sequence[int]]) -> list[list[int]]:
        """The numbers of the states of words, which are given by their units."""
        ends = 1 + np.cumsum(self.sizes)
        of_unit = [list(range(end - size, end)) for end, size in zip(ends.tolist(), self.sizes.tolist(), strict=True)]
        return [[state for unit in word for state in of_unit[unit]] for word in words]


class _Training:
    """Recordings with the paths through the states of their texts, as far as they are found."""

    def __init__(self, heard: Sequence[Cepstra], lines: Sequence[Sequence[str]], times: Counter[str]) -> None:
        self._heard, self._lines, self._times = heard, lines, times
        self._paths: list[Path | None] = []

    def model(self, words: Sequence[str], lines: Sequence[Sequence[str]]) -> HiddenMarkov:
        """What is learnt of some words; what comes after what, from all lines."""
        different = sorted(self._times)
        whole = len(different) <= _WHOLE and sum(self._times.values()) >= _HEARD * len(different)
        size = _OF_WORD if whole else _OF_LETTER
        # A word's states are as many with context as without, so that the paths serve both.
        units = Units.whole(different) if whole else Units.letters(different, self._times, often=10**9)
        model = _plain(units, size)
        rows = self._rows(model)
        self._paths = [_even(part, row) for part, row in zip(self._heard, rows, strict=True)]
        for number, gaussians in enumerate(_GAUSSIANS):
            if gaussians > 1 and not whole and _GAUSSIANS[number - 1] == 1:
                model = _plain(Units.letters(different, self._times), size)
                rows = self._rows(model)
            model = self._learnt(model, rows, gaussians)
            self._paths = self._found(model, rows)
        number = {word: at for at, word in enumerate(words)}
        known = [[number[word] for word in line if word in number] for line in lines]
        at = [different.index(word) for word in words]
        few = replace(model.units, words=tuple(words), spelled=tuple(model.units.spelled[k] for k in at))
        return replace(self._learnt(model, rows, _GAUSSIANS[-1]), units=few, following=bigram(known, len(words)))

    def _rows(self, model: HiddenMarkov) -> list[Row]:
        """The states of each recording: those of its words, and silence around each of them."""
        number = {word: at for at, word in enumerate(model.units.words)}
        of_word = model.states(model.units.spelled)
        return [_row([of_word[number[word]] for word in line]) for line in self._lines]

    def _learnt(self, model: HiddenMarkov, rows: Sequence[Row], gaussians: int) -> HiddenMarkov:
        """Mixtures and transitions from the paths."""
        used = [at for at, path in enumerate(self._paths) if path is not None]
        if not used:
            return model
        placed = [path for path in self._paths if path is not None]
        states = np.concatenate([rows[at].states[path] for at, path in zip(used, placed, strict=True)])
        frames = np.concatenate([self._heard[at] for at in used])
        begun = np.concatenate([np.append(True, np.diff(path) != 0) for path in placed])
        count = np.bincount(states, minlength=len(model.stay))
        visits = np.bincount(states[begun], minlength=len(model.stay))
        stay = np.log(np.clip((count - visits + 1) / (count + 2), 0.05, 0.98)).astype(np.float32)
        return replace(model, mixtures=model.mixtures.learnt(frames, states, gaussians), stay=stay)

    def _found(self, model: HiddenMarkov, rows: Sequence[Row]) -> list[Path | None]:
        """The best path of each recording, of many of about the same size at once."""
        found: list[Path | None] = [None] * len(rows)
        sizes = [len(part) * len(row.states) for part, row in zip(self._heard, rows, strict=True)]
        order = sorted(range(len(rows)), key=lambda at: (len(self._heard[at]), sizes[at]))
        while order:
            longest, widest, some = 0, 0, []
            while order:
                at = order[-1]
                longest, widest = max(longest, len(self._heard[at])), max(widest, len(rows[at].states))
                if some and (len(some) + 1) * longest * widest > _CELLS:
                    break
                some.append(order.pop())
            likelihoods = [_in_row(model.mixtures, self._heard[at], rows[at]) for at in some]
            for at, path in zip(some, paths(likelihoods, [rows[at] for at in some], model.stay), strict=True):
                found[at] = path
        return found


def _plain(units: Units, size: int) -> HiddenMarkov:
    """A model that knows nothing yet."""
    states = 1 + size * len(units.names)
    return HiddenMarkov(
        units,
        np.full(len(units.names), size),
        Mixtures.plain(states, VALUES),
        np.full(states, np.log(0.7), np.float32),
        bigram([], len(units.words)),
    )


def _row(words: Sequence[Sequence[int]]) -> Row:
    """The states of words, with a silence before, between and behind them that may be left out."""
    states = [0, *chain.from_iterable([*word, 0] for word in words)]
    optional = np.array(states) == 0
    return Row(np.array(states), optional if words else np.array([False]))


def _even(part: Cepstra, row: Row) -> Path | None:
    """A path of equal parts, but for what is quiet at the begin and at the end."""
    loud = np.flatnonzero(part[:, 0] > _QUIET)
    spoken = np.flatnonzero(~row.optional)
    if len(row.states) == 1:
        return np.zeros(len(part), dtype=np.int64)
    begin, end = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(part))
    if end - begin < len(spoken):
        begin, end = 0, len(part)
    if end - begin < len(spoken):
        return None
    path = np.zeros(len(part), dtype=np.int64)
    path[end:] = len(row.states) - 1
    path[begin:end] = spoken[np.arange(end - begin) * len(spoken) // (end - begin)]
    return path


def _in_row(mixtures: Mixtures, part: Cepstra, row: Row) -> Float32[np.ndarray, "frames row"]:
    """The logarithm of the likelihood of each frame in each state of a row."""
    different, place = np.unique(row.states, return_inverse=True)
    found: Float32[np.ndarray, "frames row"] = mixtures.chosen(different).log_likelihood(part)[:, place]
    return found
