"""A classifier's verdict takes the simpler method where noise could be the difference."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from sluicegate.metrics import classification_metrics, mcnemar
from sluicegate.tasks.classification.verdict import Rows, _macro_f1, p_value, verdict


def said(truth, right):
    """Answers of which those marked are right."""
    return np.where(right, truth, 1 - truth)


def judged(metric, truth, model, simple, groups=None):
    chances = {name: np.eye(2)[answers] for name, answers in (("model", model), ("nb_svm", simple))}
    metrics = {name: classification_metrics(truth, p) for name, p in chances.items()}
    return verdict(metric, metrics, {"model": model, "nb_svm": simple}, Rows(truth, groups))


TRUTH = np.arange(200) % 2


def test_a_difference_beyond_noise_and_one_within_it():
    good, fair, poor = (said(TRUTH, np.arange(200) >= wrong) for wrong in (10, 17, 40))
    assert judged("accuracy", TRUTH, good, poor) == (
        "Use the model: its accuracy, 0.9500, is above that of nb svm, the best simple method, 0.8000, on the same "
        "200 rows, by more than noise (p < 0.001); the model alone is right on 30 of them, nb svm alone on 0."
    )
    assert judged("accuracy", TRUTH, poor, good).startswith("Use nb svm: its accuracy, 0.9500, is above the model's")
    mixed = said(TRUTH, np.arange(200) < 183)
    assert judged("accuracy", TRUTH, said(TRUTH, np.arange(200) >= 12), mixed) == (
        "Use nb svm, the simpler: its accuracy, 0.9150, and the model's, 0.9400, are within noise of each other on "
        f"the same 200 rows (p = {mcnemar(17, 12):.2g}), though the model is ahead; the model alone is right on 17 of "
        "them, nb svm alone on 12."
    )
    assert judged("accuracy", TRUTH, fair, fair).startswith("Use nb svm, the simpler: its accuracy, 0.9150, is the")


def test_rows_of_a_few_groups_prove_less_than_as_many_rows_alone():
    """The model is ahead in one group of four only: as rows beyond noise, as people not."""
    model, simple = said(TRUTH, np.arange(200) >= 0), said(TRUTH, np.arange(200) >= 12)
    assert judged("accuracy", TRUTH, model, simple).startswith("Use the model")
    groups = tuple(f"person {row // 50}" for row in range(200))
    assert judged("accuracy", TRUTH, model, simple, groups).startswith("Use nb svm, the simpler")
    many = tuple(f"person {row % 100}" for row in range(200))
    assert judged("accuracy", TRUTH, model, simple, many).startswith("Use the model")


def test_macro_f1_is_bootstrapped():
    rng = np.random.default_rng(0)
    truth = (rng.random(400) < 0.1).astype(np.int64)
    same, other = (np.where(rng.random(400) < 0.9, truth, 1 - truth) for _ in range(2))
    assert p_value("macro_f1", Rows(truth), same, other) > 0.05
    assert p_value("macro_f1", Rows(truth), truth, other) < 0.01


def test_macro_f1_of_kinds_is_that_of_the_rows():
    rng = np.random.default_rng(0)
    truth, answers = rng.integers(0, 3, 50), rng.integers(0, 4, 50)
    expected = f1_score(truth, answers, average="macro", zero_division=0)
    assert _macro_f1(np.ones((1, 50)), truth, answers)[0] == pytest.approx(expected)
