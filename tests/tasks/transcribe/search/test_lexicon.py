"""What may be said, and how hot words are counted."""

import pytest

from sluicegate.errors import ConfigError
from sluicegate.tasks.transcribe.search.hot_words import Hot, HotWords
from sluicegate.tasks.transcribe.search.lexicon import Lexicon


def test_words_come_in_any_order_and_number():
    lexicon = Lexicon.words(["turn", "left", "turner"])
    assert all(lexicon.allows(text) for text in ("", "turn", "left turn turn", "turner left"))
    assert not any(lexicon.allows(text) for text in ("tur", "turn lef", "turnleft", "right", "turn right"))


def test_phrases_come_whole():
    lexicon = Lexicon.phrases(["turn left", "turn", "go to the left"])
    assert all(lexicon.allows(text) for text in ("", "turn", "turn left", "go to the left"))
    assert not any(lexicon.allows(text) for text in ("turn turn", "left", "go to", "turn left left", "goto the left"))


def test_words_that_are_added():
    lexicon = Lexicon.words(["turn"])
    more = lexicon.with_words(["left", "turn"])
    assert more.texts == ("turn", "left")
    assert more.allows("turn left")
    assert not lexicon.allows("turn left")
    assert lexicon.follow(0, "tur") == more.follow(0, "tur")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lexicon.words([]), "`words` has no words"),
        (lambda: Lexicon.phrases([]), "`phrases` has no phrases"),
        (lambda: Lexicon.words(["a", "turn left"]), "`words` holds 'turn left' at 1: expected single words"),
        (lambda: Lexicon.phrases(["turn  left"]), "expected words with single spaces"),
        (lambda: Lexicon.phrases([" "]), "`phrases` holds ' ' at 0"),
        (lambda: HotWords({" ": 1.0}), "`hot_words` gives ' ' the weight 1.0"),
        (lambda: HotWords({"a": float("nan")}), "finite number"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def bonus(words, text):
    """What hot words make of a text, letter by letter."""
    hot, total, said = Hot(), 0.0, ""
    for letter in text:
        if letter == " ":
            given, hot = words.end_word(hot)
            said = ""
        else:
            said += letter
            given, hot = words.follow(hot, letter, said)
        total += given
    return total + words.end(hot)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat", 3.0),
        ("cats", 0.0),
        ("ca", 0.0),
        ("a cat a cat", 6.0),
        ("new", 1.0),
        ("new york", 5.0),
        ("new yorks", 1.0),
        ("new cat", 4.0),
        ("new new york", 6.0),
        ("york", 0.0),
        ("bad", -2.0),
        ("bat", 0.0),
    ],
)
def test_a_bonus_is_kept_where_a_word_is_whole(text, expected):
    words = HotWords({"cat": 3.0, "new york": 5.0, "new": 1.0, "bad": -2.0})
    assert bonus(words, text) == pytest.approx(expected)
    assert words.most == 5.0


def test_a_bonus_is_given_in_shares():
    words = HotWords({"cat": 3.0})
    first, hot = words.follow(Hot(), "c", "c")
    second, hot = words.follow(hot, "a", "ca")
    taken, hot = words.follow(hot, "r", "car")
    assert (first, second, taken) == pytest.approx((1.0, 1.0, -2.0))
