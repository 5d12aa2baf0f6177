"""The simple methods are those of scikit-learn on the same words, whether the texts are counted whole or in parts."""

import unicodedata

import numpy as np
import pytest
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sluicegate.runtime.texts import ragged
from sluicegate.runtime.texts.grams import Grams
from sluicegate.runtime.texts.terms import Terms, Words
from sluicegate.tasks.classify_text import baselines
from sluicegate.tasks.classify_text.baselines import Linear, by_fold, fit_both
from tests.tasks.classify_text.conftest import as_table

TOKEN = r"(?u)[\u4e00-\u9fff]|(?:(?![\u4e00-\u9fff])\w)+(?:['\u2019]\w+)*|[^\w\s]"


def plain(text):
    return unicodedata.normalize("NFKC", text).lower()


ODD = ["", "  ", "It's a FILM, it's a film!", "é e\u0301 映画", "x", "\ud800 odd"]


@pytest.fixture
def told(texts):
    table = texts(rows=90, classes=("bad", "good", "mixed"), seed=3)
    names = sorted(set(table["label"]))
    return [*table["text"].to_list(), *ODD[:3]], np.array([*map(names.index, table["label"]), 0, 1, 2])


def test_counts_are_those_of_scikit_learn(told):
    known, asked = told[0], [*ODD[:5], *told[0][:9], "a film that nobody knows"]
    terms = Terms.of(Words.of(known), 10**6)
    reference = CountVectorizer(ngram_range=(1, 2), token_pattern=TOKEN, preprocessor=plain).fit(known)
    assert sorted(terms.texts()) == sorted(reference.get_feature_names_out())
    order = [reference.vocabulary_[term] for term in terms.texts()]
    expected = reference.transform(asked).toarray()[:, order]
    np.testing.assert_array_equal(as_table(terms.within(asked), terms), expected)
    again = Terms.named(terms.texts())
    np.testing.assert_array_equal(as_table(again.within([*asked, ODD[5]]), again)[:-1], expected)


def test_the_most_frequent_terms_are_kept(told):
    words = Words.of(told[0])
    whole = Terms.of(words, 10**6)
    often = dict(zip(whole.texts(), as_table(whole.counts(words.rows), whole).sum(0), strict=True))
    kept = Terms.of(words, 20).texts()
    assert len(kept) == 20
    assert min(often[term] for term in kept) >= max(often[term] for term in often if term not in kept)


@pytest.mark.parametrize("classes", [2, 3])
def test_both_methods_are_those_of_scikit_learn(told, classes):
    known, truth = told[0], np.minimum(told[1], classes - 1)
    asked = [*ODD[:5], *known[:20], "the film is odd and nobody knows"]
    tfidf, nb_svm = fit_both(Words.of(known), truth, classes)[0]
    weigh = TfidfVectorizer(ngram_range=(1, 2), token_pattern=TOKEN, preprocessor=plain, sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=200).fit(weigh.fit_transform(known), truth)
    np.testing.assert_allclose(tfidf.probabilities(asked), model.predict_proba(weigh.transform(asked)), atol=1e-3)
    count = CountVectorizer(ngram_range=(1, 2), token_pattern=TOKEN, preprocessor=plain, binary=True, dtype=np.float64)
    features, scores = count.fit_transform(known), []
    for k in [1] if classes == 2 else range(classes):
        inside, outside = (np.asarray(features[rows].sum(0)).ravel() + 1 for rows in (truth == k, truth != k))
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        model = LogisticRegression(C=1.0, solver="liblinear", dual=True, max_iter=200, random_state=0)
        model.fit(features.multiply(ratio).tocsr(), truth == k)
        scores.append(expit(model.decision_function(count.transform(asked).multiply(ratio).tocsr())))
    expected = np.stack(scores, 1)
    expected = np.hstack([1 - expected, expected]) if classes == 2 else expected / expected.sum(1, keepdims=True)
    np.testing.assert_allclose(nb_svm.probabilities(asked), expected, atol=1e-3)


def test_many_classes_have_fewer_words_each(told, monkeypatch):
    texts, truth = told
    words = Words.of(texts)
    for weights, features in ((10**6, len(Terms.of(words, 10**6).keys)), (60, 20), (1, 1)):
        monkeypatch.setattr(baselines, "_WEIGHTS", weights)
        methods, terms = fit_both(words, truth, 3)
        assert len(terms.keys) == features
        assert all(method.weights.shape == (3, features) for method in methods)


def test_folds_are_what_each_would_be_alone(told):
    words, truth = Words.of(told[0]), told[1]
    number = np.arange(len(truth)) % 3
    methods, said = by_fold(words, truth, number, 3, 3, 0)
    for k in range(3):
        outside, inside = np.flatnonzero(number != k), np.flatnonzero(number == k)
        for method in fit_both(Words.of([told[0][i] for i in outside]), truth[outside], 3)[0]:
            alone = method.probabilities([told[0][i] for i in inside])
            np.testing.assert_allclose(said[method.name][inside], alone, atol=1e-3)
    for method, expected in zip(methods, fit_both(words, truth, 3)[0], strict=True):
        np.testing.assert_array_equal(method.weights, expected.weights)
    methods, _ = by_fold(words, truth, np.where(number == 0, 0, -1), 1, 3, 0)
    rows = np.flatnonzero(number != 0)
    for method, expected in zip(methods, fit_both(words.take(rows), truth[rows], 3)[0], strict=True):
        np.testing.assert_array_equal(method.weights, expected.weights)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_that_the_rows_lack_are_never_said(told, classes):
    """As where all rows of a class are of one group, and so in the fold that validates."""
    known, truth = told[0], told[1]
    for had in ([1], [0, 2], [1, 2])[: 1 if classes == 2 else 3]:
        rows = np.flatnonzero(np.isin(truth, had))
        for method in fit_both(Words.of([known[i] for i in rows]), truth[rows], classes)[0]:
            said = method.probabilities(known)
            np.testing.assert_allclose(said.sum(1), 1.0)
            assert np.isin(said.argmax(1), had).all()


def test_texts_without_words_have_the_frequency_of_the_classes():
    for method in fit_both(Words.of(["", " ", "\n"]), np.array([0, 1, 1]), 2)[0]:
        assert isinstance(method, Linear)
        np.testing.assert_allclose(method.probabilities(["", "word"])[:, 1], 3 / 5, rtol=1e-6)


def test_parts_give_the_same_bits_as_the_whole(told, monkeypatch):
    def everything():
        words = Words.of(told[0])
        grams = Grams.of(words.rows, 2, 50)
        return [words.rows.values, grams.keys, *(m.weights for m in fit_both(words, told[1], 3)[0])], grams.within(
            words.rows
        )

    whole, found = everything()
    monkeypatch.setattr(ragged, "_ROWS", 7)
    parts, again = everything()
    for one, other in zip([*whole, found.values, found.bounds], [*parts, again.values, again.bounds], strict=True):
        np.testing.assert_array_equal(one, other)


def test_of_very_many_rows_some_are_drawn(told, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_ROWS", 40)
    few, same = (fit_both(Words.of(told[0]), told[1], 3, seed=1)[0] for _ in range(2))
    other, _ = fit_both(Words.of(told[0]), told[1], 3, seed=2)
    np.testing.assert_array_equal(few[0].weights, same[0].weights)
    assert few[0].weights.shape != other[0].weights.shape or (few[0].weights != other[0].weights).any()
