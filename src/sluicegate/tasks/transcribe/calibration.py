"""Confidence that can be believed: of the words with confidence c, a share of c is right.

What a search says of a word is how probable its tokens are, which is too sure of itself, and surer of short words. A
logistic map (Platt 1999) brings it to the share of words that are right among those like it, on recordings that the
model was not trained on:

    calibrated = expit(slope * logit(confidence) + by_length * log(letters) + shift).

Words of one length keep their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import minimize
from scipy.special import expit, logit

from sluicegate.metrics.transcription import words_right

_CLIP = 1e-4  # from 0 and from 1, of what a search says
_FEWEST = 10  # words that are right, and words that are wrong, below which nothing is learnt
_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """The map from what a search says of a word to how often such a word is right; as it is made, it changes nothing.

    Args:
        slope: above 0.
        by_length: of the logarithm of the word's letters.
        shift: of all words.

    >>> Calibration().of("word", 0.75)
    0.75
    """

    slope: float = 1.0
    by_length: float = 0.0
    shift: float = 0.0

    @classmethod
    def fit(cls, words: Sequence[str], confidences: Sequence[float], right: Sequence[bool]) -> Calibration:
        """Learn the map from words of recordings that the model was not trained on.

        One word more is counted at each end, right and wrong (Platt 1999): a few words that are all right must not make
        certainty of it. Of fewer than ten words that are right, or wrong, nothing is learnt.

        Args:
            words: that were written.
            confidences: what the search says of each, from 0 to 1.
            right: whether each is.
        """
        truth = np.array(right, dtype=bool)
        good, bad = int(truth.sum()), int((~truth).sum())
        if min(good, bad) < _FEWEST:
            return cls()
        values = _values(words, confidences)
        target = np.where(truth, (good + 1) / (good + 2), 1 / (bad + 2))

        def loss(weights: Float64[np.ndarray, " 3"]) -> tuple[float, Float64[np.ndarray, " 3"]]:
            score = values @ weights
            apart = weights - np.array([1.0, 0.0, 0.0])
            total = np.logaddexp(0, score).sum() - target @ score + 0.5 * apart @ apart
            return float(total), values.T @ (expit(score) - target) + apart

        bounds = [(1e-2, 1e2), (-1e2, 1e2), (-1e2, 1e2)]
        found = minimize(loss, np.array([1.0, 0.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
        return cls(*map(float, found))

    def of(self, word: str, confidence: float) -> float:
        """How probable it is that a word is right.

        Args:
            word: that was written.
            confidence: what the search says of it, from 0 to 1.
        """
        if self == Calibration():
            return confidence
        clipped = min(max(confidence, _CLIP), 1 - _CLIP)
        odds = math.log(clipped / (1 - clipped))
        score = self.slope * odds + self.by_length * math.log(max(1, len(word))) + self.shift
        return 0.5 * (1 + math.tanh(0.5 * score))


def rightness(written: Sequence[Sequence[str]], said: Sequence[str]) -> list[bool]:
    """Of each word of all transcripts, one after the other, whether it is right.

    Args:
        written: the words of each transcript.
        said: what was said.

    Raises:
        MissingExtra: jiwer is not installed.
    """
    return [right for words, text in zip(written, said, strict=True) for right in words_right(" ".join(words), text)]


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float, int]]:
    """For each of ten equal ranges of confidence that holds words: the mean confidence, the share right, the words."""
    said, truth = np.array(confidences, dtype=np.float64), np.array(right, dtype=bool)
    place = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    return [_bin(said[place == at], truth[place == at]) for at in np.unique(place).tolist()]


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """How far, on average, the confidence lies from the share of words that are right, range by range; NaN of none."""
    if not len(right):
        return float("nan")
    return sum(abs(said - share) * words for said, share, words in reliability(confidences, right)) / len(right)


def _bin(said: Float64[np.ndarray, " words"], truth: Bool[np.ndarray, " words"]) -> tuple[float, float, int]:
    return float(said.mean()), float(truth.mean()), len(truth)


def _values(words: Sequence[str], confidences: Sequence[float]) -> Float64[np.ndarray, "words 3"]:
    """What the map weighs of each word."""
    odds = logit(np.clip(np.array(confidences, dtype=np.float64), _CLIP, 1 - _CLIP))
    letters = np.log(np.maximum(1, [len(word) for word in words]))
    return np.stack([odds, letters, np.ones(len(odds))], axis=1)
