"""What is asked of words: as much confidence as costs nothing where it is known what was said."""

import pytest

pytest.importorskip("jiwer", reason="the extra `speech` is not installed")

from sluicegate.tasks.transcribe.transcript import Word
from sluicegate.tasks.transcribe.weighing import LEAST, least_confidence


def words(*several):
    return [Word(text, 0.0, 0.1, confidence) for text, confidence in several]


def test_as_much_is_asked_as_right_words_have():
    found = [words(("one", 0.95)), words(("two", 0.45), ("three", 0.9))]
    assert least_confidence(found, ["one", "two three"]) == 0.4


def test_words_that_nobody_said_may_go():
    found = [words(("one", 0.95), ("nine", 0.5)), words(("two", 0.9))]
    assert least_confidence(found, ["one", "two"]) == max(LEAST)


def test_nothing_is_asked_where_all_words_are_doubted():
    assert least_confidence([words(("one", 0.05))], ["one"]) == 0.0
    assert least_confidence([], []) == max(LEAST)
