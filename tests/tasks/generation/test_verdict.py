"""The verdict names the simpler method where noise could be the difference."""

import pytest

from sluicegate.tasks.generation.verdict import verdict

WRITTEN = {"model": ["a"] * 30, "word_by_word": ["b"] * 30, "first_sentence": ["c"] * 30}


def said(model, p, compared=None):
    metrics = {"model": {"bleu": model}, "word_by_word": {"bleu": 20.0}, "first_sentence": {"bleu": 10.0}}
    return verdict("bleu", metrics, WRITTEN, compared or (lambda first, second: p))


@pytest.mark.parametrize(
    ("model", "p", "begins", "p_said"),
    [
        (30.0, 0.0, "Use the model: its bleu, 30.00, is above that of word by word, the best simple", "(p < 0.001)"),
        (30.0, 0.2, "Use word by word, the simpler: its bleu, 20.00, and the model's, 30.00, are within", "(p = 0.2)"),
        (12.0, 0.01, "Use word by word: its bleu, 20.00, is above the model's, 12.00", "(p = 0.01)"),
        (12.0, 0.05, "Use word by word, the simpler", "(p = 0.05)"),
    ],
)
def test_sentences(model, p, begins, p_said):
    sentence = said(model, p)
    assert sentence.startswith(begins)
    assert sentence.endswith(f"{p_said}.")
    assert "on the same 30 texts" in sentence


def test_the_best_simple_method_is_the_one_compared():
    asked = []

    def compared(first, second):
        asked.append((first[0], second[0]))
        return 0.0

    said(30.0, None, compared)
    assert asked == [("a", "b")]
