"""The simple method for sentences: a hidden Markov model of words, or of the letters that spell them (Rabiner 1989).

Each unit is a few states in a row, each state a mixture of Gaussians over the cepstra. The paths of the recordings
through the states of their texts and the mixtures are found in turns, from equal parts on (Viterbi training), while the
Gaussians double. Silence may stand between any two words. What is said is then the best path through a loop of all
words, with how probable each word is after the one before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float32, Int64

from .bigram import Pairs, bigram, pairs_of
from .cepstra import VALUES, Cepstra
from .mixtures import Mixtures
from .state_paths import Row, paths
from .units import Units
from .word_loop import Loop

WORDS = 3000
"""That are known at most: the most frequent ones."""

_WHOLE = 200  # words that have their own states, at most
_HEARD = 8  # times, on average, that training must have each of them
_CELLS = 4_000_000  # frames times states that are gone through at once
_OF_WORD, _OF_LETTER = 12, 3  # states of a unit
_GAUSSIANS = (1, 1, 1, 1, 2, 2, 4, 4, 8, 8)  # of a state, round by round
_QUIET = -0.5  # of the first cepstral coefficient, below which the begin and the end of a recording count as silence
_WEIGHT = 16.0  # of the bigram beside the likelihoods of the frames, which are too sure of themselves

Path: TypeAlias = Int64[np.ndarray, " _"]


@dataclass(frozen=True)
class HiddenMarkov:
    """What was learnt.

    Args:
        units: of the words that are known.
        size: states of each unit; those of the first one come behind the state of silence, which is number 0.
        mixtures: of each state.
        stay: the logarithm of the probability that a state is followed by itself.
        pairs: of words, as `bigram` takes them.
    """

    name: ClassVar[str] = "hidden_markov"

    units: Units
    size: int
    mixtures: Mixtures
    stay: Float32[np.ndarray, " states"]
    pairs: Pairs

    @classmethod
    def fit(cls, heard: Sequence[Cepstra], texts: Sequence[str], others: Sequence[str] = ()) -> HiddenMarkov:
        """Learn from recordings.

        Args:
            heard: the cepstra of each recording.
            texts: what was said.
            others: texts without recordings, for which words there are and what comes after what.
        """
        lines, more = [text.split() for text in texts], [text.split() for text in others]
        times = Counter(chain.from_iterable(lines))
        frequent = [word for word, _ in (times + Counter(chain.from_iterable(more))).most_common(WORDS)]
        whole = len(times) <= _WHOLE and times.total() >= _HEARD * len(times)
        letters = set("".join(times))
        known = [word for word in frequent if word in times or (not whole and letters.issuperset(word))]
        model = _Training(heard, lines).model(times, sorted(times.keys() | known), whole=whole)
        number = {word: at for at, word in enumerate(known)}
        numbered = [[number[word] for word in line if word in number] for line in (*lines, *more)]
        return replace(model, units=model.units.only(known), pairs=pairs_of(numbered, len(known)))

    def transcribe(self, heard: Sequence[Cepstra]) -> list[str]:
        """The words of each recording."""
        words = self.units.words
        if not words:
            return [""] * len(heard)
        following = _WEIGHT * bigram(self.pairs, len(words))
        loop = Loop([self.states(spelled) for spelled in self.units.spelled], 0, self.stay, following)
        return [" ".join(words[word] for word in loop.words(self.mixtures.log_likelihood(part))) for part in heard]

    def states(self, spelled: Sequence[int]) -> list[int]:
        """The numbers of the states of a word, which is given by its units."""
        return [1 + unit * self.size + at for unit in spelled for at in range(self.size)]

    def arrays(self) -> dict[str, np.ndarray]:
        """What it learnt."""
        return {
            "means": self.mixtures.means,
            "variances": self.mixtures.variances,
            "weights": self.mixtures.weights,
            "stay": self.stay,
            "pairs": self.pairs,
            "spelled": np.array(list(chain.from_iterable(self.units.spelled)), dtype=np.int64),
            "lengths": np.array([len(word) for word in self.units.spelled], dtype=np.int64),
        }

    def facts(self) -> dict[str, Any]:
        """What it learnt that is no array, as JSON can hold it."""
        return {"words": list(self.units.words), "letters": list(self.units.letters), "size": self.size}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> HiddenMarkov:
        """What `arrays` and `facts` gave."""
        ends = np.cumsum(arrays["lengths"]).tolist()
        flat = arrays["spelled"].tolist()
        spelled = tuple(tuple(flat[begin:end]) for begin, end in zip([0, *ends], ends, strict=False))
        units = Units(tuple(facts["words"]), spelled, tuple(facts["letters"]))
        mixtures = Mixtures(arrays["means"], arrays["variances"], arrays["weights"])
        return cls(units, int(facts["size"]), mixtures, arrays["stay"], arrays["pairs"])


class _Training:
    """Recordings with the paths through the states of their texts, as far as they are found."""

    def __init__(self, heard: Sequence[Cepstra], lines: Sequence[Sequence[str]]) -> None:
        self._heard, self._lines = heard, lines
        self._paths: list[Path | None] = []

    def model(self, times: Mapping[str, int], words: Sequence[str], *, whole: bool) -> HiddenMarkov:
        """What is learnt of words: units of letters know their contexts only after some rounds.

        Args:
            times: how often each word was said.
            words: all of these, and others.
            whole: whether each word is a unit.
        """
        units = Units.whole(words) if whole else Units.of_letters(words, times, often=None)
        model = _plain(units, _OF_WORD if whole else _OF_LETTER)
        rows = self._rows(model)
        self._paths = [_even(part, row) for part, row in zip(self._heard, rows, strict=True)]
        for before, gaussians in pairwise((1, *_GAUSSIANS)):
            if before < gaussians == 2 and not whole:
                model = _in_context(model, Units.of_letters(words, times))
                rows = self._rows(model)  # of as many states as before, so that the paths remain
            model = self._learnt(model, rows, gaussians)
            self._paths = self._found(model, rows)
        return self._learnt(model, rows, _GAUSSIANS[-1])

    def _rows(self, model: HiddenMarkov) -> list[Row]:
        """The states of each recording: those of its words, and silence around each of them."""
        spelled = dict(zip(model.units.words, model.units.spelled, strict=True))
        return [_row([model.states(spelled[word]) for word in line]) for line in self._lines]

    def _learnt(self, model: HiddenMarkov, rows: Sequence[Row], gaussians: int) -> HiddenMarkov:
        """Mixtures and transitions from the paths."""
        used = [(at, path) for at, path in enumerate(self._paths) if path is not None]
        if not used:
            return model
        states = np.concatenate([rows[at].states[path] for at, path in used])
        frames = np.concatenate([self._heard[at] for at, _ in used])
        begun = np.concatenate([np.append(True, np.diff(path) != 0) for _, path in used])
        count, visits = (np.bincount(of, minlength=len(model.stay)) for of in (states, states[begun]))
        stay = np.log(np.clip((count - visits + 1) / (count + 2), 0.05, 0.98)).astype(np.float32)
        return replace(model, mixtures=model.mixtures.learnt(frames, states, gaussians), stay=stay)

    def _found(self, model: HiddenMarkov, rows: Sequence[Row]) -> list[Path | None]:
        """The best path of each recording."""
        found: list[Path | None] = [None] * len(rows)
        for some in _together([len(part) for part in self._heard], [len(row.states) for row in rows]):
            likelihoods = [_in_row(model.mixtures, self._heard[at], rows[at]) for at in some]
            for at, path in zip(some, paths(likelihoods, [rows[at] for at in some], model.stay), strict=True):
                found[at] = path
        return found


def _together(frames: Sequence[int], states: Sequence[int]) -> Iterator[list[int]]:
    """Recordings of about the same length, as many as can be gone through at once."""
    some: list[int] = []
    longest = widest = 0
    for at in sorted(range(len(frames)), key=lambda at: (frames[at], states[at])):
        longest, widest = max(longest, frames[at]), max(widest, states[at])
        if some and (len(some) + 1) * longest * widest > _CELLS:
            yield some
            some, longest, widest = [], frames[at], states[at]
        some.append(at)
    if some:
        yield some


def _plain(units: Units, size: int) -> HiddenMarkov:
    """A model that knows nothing yet."""
    states = 1 + size * len(units.letters)
    stay = np.full(states, np.log(0.7), np.float32)
    return HiddenMarkov(units, size, Mixtures.plain(states, VALUES), stay, pairs_of([], 0))


def _in_context(model: HiddenMarkov, units: Units) -> HiddenMarkov:
    """The same model, whose letters begin in each context with what they are in all."""
    number = {letter: at for at, letter in enumerate(model.units.letters)}
    states = np.array([0, *model.states([number[letter] for letter in units.letters])])
    return replace(model, units=units, mixtures=model.mixtures.chosen(states), stay=model.stay[states])


def _row(words: Sequence[Sequence[int]]) -> Row:
    """The states of words, with a silence before, between and behind them that may be left out."""
    states = np.array([0, *chain.from_iterable([*word, 0] for word in words)])
    return Row(states, (states == 0) & bool(words))


def _even(part: Cepstra, row: Row) -> Path | None:
    """A path of equal parts, but for what is quiet at the begin and at the end; None where the states are too many."""
    spoken = np.flatnonzero(~row.optional)
    loud = np.flatnonzero(part[:, 0] > _QUIET)
    begin, end = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(part))
    if end - begin < len(spoken):
        begin, end = 0, len(part)
    if end - begin < len(spoken):
        return None
    path = np.zeros(len(part), dtype=np.int64)
    path[end:] = len(row.states) - 1
    path[begin:end] = spoken[np.arange(end - begin) * len(spoken) // (end - begin)]
    return path


def _in_row(mixtures: Mixtures, part: Cepstra, row: Row) -> Float32[np.ndarray, "_ _"]:
    """The logarithm of the likelihood of each frame in each state of a row."""
    different, place = np.unique(row.states, return_inverse=True)
    found: Float32[np.ndarray, "_ _"] = mixtures.chosen(different).log_likelihood(part)[:, place]
    return found
