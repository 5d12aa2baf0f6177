"""Tokens: there and back, chosen by how many words there are, and what training never saw."""

import numpy as np

from sluicegate.tasks.generation.subwords import MARK
from sluicegate.tasks.transcribe.alphabet import Alphabet, least_frames, tidied

TEXTS = ["the cat sat", "on the mat", "Café noir", ""]


def test_characters_there_and_back():
    alphabet = Alphabet.of(TEXTS)
    assert not alphabet.subwords
    assert " " in alphabet.tokens
    assert len(alphabet) == 1 + len(set("".join(TEXTS)))
    for text in TEXTS:
        assert alphabet.decode(alphabet.encode(text)) == text


def test_few_words_that_come_often_are_tokens():
    alphabet = Alphabet.of(["one two", "two", "one"] * 10)
    assert alphabet.tokens == (f"{MARK}one", f"{MARK}two")
    assert alphabet.encode("two one two") == [2, 1, 2]
    assert alphabet.decode([2, 0, 1]) == "two one"
    assert Alphabet.of(["one two", "two", "one"] * 10, 0).tokens == tuple(sorted(set("one two")))


def test_subwords_there_and_back():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("aeinrst"), rng.integers(2, 7))) for _ in range(150)]
    texts = [" ".join(rng.choice(words, 5)) for _ in range(200)]
    alphabet = Alphabet.of(texts, 120)
    assert alphabet.subwords
    assert len(alphabet) <= 121
    for text in texts:
        tokens = alphabet.encode(text)
        assert alphabet.decode(tokens) == text
        assert len(tokens) < len(text)


def test_characters_that_training_never_saw_are_left_out():
    alphabet = Alphabet.of(TEXTS)
    assert alphabet.decode(alphabet.encode("the xat")) == "the at"
    assert alphabet.unknown("the xaxt, z") == "x,z"


def test_texts_are_tidied():
    assert tidied("  a \n\tb  c ") == "a b c"
    assert tidied("Cafe\u0301") == "Café"


def test_the_frames_that_a_text_needs():
    assert [least_frames(tokens) for tokens in ([], [1], [1, 2], [1, 1], [1, 1, 1, 2])] == [0, 1, 2, 3, 6]
