"""Linear maps of the words and pairs of words that occur in a text: what each adds to each class, summed up."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy import ndarray

from .grams import Counts

Name: TypeAlias = Literal["tfidf_logistic_regression", "nb_svm"]
NAMES: tuple[Name, ...] = ("tfidf_logistic_regression", "nb_svm")

_AT_ONCE = 2**22  # numbers that are summed up together


def summed(weights: ndarray, numbers: ndarray, begins: ndarray) -> ndarray:
    """The sums of some rows of weights for each text, in an order that hangs on its own alone.

    Args:
        weights: `[features classes]`.
        numbers: the rows of all texts, one text after the other.
        begins: `[texts]`, where each begins.

    Returns:
        `[texts classes]`, zeros of a text that has none.
    """
    return _sums(weights[numbers], begins)


def tfidf(counts: Counts, idf: ndarray) -> ndarray:
    """One plus the logarithm of the count, times how rare the term is, over the length of the row; doubles."""
    values = (1 + np.log(counts.times)) * idf[counts.terms]
    rows = np.repeat(np.arange(len(counts.bounds) - 1), np.diff(counts.bounds))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=len(counts.bounds) - 1))
    found: ndarray = values / np.maximum(lengths, 1e-300)[rows]
    return found


def probabilities(name: Name, counts: Counts, idf: ndarray, weights: ndarray, intercept: ndarray) -> ndarray:
    """The probability of each class by one of the simple methods.

    Args:
        name: which of them.
        counts: how often each term occurs in each text.
        idf: what each is multiplied by.
        weights: of each class, `[outputs terms]`; of two classes, of the second alone.
        intercept: the same.

    Returns:
        Doubles `[texts classes]`.
    """
    values = tfidf(counts, idf.astype(np.float64)) if name != "nb_svm" else np.ones(len(counts.terms))
    scores = _weighed(values, counts, weights.T.astype(np.float64)) + intercept
    if scores.shape[1] == 1:
        second = logistic(scores)
        return np.concatenate([1 - second, second], axis=1)
    if name == "nb_svm":  # each class against the rest
        shares = np.maximum(logistic(scores), 1e-9)
    else:
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    whole: ndarray = shares / shares.sum(1, keepdims=True)
    return whole


def logistic(x: ndarray) -> ndarray:
    """`1 / (1 + exp(-x))`, of doubles, without an overflow."""
    small = np.exp(-np.abs(x))
    found: ndarray = np.where(x < 0, small, 1.0) / (1.0 + small)
    return found


def _weighed(values: ndarray, counts: Counts, weights: ndarray) -> ndarray:
    """The sums of each text's values times the weights of their terms, some texts at a time."""
    texts, bounds = len(counts.bounds) - 1, counts.bounds
    found = np.zeros((texts, weights.shape[1]))
    step = max(1, _AT_ONCE * texts // max(1, len(values) * weights.shape[1]))
    for begin in range(0, texts, step):
        some = bounds[begin : begin + step + 1]
        part = slice(some[0], some[-1])
        products = values[part, None] * weights[counts.terms[part]]
        found[begin : begin + step] = _sums(products, some[:-1] - some[0])
    return found


def _sums(rows: ndarray, begins: ndarray) -> ndarray:
    """The sums of rows that follow one another, from each beginning to the next."""
    ends = np.append(begins[1:], len(rows))
    found = np.zeros((len(begins), rows.shape[1]), rows.dtype)
    some = np.flatnonzero(ends > begins)  # `reduceat` gives a row for none
    if len(some):
        found[some] = np.add.reduceat(rows, begins[some], axis=0)
    return found
