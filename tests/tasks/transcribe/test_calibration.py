"""Calibrated confidence is how often words are right, whatever the search makes of them."""

import numpy as np
import pytest
from scipy.special import expit, logit

pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

from sluicegate.tasks.transcribe.calibration import Calibration, calibration_error, reliability, rightness


def words(count, seed=0):
    """Words of which the search is twice too sure, and that are right more often the longer they are."""
    rng = np.random.default_rng(seed)
    texts = ["x" * int(length) for length in rng.integers(1, 9, count)]
    lengths = np.log([len(text) for text in texts])
    said = expit(rng.normal(2, 2, count))
    right = rng.random(count) < expit(0.5 * logit(said) + 0.8 * lengths - 1)
    return texts, said.tolist(), right.tolist()


def test_the_map_that_was_at_work_is_found():
    found = Calibration.fit(*words(20_000))
    assert (found.slope, found.by_length, found.shift) == pytest.approx((0.5, 0.8, -1.0), abs=0.06)


def test_other_words_are_right_as_often_as_they_are_said_to_be():
    found = Calibration.fit(*words(2000))
    texts, said, right = words(5000, seed=1)
    told = [found.of(text, confidence) for text, confidence in zip(texts, said, strict=True)]
    assert calibration_error(told, right) < 0.03 < calibration_error(said, right)
    assert all(0 <= confidence <= 1 for confidence in told)


def test_the_order_of_words_of_one_length_stays():
    found = Calibration.fit(*words(2000))
    told = [found.of("word", confidence) for confidence in np.linspace(0.01, 0.99, 50)]
    assert sorted(told) == told
    assert 0 < found.of("word", 0.0) < found.of("word", 1.0) < 1
    assert 0 < found.of("", 0.5) < 1


def test_too_few_words_teach_nothing():
    assert Calibration.fit([], [], []) == Calibration()
    assert Calibration.fit(["a"] * 50, [0.9] * 50, [True] * 50) == Calibration()
    assert Calibration().of("a", 0.123) == 0.123


def test_certainty_does_not_come_of_few_words():
    found = Calibration.fit(["a"] * 22, [1.0] * 11 + [0.0] * 11, [True] * 11 + [False] * 11)
    assert 0.005 < found.of("a", 0.0) < 0.2
    assert 0.8 < found.of("a", 1.0) < 0.995


def test_rightness_of_all_words():
    assert rightness([["one", "too"], [], ["six"]], ["one two", "four", ""]) == [True, False, False]


def test_each_range_has_its_words():
    found = reliability([0.05, 0.08, 0.55, 1.0], [False, True, True, True])
    assert found == [(pytest.approx(0.065), 0.5, 2), (0.55, 1.0, 1), (1.0, 1.0, 1)]
    assert calibration_error([0.05, 0.08, 0.55, 1.0], [False, True, True, True]) == pytest.approx((0.87 + 0.45) / 4)
    assert np.isnan(calibration_error([], []))
