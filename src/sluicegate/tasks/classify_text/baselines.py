"""The simple methods that a text classifier is set beside: linear ones on words and pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from scipy.sparse import csr_matrix

from sluicegate.runtime.texts.grams import Counts
from sluicegate.runtime.texts.linear import NAMES as NAMES
from sluicegate.runtime.texts.linear import Name, probabilities, tfidf
from sluicegate.runtime.texts.ragged import Ragged
from sluicegate.runtime.texts.terms import Reading, Terms, Words
from sluicegate.tasks.classification.cross_validation import probabilities_by_fold
from sluicegate.tasks.classification.decision import Probabilities

from .examples import Rows
from .naive_bayes import class_counts, log_count_ratio

MOST_ROWS = 200_000
"""Rows that the simple methods are trained on at most, drawn at random: a million would take gigabytes."""

_FEATURES = 300_000  # the most frequent words and pairs
_WEIGHTS = 5_000_000  # of all classes, at most; the solver holds each some forty times over
_NO_TERMS = (" ",)  # what no text has, where nothing tells classes apart
_NEVER = -20.0  # the score of a class that training did not have

Truth = Int64[np.ndarray, " rows"]


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
        """The words and pairs, or the n-grams, as numbers."""
        return Terms.named(self.vocabulary, self.reading)

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """The probability of each class."""
        return self.of_counts(self.terms.within(texts))

    def of_counts(self, counts: Counts) -> Probabilities:
        """The same, from how often each term occurs."""
        return probabilities(self.name, counts, self.idf, self.weights, self.intercept)


def fit_both(words: Words, truth: Truth, classes: int, seed: int = 0) -> tuple[tuple[Linear, ...], Terms]:
    """Train both on texts and the numbers of their classes, and return the words and pairs that they use too."""
    from sklearn.linear_model import LogisticRegression  # 2 s to load, which no prediction needs

    if len(truth) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(len(truth))[:MOST_ROWS])
        words, truth = words.take(rows), truth[rows]
    terms = Terms.of(words, max(1, min(_FEATURES, _WEIGHTS // classes)))
    # No text has a word, or all are of one class: nothing but the frequency of the classes is left.
    if not len(terms.keys) or len(np.unique(truth)) == 1:
        return tuple(_constant(name, truth, classes) for name in NAMES), Terms.named(_NO_TERMS)
    counts, vocabulary = terms.counts(words.rows), terms.texts()
    idf = np.log((1 + len(truth)) / (1 + np.bincount(counts.terms, minlength=len(terms.keys)))) + 1
    model = LogisticRegression(C=10.0, max_iter=200).fit(_valued(counts, tfidf(counts, idf), len(idf)), truth)
    first = _linear(NAMES[0], vocabulary, idf, *_of_all(model, classes), words.reading)
    scored = [1] if classes == 2 else range(classes)
    inside = class_counts(Ragged(counts.terms, counts.bounds), truth, len(vocabulary), classes)
    everywhere = inside.sum(1)
    weights, intercept = np.zeros((len(scored), len(vocabulary))), np.zeros(len(scored))
    for output, k in enumerate(scored):
        one = truth == k
        if not one.any():
            intercept[output] = _NEVER
            continue
        ratio = log_count_ratio(1.0 + inside[:, k], 1.0 + everywhere - inside[:, k])
        model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=200, random_state=0)
        model.fit(_valued(counts, ratio[counts.terms], len(ratio)), one)
        weights[output], intercept[output] = model.coef_[0] * ratio, model.intercept_[0]
    return (first, _linear(NAMES[1], vocabulary, np.ones(len(vocabulary)), weights, intercept, words.reading)), terms


def by_fold(
    words: Words, truth: Truth, number: Int64[np.ndarray, " rows"], members: int, classes: int, seed: int
) -> tuple[tuple[Linear, ...], dict[str, Probabilities]]:
    """The methods trained on all rows, and probabilities of the rows of each fold by methods trained on the others.

    With a single fold, which the network does not train on, there are none but those that are trained as it is.
    """
    fitted: list[tuple[Linear, ...]] = []

    def learn_and_predict(outside: Rows, inside: Rows) -> dict[str, Probabilities]:
        methods, terms = fit_both(words.take(outside), truth[outside], classes, seed)
        fitted.append(methods)
        counts = terms.counts(words.rows.take(inside))
        return {method.name: method.of_counts(counts) for method in methods}

    # The solvers let other threads run while they compute; each fold's result is its own.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        everything = pool.submit(fit_both, words, truth, classes, seed) if members > 1 else None
        predicted = probabilities_by_fold(number, members, learn_and_predict, pool.map)
    return fitted[0] if everything is None else everything.result()[0], predicted


def _linear(
    name: Name, vocabulary: tuple[str, ...], idf: Any, weights: Any, intercept: Any, reading: Reading = "words"
) -> Linear:
    idf, weights, intercept = (np.asarray(part, dtype=np.float32) for part in (idf, weights, intercept))
    return Linear(name, vocabulary, idf, weights, intercept, reading)


def _of_all(model: Any, classes: int) -> tuple[Any, Any]:
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
    return _linear(name, _NO_TERMS, np.zeros(1), np.zeros((len(prior), 1)), prior)


def _valued(counts: Counts, values: Float64[np.ndarray, " entries"], terms: int) -> csr_matrix:
    """Other values in the places of the counts."""
    return csr_matrix((values, counts.terms, counts.bounds), (len(counts.bounds) - 1, terms))
