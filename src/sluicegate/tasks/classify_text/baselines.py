"""The simple methods that a text classifier is set beside: linear ones on words and pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from .terms import Reading, Terms, Words

Name = Literal["tfidf_logistic_regression", "nb_svm"]
NAMES: tuple[Name, ...] = ("tfidf_logistic_regression", "nb_svm")
MOST_ROWS = 200_000
"""Rows that the simple methods are trained on at most, drawn at random: a million would take gigabytes."""

_FEATURES = 300_000  # the most frequent words and pairs
_WEIGHTS = 5_000_000  # of all classes, at most; the solver holds each some forty times over
_NEVER = -20.0  # the score of a class that training did not have

Truth = Int64[np.ndarray, " rows"]
Said = Float64[np.ndarray, "rows classes"]


@dataclass(frozen=True)
class Linear:
    """A linear classifier on the words and pairs of words of a text, or its character n-grams.

    `tfidf_logistic_regression` weighs them by TF-IDF. `nb_svm` takes whether each occurs, times its log-count ratio
    (Wang & Manning 2012), with the logistic loss in place of the hinge, so that it gives probabilities.

    Args:
        name: which of the two.
        vocabulary: the words and pairs, or the character n-grams.
        idf: what each is multiplied by; ones for `nb_svm`.
        weights: of each class; of two classes, of the second alone.
        intercept: the same.
        reading: what is counted.
    """

    name: Name
    vocabulary: tuple[str, ...]
    idf: Float32[np.ndarray, " features"]
    weights: Float32[np.ndarray, "outputs features"]
    intercept: Float32[np.ndarray, " outputs"]
    reading: Reading = "words"

    @cached_property
    def terms(self) -> Terms:
        """The words and pairs, or the runs, as numbers."""
        return Terms.named(self.vocabulary, self.reading)

    def probabilities(self, texts: Sequence[str]) -> Float64[np.ndarray, "rows classes"]:
        """The probability of each class."""
        return self.said(self.terms.within(texts))

    def said(self, counts: csr_matrix) -> Float64[np.ndarray, "rows classes"]:
        """The same, from how often each word and pair occurs."""
        features = _tfidf(counts, self.idf.astype(np.float64)) if self.name != "nb_svm" else _binary(counts)
        scores = features @ self.weights.T.astype(np.float64) + self.intercept
        if scores.shape[1] == 1:
            second = expit(scores)
            return np.concatenate([1 - second, second], axis=1)
        if self.name == "nb_svm":  # each class against the rest
            shares = np.maximum(expit(scores), 1e-9)
            whole: Float64[np.ndarray, "rows classes"] = shares / shares.sum(1, keepdims=True)
            return whole
        normal: Float64[np.ndarray, "rows classes"] = softmax(scores, axis=1)
        return normal


def fit_both(words: Words, truth: Truth, classes: int, seed: int = 0) -> tuple[tuple[Linear, ...], Terms]:
    """Train both on texts and the numbers of their classes, and return the words and pairs that they use too."""
    if len(truth) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(len(truth))[:MOST_ROWS])
        words, truth = words.take(rows), truth[rows]
    terms = Terms.of(words, max(1, min(_FEATURES, _WEIGHTS // classes)))
    # No text has a word, or all are of one class: nothing but the frequency of the classes is left.
    if not len(terms.keys) or len(np.unique(truth)) == 1:
        terms = Terms((), terms.keys[:0], words.reading)
        return tuple(_constant(name, truth, classes) for name in NAMES), terms
    counts, vocabulary = terms.counts(words.rows), terms.texts()
    idf = np.log((1 + len(truth)) / (1 + np.bincount(counts.indices, minlength=len(terms.keys)))) + 1
    model = LogisticRegression(C=10.0, max_iter=200).fit(_tfidf(counts, idf), truth)
    first = _linear(NAMES[0], vocabulary, idf, *_of_all(model, classes), words.reading)
    outputs = 1 if classes == 2 else classes
    features = _binary(counts)
    weights, intercept = np.zeros((outputs, len(vocabulary))), np.zeros(outputs)
    for k in range(outputs):
        one = truth == (1 if classes == 2 else k)
        if not one.any():
            intercept[k] = _NEVER
            continue
        ratio = _log_count_ratio(features, one)
        model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=200, random_state=0)
        model.fit(_times(features, ratio), one)
        weights[k], intercept[k] = model.coef_[0] * ratio, model.intercept_[0]
    return (first, _linear(NAMES[1], vocabulary, np.ones(len(vocabulary)), weights, intercept, words.reading)), terms


def by_fold(
    words: Words, truth: Truth, number: Int64[np.ndarray, " rows"], members: int, classes: int, seed: int
) -> tuple[dict[str, Said], tuple[Linear, ...]]:
    """Probabilities of each fold by simple methods trained on the others, and the methods trained on all rows.

    With a single fold, which the network does not train on, there are none but those that are trained as it is.
    """
    said: dict[str, Said] = {name: np.zeros((len(truth), classes)) for name in NAMES}

    def one(k: int) -> tuple[Linear, ...]:
        outside, inside = np.flatnonzero(number != k), np.flatnonzero(number == k)
        methods, terms = fit_both(words.take(outside), truth[outside], classes, seed)
        counts = terms.counts(words.rows.take(inside))
        for method in methods:
            said[method.name][inside] = (
                method.said(counts) if len(terms.keys) else method.said(csr_matrix((len(inside), 1)))
            )
        return methods

    # The solvers let other threads run while they compute; each fold's result is its own.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        everything = pool.submit(fit_both, words, truth, classes, seed) if members > 1 else None
        methods = list(pool.map(one, range(members)))
    return said, methods[0] if everything is None else everything.result()[0]


def majority(truth: Int64[np.ndarray, " rows"], classes: int, said: int) -> Float64[np.ndarray, "said classes"]:
    """Of every row the same: how frequent each class was in training."""
    share = np.bincount(truth, minlength=classes) / len(truth)
    return np.tile(share, (said, 1))


def _linear(
    name: Name, vocabulary: tuple[str, ...], idf: Any, weights: Any, intercept: Any, reading: Reading = "words"
) -> Linear:
    idf, weights, intercept = (np.asarray(part, dtype=np.float32) for part in (idf, weights, intercept))
    return Linear(name, vocabulary, idf, weights, intercept, reading)


def _of_all(model: LogisticRegression, classes: int) -> tuple[Any, Any]:
    """The weights of all classes, of those too that the rows do not have, as where a group holds all of one."""
    if classes == 2 or len(model.classes_) == classes:
        return model.coef_, model.intercept_
    weights, intercept = np.zeros((classes, model.coef_.shape[1])), np.full(classes, _NEVER)
    # Of two classes there is one row of weights, that of the second; those of the first are zero then.
    intercept[model.classes_] = 0.0
    known = model.classes_[-len(model.coef_) :]
    weights[known], intercept[known] = model.coef_, model.intercept_
    return weights, intercept


def _constant(name: Name, truth: Truth, classes: int) -> Linear:
    counts = np.bincount(truth, minlength=classes) + 1.0
    prior = np.log(counts / counts.sum())
    prior = prior[1:] - prior[:1] if classes == 2 else prior
    return _linear(name, (" ",), np.zeros(1), np.zeros((len(prior), 1)), prior)


def _tfidf(counts: csr_matrix, idf: Float64[np.ndarray, " features"]) -> csr_matrix:
    """One plus the logarithm of the count, times how rare the term is, over the length of the row."""
    values = (1 + np.log(counts.data)) * idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0]))
    return csr_matrix((values / np.maximum(lengths, 1e-300)[rows], counts.indices, counts.indptr), counts.shape)


def _binary(counts: csr_matrix) -> csr_matrix:
    return csr_matrix((np.ones(len(counts.data)), counts.indices, counts.indptr), counts.shape)


def _times(features: csr_matrix, factor: Float64[np.ndarray, " features"]) -> csr_matrix:
    return csr_matrix((features.data * factor[features.indices], features.indices, features.indptr), features.shape)


def _log_count_ratio(features: csr_matrix, one: Any) -> Float64[np.ndarray, " features"]:
    inside, outside = (np.asarray(features[rows].sum(0)).ravel() + 1.0 for rows in (one, ~one))
    ratio: Float64[np.ndarray, " features"] = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return ratio
