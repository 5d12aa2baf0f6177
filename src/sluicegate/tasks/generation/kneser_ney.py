"""Runs of tokens, counted: what they say of the next one.

Interpolated Kneser-Ney smoothing with the modified discounts of Chen & Goodman 1998: what a run of n words says of the
next one is mixed with what the run of n - 1 says,

    p_n(w | u) = max(c(u w) - D(c(u w)), 0) / c(u .) + gamma(u) * p_(n-1)(w | u without its first word),
    gamma(u) = (D_1 N_1(u .) + D_2 N_2(u .) + D_3 N_3+(u .)) / c(u .),

where c of the longest runs counts them, c of shorter ones counts the different words before them, N_k(u .) counts the
words that came after u k times, and below single words all tokens are equally probable. A run does not reach over the
beginning of its line: one that begins there has no word before it, and is counted as often as it comes.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

END = 0
"""The token that ends a line, and stands before the first one."""

ORDER = 5

BEGINNING = (END,)
"""Where a line begins, for `KneserNey.follow`."""


class _Runs(NamedTuple):
    """The different runs of one length."""

    keys: Int64[np.ndarray, " runs"]
    """Ascending: the number of the run without its last token, times the number of tokens, and the last one."""
    taken: Float64[np.ndarray, " runs"]
    """The discounted count, over the sum of the counts after the same tokens."""
    left: Float64[np.ndarray, " contexts"]
    """Of each run that is one token shorter: gamma, or 1 where nothing came after it."""


class _Looked(NamedTuple):
    """The same, for one look at a time: of that NumPy's arrays make too much."""

    keys: array[int]
    taken: array[float]
    left: array[float]


@dataclass(frozen=True)
class KneserNey:
    """A model of runs of tokens.

    Args:
        kinds: how many tokens there are, numbered from 0.
        runs: those of single tokens, of which each has its number, then those of two, and so on.
    """

    kinds: int
    runs: tuple[_Runs, ...]

    @classmethod
    def of(cls, tokens: Int64[np.ndarray, " tokens"], kinds: int, order: int = ORDER) -> KneserNey:
        """Count the runs of a text.

        Args:
            tokens: of all its lines, each of which ends in `END`.
            kinds: how many tokens there are, numbered from 0; those that the text does not have are equally probable.
            order: tokens of the longest runs, from 1 up.
        """
        tokens, depth = _from_the_beginning(tokens)
        keys, ends = np.arange(kinds), [tokens]
        found, firsts = [keys], [keys]
        for length in range(2, order + 1):
            places = np.flatnonzero(depth >= length)
            keys, first, run = np.unique(
                ends[-1][places - 1] * kinds + tokens[places], return_index=True, return_inverse=True
            )
            end = np.full(len(tokens), -1)
            end[places] = run
            ends.append(end)
            found.append(keys)
            firsts.append(places[first])
        runs = []
        for length, (keys, end) in enumerate(zip(found, ends, strict=True), 1):
            counted = (
                end[1:] if length == order else end[np.concatenate([firsts[length], np.flatnonzero(depth == length)])]
            )
            count = np.bincount(counted[counted >= 0], minlength=len(keys))
            runs.append(_discounted(keys // kinds, keys, count, 1 if length == 1 else len(found[length - 2])))
        return cls(kinds, tuple(runs))

    def log_likelihood(self, tokens: Int64[np.ndarray, " tokens"]) -> Float64[np.ndarray, " tokens"]:
        """The logarithm of the probability of each token of a text, given those of its line before.

        Args:
            tokens: of all its lines, each of which ends in `END`.
        """
        tokens, depth = _from_the_beginning(tokens)
        single = self.runs[0]
        chance = single.taken[tokens] + single.left[0] / self.kinds
        end = tokens
        for length, runs in enumerate(self.runs[1:], 2):
            before = np.concatenate([[-1], end[:-1]])
            places = np.flatnonzero((depth >= length) & (before >= 0))
            keys = before[places] * self.kinds + tokens[places]
            at = np.minimum(np.searchsorted(runs.keys, keys), len(runs.keys) - 1)
            known = runs.keys[at] == keys if len(runs.keys) else np.zeros(len(keys), dtype=bool)
            chance[places] *= runs.left[before[places]]
            chance[places[known]] += runs.taken[at[known]]
            end = np.full(len(tokens), -1)
            end[places[known]] = at[known]
        found: Float64[np.ndarray, " tokens"] = np.log(chance[1:])
        return found

    def follow(self, state: tuple[int, ...], token: int) -> tuple[float, tuple[int, ...]]:
        """Go on by one token: the logarithm of its probability as `log_likelihood` has it, and where that leads.

        Args:
            state: the numbers of the runs that the tokens before end with, the shortest first, as far as there are
                such; `BEGINNING` where a line begins, () where nothing is known of what was before.
            token: the next one.

        Returns:
            The logarithm of its probability, and the next state: two that are equal never differ in what follows.
        """
        single = self._looked[0]
        chance = single.taken[token] + single.left[0] / self.kinds
        runs = [token]
        for before, (keys, taken, left) in zip(state, self._looked[1:], strict=False):
            chance *= left[before]
            key = before * self.kinds + token
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key:
                chance += taken[at]
                runs.append(at)
        if token == END:
            return math.log(chance), BEGINNING
        return math.log(chance), tuple(runs[: len(self.runs) - 1])

    def leads(self, state: tuple[int, ...]) -> bool:
        """Tell whether a state is one that `follow` can go on from."""
        return len(state) < max(2, len(self.runs)) and all(
            0 <= run < len(runs.keys) for run, runs in zip(state, self.runs, strict=False)
        )

    @cached_property
    def _looked(self) -> tuple[_Looked, ...]:
        return tuple(
            _Looked(
                array("q", runs.keys.astype(np.int64).tobytes()),
                array("d", runs.taken.tobytes()),
                array("d", runs.left.tobytes()),
            )
            for runs in self.runs
        )


def _from_the_beginning(
    tokens: Int64[np.ndarray, " tokens"],
) -> tuple[Int64[np.ndarray, " places"], Int64[np.ndarray, " places"]]:
    """The tokens behind an end, and at each place how many there are from the last end before it on; 0 at the first."""
    tokens = np.concatenate([[END], tokens]).astype(np.int64)
    places = np.arange(len(tokens))
    ends = np.maximum.accumulate(np.where(tokens == END, places, 0))
    return tokens, np.concatenate([[0], places[1:] - ends[:-1] + 1])


def _discounted(
    contexts: Int64[np.ndarray, " runs"],
    keys: Int64[np.ndarray, " runs"],
    count: Int64[np.ndarray, " runs"],
    several: int,
) -> _Runs:
    """The runs of one length, with what is taken from their counts for those that never came.

    Args:
        contexts: the number of each without its last token.
        keys: of the runs.
        count: of each.
        several: how many contexts there are.
    """
    discounts = _discounts(count)
    kind = np.minimum(count, len(discounts) - 1)
    total = np.bincount(contexts, count, several)
    taken = np.bincount(contexts, discounts[kind], several)
    some = np.maximum(total, 1)
    left = np.where(total > 0, taken / some, 1.0)
    return _Runs(keys, (count - discounts[kind]) / some[contexts], left)


def _discounts(count: Int64[np.ndarray, " runs"]) -> Float64[np.ndarray, " kinds"]:
    """What is taken from a count of 0, 1, 2, and of 3 and more."""
    once, twice, thrice, more = (float((count == times).sum()) for times in (1, 2, 3, 4))
    usual = np.array([0.0, 0.5, 1.0, 1.5])
    if not (once and twice and thrice):
        return usual  # too little text to tell
    share = once / (once + 2 * twice)
    found = np.array([0.0, 1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice, 3 - 4 * share * more / thrice])
    return found if (found >= 0).all() else usual
