"""The simple methods that a text classifier is set beside: linear ones on words and pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sluicegate.data.words import clean

Name = Literal["tfidf_logistic_regression", "nb_svm"]
NAMES: tuple[Name, ...] = ("tfidf_logistic_regression", "nb_svm")
_FEATURES = 300_000  # the most frequent words and pairs
_TOKEN = r"(?u)\w+(?:['\u2019]\w+)*|[^\w\s]"  # noqa: S105 - a pattern, not a secret


@dataclass(frozen=True)
class Linear:
    """A linear classifier on the words and pairs of words of a text.

    `tfidf_logistic_regression` weighs them by TF-IDF. `nb_svm` takes whether each occurs, times its log-count ratio
    (Wang & Manning 2012), with the logistic loss in place of the hinge, so that it gives probabilities.

    Args:
        name: which of the two.
        vocabulary: the words and pairs.
        idf: what each is multiplied by; ones for `nb_svm`.
        weights: of each class; of two classes, of the second alone.
        intercept: the same.
    """

    name: Name
    vocabulary: tuple[str, ...]
    idf: Float32[np.ndarray, " features"]
    weights: Float32[np.ndarray, "outputs features"]
    intercept: Float32[np.ndarray, " outputs"]

    @classmethod
    def fit(cls, name: Name, texts: Sequence[str], truth: Int64[np.ndarray, " rows"], classes: int) -> Linear:
        """Train on texts and the numbers of their classes."""
        vectoriser = _vectoriser(name, None)
        try:
            features = vectoriser.fit_transform(map(clean, texts))
        except ValueError:  # no text has a word: nothing but the frequency of the classes is left
            counts = np.bincount(truth, minlength=classes) + 1.0
            prior = np.log(counts / counts.sum())
            prior = prior[1:] - prior[:1] if classes == 2 else prior
            nothing = np.zeros((len(prior), 1), dtype=np.float32)
            return cls(name, (" ",), np.zeros(1, dtype=np.float32), nothing, prior.astype(np.float32))
        outputs = 1 if classes == 2 else classes
        if name == "nb_svm":
            weights, intercept = np.zeros((outputs, features.shape[1])), np.zeros(outputs)
            for k in range(outputs):
                one = truth == (1 if classes == 2 else k)
                ratio = _log_count_ratio(features, one)
                model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=200, random_state=0)
                model.fit(features.multiply(ratio).tocsr(), one)
                weights[k], intercept[k] = model.coef_[0] * ratio, model.intercept_[0]
        else:
            model = LogisticRegression(C=10.0, max_iter=200)
            model.fit(features, truth)
            weights, intercept = model.coef_, model.intercept_
        vocabulary = tuple(str(term) for term in vectoriser.get_feature_names_out())
        idf = vectoriser.idf_ if name != "nb_svm" else np.ones(len(vocabulary))
        return cls(
            name, vocabulary, idf.astype(np.float32), weights.astype(np.float32), np.asarray(intercept, np.float32)
        )

    def probabilities(self, texts: Sequence[str]) -> Float64[np.ndarray, "rows classes"]:
        """The probability of each class."""
        vectoriser = _vectoriser(self.name, self.vocabulary)
        if self.name != "nb_svm":
            vectoriser.idf_ = self.idf.astype(np.float64)
        features = vectoriser.transform(map(clean, texts))
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


def majority(truth: Int64[np.ndarray, " rows"], classes: int, said: int) -> Float64[np.ndarray, "said classes"]:
    """Of every row the same: how frequent each class was in training."""
    share = np.bincount(truth, minlength=classes) / len(truth)
    return np.tile(share, (said, 1))


def _vectoriser(name: Name, vocabulary: Sequence[str] | None) -> Any:
    options: dict[str, Any] = {
        "ngram_range": (1, 2),
        "token_pattern": _TOKEN,
        "vocabulary": vocabulary,
        "max_features": None if vocabulary is not None else _FEATURES,
        "lowercase": True,
    }
    if name == "nb_svm":
        return CountVectorizer(binary=True, dtype=np.float64, **options)
    return TfidfVectorizer(sublinear_tf=True, **options)


def _log_count_ratio(features: csr_matrix, one: Any) -> Float64[np.ndarray, " features"]:
    inside, outside = (np.asarray(features[rows].sum(0)).ravel() + 1.0 for rows in (one, ~one))
    ratio: Float64[np.ndarray, " features"] = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return ratio
