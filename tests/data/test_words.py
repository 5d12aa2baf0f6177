"""Texts cut into words and pieces."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from sluicegate.data.words import BLANK, UNKNOWN, Capitals, WordTokenizer, whole_words, words_of

TEXTS = ["The film isn't good, it's great!", "a greater film", "films are great", "good films"]


@pytest.fixture(scope="module")
def words():
    return WordTokenizer.train(TEXTS, words=100, least=1)


def cut(words, text):
    names = words.tokens()
    return [names[i] for i in words.encode([text])[0]]


def test_words_are_whole_and_signs_apart(words):
    assert cut(words, TEXTS[0]) == ["the", "film", "isn't", "good", ",", "it's", "great", "!"]


def test_unknown_words_are_read_in_pieces_and_unknown_letters_as_unknown(words):
    pieces = cut(words, "goodfilms")
    assert len(pieces) > 1
    assert "".join(piece.removeprefix("##") for piece in pieces) == "goodfilms"
    assert list(words.encode(["映"])[0]) == [UNKNOWN]


def test_what_is_written_alike_is_read_alike(words):
    assert cut(words, "ＧＯＯＤ\u00a0film\x07") == ["good", "film"]  # noqa: RUF001 - letters of full width are what is tested


def test_rare_words_are_not_whole():
    words = WordTokenizer.train(TEXTS, words=100, least=2)
    assert cut(words, "great") == ["great"]
    assert "greater" not in words.tokens()


def test_words_can_be_taken_back_into_pieces(words):
    strange = words.without(["great", "absent"])
    pieces = strange.encode(["great"])[0]
    assert len(pieces) > 1
    names = words.tokens()
    assert "".join(names[i].removeprefix("##") for i in pieces) == "great"
    np.testing.assert_array_equal(strange.encode(["good films"])[0], words.encode(["good films"])[0])


def test_a_text_without_words_is_a_token_of_its_own(words):
    assert [list(row) for row in words.encode(["", " \n"])] == [[BLANK], [BLANK]]


def test_spans_are_where_the_tokens_are(words):
    text = "The film, isn't  GREAT"
    assert [text[begin:end] for begin, end in words.spans(text)] == ["The", "film", ",", "isn't", "GREAT"]


def test_capitals_are_told_beside_the_words(words):
    texts = ["Good FILM, goodFilms. A great Film", "", "are it's Great!"]
    tokens, capitals = words.encode_with_capitals(texts)
    for found, expected in zip(tokens, words.encode(texts), strict=True):
        np.testing.assert_array_equal(found, expected)
    names = words.tokens()
    told, place = [], 0
    for row in tokens:
        told.append(
            [(names[i], Capitals(c).name) for i, c in zip(row, capitals[place : place + len(row)], strict=True)]
        )
        place += len(row)
    assert place == len(capitals)
    first = told[0]
    assert first[:3] == [("good", "SENTENCE"), ("film", "ALL"), (",", "NONE")]
    assert {kind for _, kind in first[3:-4]} == {"SOME"}
    assert first[-3:] == [("a", "SENTENCE"), ("great", "NONE"), ("film", "FIRST")]
    assert told[1] == [("[BLANK]", "NONE")]
    assert told[2] == [("are", "NONE"), ("it's", "NONE"), ("great", "FIRST"), ("!", "NONE")]


def test_capitals_of_a_letter_that_lowercase_makes_two_of(words):
    tokens, capitals = words.encode_with_capitals(["\u0130film FILM"])  # a capital I with a dot
    assert len(tokens[0]) == len(capitals)
    assert capitals[-1] == Capitals.ALL


def test_saved_and_read_again(words):
    again = WordTokenizer.from_json(words.to_json())
    assert len(again) == len(words)
    for found, expected in zip(again.encode(TEXTS), words.encode(TEXTS), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="no tokenizer"):
        WordTokenizer.from_json("{}")


def test_the_numbers_are_the_same_in_every_run():
    """In this process and in others: a run that goes on in another one must find its words again."""
    code = (
        "from sluicegate.data.words import WordTokenizer; texts = [f'{a}{b} {b}{a}' for a in 'ab\u00e9de' for b in "
        "'fghij' for _ in range(2)]; print(*WordTokenizer.train(texts, words=9, least=1).tokens())"
    )
    told = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(told) == 1


def joined(words, text):
    return "".join(piece.removeprefix("##") for piece in cut(words, text))


@pytest.mark.parametrize(
    "letters", ["ACGT", "\u0e40\u0e21\u0e37\u0e48\u0e2d", "\u0f40\u0f71", "a'", "0123456789abcdef"]
)
def test_a_long_run_of_letters_is_read_in_pieces_in_reasonable_time(letters):
    rng = np.random.default_rng(0)
    run = "".join(rng.choice(list(letters), 20_000))
    words = WordTokenizer.train([run[:300], run[100:400], run[300:]], words=1000, least=1)
    begin = time.process_time()
    assert UNKNOWN not in words.encode([run])[0]
    assert joined(words, run) == run.lower()
    assert time.process_time() - begin < 5.0  # quadratic time would take minutes


def test_a_letter_that_training_did_not_have_is_unknown_alone(words):
    assert cut(words, "goodжжfilm") == ["good", "[UNK]", "film"]
    assert words.shares(words.encode(["goodжжfilm films goodfilm"])[0]) == (0.2, 0.2)
    assert words.shares(words.encode([""])[0]) == (0.0, 0.0)


def test_long_words_that_occur_once_are_not_whole():
    once, twice = "o" * 15 + "n" * 15, "t" * 15 + "w" * 15
    words = WordTokenizer.train([f"{once} {twice}", twice], words=100, least=1)
    assert twice in words.tokens()
    assert once not in words.tokens()
    assert joined(words, once) == once


def test_a_space_of_no_width_divides_words(words):
    assert cut(words, "good\u200bfilm") == ["good", "film"]


def test_words_are_ranked_by_how_often_they_occur():
    ranked = words_of(["b a b", "B c d a"])
    assert ranked == (["b", "a", "c", "d"], 2)
    assert ranked.most_frequent(3, 1) == ["b", "a", "c"]
    assert ranked.most_frequent(3, 2) == ["b", "a"]
    assert words_of(["b a b", "B c d a"], lowercase=False).words == ["a", "b", "B", "c", "d"]


def test_whole_words_by_their_places():
    found = list(whole_words(["Good film", "", "bad\u0301 film, good"], ["film", "good"]))
    assert [row.tolist() for some in found for row in some] == [[2, 1], [], [0, 1, 0, 2]]


def test_a_tokenizer_of_an_earlier_version_reads_as_it_did():
    """It takes no part of a word with an unknown letter, and of one beyond 100 letters."""
    earlier = json.loads(WordTokenizer.train(TEXTS, words=100, least=1).to_json())
    earlier["pre_tokenizer"] = earlier["pre_tokenizer"]["pretokenizers"][0]
    earlier["model"]["max_input_chars_per_word"] = 100
    words = WordTokenizer.from_json(json.dumps(earlier))
    assert cut(words, f"goodж {'good' * 26} films") == ["[UNK]", "[UNK]", "films"]
