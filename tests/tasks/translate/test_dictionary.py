"""The dictionary is that of IBM Model 1."""

import time

import numpy as np
import pytest

from sluicegate.tasks.translate import dictionary
from sluicegate.tasks.translate.dictionary import Dictionary, words_of


def test_words_and_marks():
    assert words_of("Ein  Hund, 3.5!") == ["\u2581Ein", "\u2581Hund", ",", "\u25813", ".", "5", "!"]
    assert words_of("") == []


def test_two_rounds_by_hand(monkeypatch):
    """Two pairs, "das Haus" - "the house" and "das" - "the".

    At first all is equal: of the first pair each word comes half from each, so that t(the | das) = 1.5 / 2 = 3/4,
    t(house | das) = 1/4, t(the | Haus) = t(house | Haus) = 1/2. In the second round "the" comes by 3/5 from "das" and
    by 2/5 from "Haus", "house" by 1/3 and 2/3: t(the | das) = 1.6 / (1.6 + 1/3) = 24/29, and
    t(the | Haus) = 0.4 / (0.4 + 2/3) = 3/8.
    """
    monkeypatch.setattr(dictionary, "_ROUNDS", 2)
    entry, word, source = np.array([0, 1, 2, 3, 0]), np.array([0, 1, 0, 1, 2]), np.array([0, 0, 1, 1])
    chance = dictionary._maximised(entry, word, source, 3)
    np.testing.assert_allclose(chance, [24 / 29, 5 / 29, 3 / 8, 5 / 8])


def test_it_finds_what_words_mean():
    found = Dictionary.of(
        ["das Haus", "das Buch", "ein Buch", "ein Haus 7"], ["the house", "the book", "a book", "a house 7"]
    )
    expected = {"das": "the", "Haus": "house", "Buch": "book", "ein": "a", "7": "7"}
    assert found.words == {f"\u2581{word}": f"\u2581{into}" for word, into in expected.items()}
    assert found.translate("das Buch, ein Haus!") == "the book, a house!"
    assert found.translate("das Xylophon 42") == "the Xylophon 42"
    assert found.translate("") == ""


def test_what_is_blank_or_alone_is_no_fault():
    assert Dictionary.of(["a"], ["b"]).translate("a a") == "b b"
    assert Dictionary.of([], []).words == {}


def test_of_very_many_pairs_the_first_ones_are_counted(monkeypatch):
    monkeypatch.setattr(dictionary, "_LINKS", 8)
    found = Dictionary.of(["a b", "a c", "d e"], ["x y", "x z", "u v"])
    assert "\u2581e" not in found.words
    assert found.words["\u2581a"] == "\u2581x"


def test_it_takes_little_time():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in rng.zipf(1.3, 12) % 5000) for _ in range(3000)]
    begun = time.process_time()
    found = Dictionary.of(texts, texts)
    assert time.process_time() - begun < 20  # of a million words a minute or so
    frequent = [word for word in ("w1", "w2", "w3") if f"\u2581{word}" in found.words]
    assert frequent
    assert all(found.words[f"\u2581{word}"] == f"\u2581{word}" for word in frequent)


@pytest.mark.parametrize("text", ["Ein Hund.", "3,5 (drei)", "can't"])
def test_an_unknown_text_stays_as_it_is(text):
    assert Dictionary({}).translate(text) == text
