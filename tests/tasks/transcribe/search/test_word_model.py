"""The language model of the search: that of its runs, what is ahead of a word, and words that come later."""

import math

import numpy as np
import pytest

from sluicegate.tasks.generation.kneser_ney import KneserNey
from sluicegate.tasks.transcribe.search.word_model import WordModel

TEXTS = ["the cat sat", "the dog sat", "a cat ran", "the cat ran", "there"] * 2


def total(model, text):
    """The logarithm of the probability of a text."""
    context, found = model.beginning, 0.0
    for word in text.split():
        chance, context = model.follow(context, word)
        found += chance
    return found + model.end(context)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_text_is_as_probable_as_its_runs(order):
    model = WordModel.of(TEXTS, order)
    runs = KneserNey.of(model.words.astype(np.int64), len(model.names) + 2, order)
    for text in ("the cat sat", "a dog", "ran ran the"):
        numbers = [*(model.names.index(word) + 1 for word in text.split()), 0]
        assert total(model, text) == pytest.approx(runs.log_likelihood(np.array(numbers)).sum(), rel=1e-12)


def test_words_that_training_did_not_have_are_spelled():
    model = WordModel.of(TEXTS)
    assert total(model, "the cat sat") > total(model, "the cap sat") > total(model, "the \u732b\u732b sat") > -math.inf


def test_what_is_ahead_is_the_sum_of_all_words():
    """Words begin with these letters: the known ones, and as unknown words those with these letters first."""
    model = WordModel.of(TEXTS)
    single = {word: math.exp(model.follow((), word)[0]) for word in model.names}
    letters = sorted(set("".join(model.names)))
    unknown = math.exp(model.ahead("the")) - single["the"] - single["there"]
    assert 0 < unknown < single["there"]
    # Of all letters and an end, one comes next.
    ends = math.exp(model.ahead("ca")) - sum(math.exp(model.ahead("ca" + letter)) for letter in letters)
    assert 0 < ends < unknown
    assert model.ahead("") == 0.0
    assert model.ahead("th") >= model.ahead("the") > model.ahead("ther")


def test_many_words_are_summed_as_few():
    model = WordModel.of([f"a{number} b{number}" for number in range(300)])
    few = sum(math.exp(model.ahead(f"a{digit}")) for digit in range(10))
    assert math.exp(model.ahead("a")) == pytest.approx(few, rel=1e-2)
    assert math.exp(model.ahead("a")) >= few


def test_words_that_are_added_are_as_probable_as_known_ones_that_never_came():
    model = WordModel.of(TEXTS)
    more = model.with_words(["Sluicegate", "the", "Sluicegate"])
    assert more.added == ("Sluicegate",)
    assert more.with_words(["Sluicegate"]).added == ("Sluicegate",)
    assert total(more, "the Sluicegate sat") > total(model, "the Sluicegate sat") + 20
    assert total(more, "the cat sat") == total(model, "the cat sat")
    assert more.ahead("Slu") > model.ahead("Slu") + 3
    assert more.follow(more.beginning, "Sluicegate")[1] == model.follow(model.beginning, "zebra")[1]


def test_contexts():
    model = WordModel.of(TEXTS)
    _, context = model.follow(model.beginning, "the")
    assert model.leads(context)
    assert not model.leads((99, 0))
    assert not model.leads((0, 0, 0))


def test_what_is_asked_often_is_the_same(monkeypatch):
    monkeypatch.setattr("sluicegate.tasks.transcribe.search.word_model._KEPT", 2)
    model, fresh = WordModel.of(TEXTS), WordModel.of(TEXTS)
    words = ["cat", "cap", "dog", "zebra", "cat"]
    assert [model.ahead(word) for word in words] == [fresh.ahead(word) for word in words]
    assert [model.follow((), word) for word in words] == [WordModel.of(TEXTS).follow((), word) for word in words]


def test_no_texts():
    model = WordModel.of([])
    assert total(model, "a") < 0
    assert model.ahead("a") < 0
