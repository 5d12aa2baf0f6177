"""What is taken out of texts as it is."""

import math

import pytest

from sluicegate.tasks.summarize.extracts import Weights, first_sentence, sentences


def test_sentences():
    assert sentences("One. Two!  Three?\nFour, five\n\n") == ["One.", "Two!", "Three?", "Four, five"]
    assert sentences("It costs 3.50 at a.com. Buy") == ["It costs 3.50 at a.com.", "Buy"]
    assert sentences("好。 坏\uff01 是") == ["好。", "坏\uff01", "是"]
    assert sentences(" \n ") == []
    assert first_sentence("\n  One. Two.") == "One."
    assert first_sentence("") == ""


def test_weights_by_hand():
    weights = Weights.of(["a b", "a c a", "A"])
    assert weights.by_word == pytest.approx({"a": math.log(4 / 4) + 1, "b": math.log(4 / 2) + 1, "c": math.log(2) + 1})
    assert weights.others == pytest.approx(math.log(4) + 1)


def test_key_words_are_the_four_that_weigh_most_in_their_order():
    weights = Weights.of(["the dog and the cat"] * 50 + ["a tree"])
    assert weights.keywords("the zebra and the cat saw a yak, the zebra, and Xerxes") == "zebra saw yak xerxes"
    assert weights.keywords("Dog") == "dog"
    assert weights.keywords("...") == ""


def test_the_sentence_most_like_the_whole():
    weights = Weights.of(["hello there", "the budget is late", "hello all", "thanks"])
    text = "Hello. The budget for the plant is late. Thanks."
    assert weights.sentence(text) == "The budget for the plant is late."
    assert weights.sentence("") == ""
    assert weights.sentence("?!") == "?!"
